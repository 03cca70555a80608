//! Every format to every other: packets stay the same packets, and lengths are exact.

use crate::common::{clip, clip_as, number, read, scratch, transcode};
use sidetone_audio::measure::compare;
use sidetone_audio::{bit, ogg_opus, wav};
use std::fs;

#[test]
fn wav_to_opus_has_the_pre_skip_and_the_exact_length() {
    let folder = scratch();
    for (rate, options, pre_skip) in
        [(24_000, "", 312), (44_100, "--frame 20", 312), (16_000, "--application lowdelay --frame 2.5", 120)]
    {
        let (input, out) = (clip_as(folder.path(), rate, 1), folder.path().join("out.opus"));
        transcode(&input, &out, options);
        let stream = ogg_opus::read(&out).unwrap();
        let samples = read(&input).samples_per_channel() as f64;
        assert_eq!(stream.samples, (samples * 48_000.0 / f64::from(rate)).ceil() as u64);
        assert_eq!((stream.head.pre_skip, stream.head.input_rate, stream.head.channels), (pre_skip, rate, 1));
        assert!(stream.tags.vendor.starts_with("libopus 1."), "{}", stream.tags.vendor);
    }
}

#[test]
fn opus_and_bit_decode_to_what_a_listener_hears_at_once() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    transcode(&clip(), &path("direct.wav"), "");
    transcode(&clip(), &path("a.opus"), "");
    transcode(&clip(), &path("a.bit"), "");
    transcode(&path("a.opus"), &path("by-opus.wav"), "");
    assert_eq!(read(&path("by-opus.wav")), read(&path("direct.wav")));

    // A .bit file knows no rate, no pre-skip and no end: all of it is played, at 48 kHz unless told.
    transcode(&path("a.bit"), &path("by-bit.wav"), "--rate 24000");
    let (bit, direct) = (read(&path("by-bit.wav")), read(&path("direct.wav")));
    assert_eq!(bit.samples_per_channel(), 69 * 1440);
    assert_eq!(bit.samples[156..][..direct.samples.len()], direct.samples);
    let report = transcode(&path("a.bit"), &path("by-bit.wav"), "");
    assert_eq!(number(&report, "/output/rate"), 48_000.0);
}

#[test]
fn packets_are_passed_on_unless_an_option_asks_for_others() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    transcode(&clip(), &path("a.opus"), "--frame 20");
    transcode(&clip(), &path("a.bit"), "--frame 20");
    let original: Vec<_> = bit::read(path("a.bit")).unwrap();

    let report = transcode(&path("a.opus"), &path("b.bit"), "");
    assert_eq!(report["steps"].as_array().unwrap().len(), 0);
    assert!(report["notes"][0].as_str().unwrap().starts_with("the packets of IN were passed on as they are"));
    // With the final ranges, though an Ogg file carries none: the component's decoder finds them.
    assert_eq!(bit::read(path("b.bit")).unwrap(), original);

    transcode(&path("a.opus"), &path("copy.opus"), "--seal random");
    assert_eq!(fs::read(path("copy.opus")).unwrap(), fs::read(path("a.opus")).unwrap());

    transcode(&path("a.bit"), &path("c.opus"), "");
    let stream = ogg_opus::read(path("c.opus")).unwrap();
    assert!(stream.packets.iter().map(|packet| &packet.data).eq(original.iter().map(|record| &record.packet)));
    assert_eq!(stream.head.pre_skip, 312);

    let report = transcode(&path("a.opus"), &path("small.opus"), "--bitrate 8k --frame 60");
    assert_eq!(report["steps"], serde_json::json!(["decode", "encode"]));
    assert!(number(&report, "/bitrate") < 9_000.0, "{report}");
    assert_eq!(ogg_opus::read(path("small.opus")).unwrap().samples, ogg_opus::read(path("a.opus")).unwrap().samples);
}

#[test]
fn packets_of_several_durations_are_sealed_too() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    for (name, frame) in [("a.bit", "20"), ("b.bit", "60"), ("c.bit", "2.5")] {
        transcode(&clip(), &path(name), &format!("--frame {frame}"));
    }
    let mut mixed = bit::Writer::create(path("mixed.bit")).unwrap();
    for name in ["a.bit", "b.bit", "c.bit"] {
        let records = bit::read(path(name)).unwrap();
        records[..50].iter().for_each(|record| mixed.write(&record.packet, record.final_range).unwrap());
    }
    mixed.finish().unwrap();
    let plain = transcode(&path("mixed.bit"), &path("plain.wav"), "--loss 10");
    let sealed = transcode(&path("mixed.bit"), &path("sealed.wav"), "--loss 10 --seal random");
    assert_eq!(read(&path("plain.wav")).samples.len(), 50 * (960 + 2880 + 120));
    assert_eq!(sealed["steps"], serde_json::json!(["seal", "lose", "open", "decode"]));
    assert_eq!((&sealed["loss"], &sealed["frame_ms"]), (&plain["loss"], &serde_json::Value::Null));
    assert!(read(&path("plain.wav")) == read(&path("sealed.wav")), "they sound differently");
    transcode(&path("mixed.bit"), &path("copy.bit"), "--seal random");
    assert_eq!(fs::read(path("copy.bit")).unwrap(), fs::read(path("mixed.bit")).unwrap());
}

#[test]
fn the_gain_of_a_file_is_applied() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    transcode(&clip(), &path("a.opus"), "");
    let stream = ogg_opus::read(path("a.opus")).unwrap();
    let head = ogg_opus::Head { output_gain: -6 * 256, ..stream.head };
    let mut quiet = ogg_opus::Writer::create(path("quiet.opus"), 1, &head, &stream.tags).unwrap();
    stream.packets.iter().for_each(|packet| quiet.write(&packet.data).unwrap());
    quiet.finish(Some(stream.samples)).unwrap();

    transcode(&path("a.opus"), &path("a.wav"), "");
    transcode(&path("quiet.opus"), &path("quiet.wav"), "");
    let found = compare(&read(&path("a.wav")), &read(&path("quiet.wav")), 0).unwrap();
    assert!((found.gain - 10f64.powf(-0.3)).abs() < 1e-3, "{found:?}");
    assert!(found.correlation > 0.9999);
}

#[test]
fn comments_survive_an_encoder_and_its_own_does_not() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    transcode(&clip(), &path("a.opus"), "");
    let stream = ogg_opus::read(path("a.opus")).unwrap();
    let comments = ["TITLE=Zürich", "encoder=another"].map(str::to_owned).to_vec();
    let tags = ogg_opus::Tags { comments, ..stream.tags };
    let mut file = ogg_opus::Writer::create(path("tagged.opus"), 1, &stream.head, &tags).unwrap();
    stream.packets.iter().for_each(|packet| file.write(&packet.data).unwrap());
    file.finish(None).unwrap();

    transcode(&path("tagged.opus"), &path("same.opus"), "");
    assert_eq!(ogg_opus::read(path("same.opus")).unwrap().tags, tags);
    transcode(&path("tagged.opus"), &path("other.opus"), "--bitrate 16k");
    let found = ogg_opus::read(path("other.opus")).unwrap().tags.comments;
    assert_eq!(found, [format!("ENCODER=sidetone {}", env!("CARGO_PKG_VERSION")), "TITLE=Zürich".to_owned()]);
}

#[test]
fn wav_files_of_24_bits_and_of_floats_are_read() {
    let folder = scratch();
    let clip = wav::read(clip()).unwrap();
    let wide = |sample: &i16| (i32::from(*sample) << 8).to_le_bytes()[..3].to_vec();
    let float = |sample: &i16| (f32::from(*sample) / 32768.0).to_le_bytes().to_vec();
    let integers: Vec<u8> = clip.samples.iter().flat_map(wide).collect();
    let floats: Vec<u8> = clip.samples.iter().flat_map(float).collect();
    let out = folder.path().join("out.bit");
    transcode(&crate::common::clip(), &out, "");
    let expected = fs::read(&out).unwrap();
    for (tag, bits, data) in [(1u16, 24u16, integers), (3, 32, floats)] {
        let input = folder.path().join("in.wav");
        let align = bits / 8;
        let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
        file.extend([tag.to_le_bytes(), 1u16.to_le_bytes()].concat());
        file.extend([24_000u32.to_le_bytes(), (24_000 * u32::from(align)).to_le_bytes()].concat());
        file.extend([align.to_le_bytes(), bits.to_le_bytes()].concat());
        file.extend([&b"data"[..], &(data.len() as u32).to_le_bytes(), &data].concat());
        fs::write(&input, file).unwrap();
        transcode(&input, &out, "");
        assert_eq!(fs::read(&out).unwrap(), expected, "{bits} bits");
    }
}

#[test]
fn more_than_two_channels_are_mixed_to_one_and_said_so() {
    let folder = scratch();
    let (input, out) = (clip_as(folder.path(), 16_000, 6), folder.path().join("out.wav"));
    let report = transcode(&input, &out, "");
    assert_eq!(read(&out).channels, 1);
    assert_eq!(report["notes"][0], "6 channels were mixed to one");
}

#[test]
fn the_same_input_gives_the_same_file() {
    let folder = scratch();
    let [a, b] = ["a.opus", "b.opus"].map(|name| folder.path().join(name));
    transcode(&clip(), &a, "--seal random --loss 10");
    transcode(&clip(), &b, "--seal random --loss 10");
    assert_eq!(fs::read(a).unwrap(), fs::read(b).unwrap());
}
