//! Frames of 40 to 120 ms coded frame by frame and joined: on the wire as long as coded whole, in step with a decoder
//! at every packet, across every change of mode.

use crate::common::{Random, encode_all, snr, varied, voice};
use sidetone_opus::packet::{Mode, Packet, Toc};
use sidetone_opus::{Application, Bitrate, Channels, Decoder, Encoder, FrameDuration, SampleRate, Signal, Split};

const LONG: [FrameDuration; 5] =
    [FrameDuration::Ms40, FrameDuration::Ms60, FrameDuration::Ms80, FrameDuration::Ms100, FrameDuration::Ms120];

struct Case {
    rate: SampleRate,
    channels: Channels,
    frame: FrameDuration,
}

impl Case {
    fn all() -> impl Iterator<Item = Self> {
        [SampleRate::Hz24000, SampleRate::Hz48000].into_iter().flat_map(|rate| {
            [Channels::Mono, Channels::Stereo]
                .into_iter()
                .flat_map(move |channels| LONG.into_iter().map(move |frame| Self { rate, channels, frame }))
        })
    }

    fn name(&self) -> String {
        format!("{:?} {:?} {:?}", self.rate, self.channels, self.frame)
    }

    fn encoder(&self, bitrate: u32, split: Split) -> Encoder {
        let mut encoder = Encoder::new(self.rate, self.channels, Application::Audio).unwrap();
        encoder.set_bitrate(Bitrate::BitsPerSecond(bitrate)).unwrap();
        encoder.set_split(split);
        encoder
    }

    fn samples(&self) -> usize {
        self.frame.samples(self.rate) * self.channels.count()
    }

    /// Decodes, and asserts that encoder and decoder agree after every packet. Returns the audio and the modes met.
    fn decode(&self, packets: &[(Vec<u8>, u32)], name: &str) -> (Vec<i16>, Vec<Mode>) {
        let mut decoder = Decoder::new(self.rate, self.channels).unwrap();
        let mut heard = Vec::new();
        let mut modes = Vec::new();
        let mut pcm = vec![0; self.samples()];
        for (index, (packet, range)) in packets.iter().enumerate() {
            let parsed = Packet::parse(packet).unwrap();
            assert_eq!(parsed.duration_micros(), self.frame.micros(), "{name} packet {index}");
            assert_eq!(decoder.decode(packet, &mut pcm), Ok(self.samples()), "{name} packet {index}");
            assert_eq!(decoder.final_range(), *range, "{name} packet {index}: encoder and decoder differ");
            heard.extend_from_slice(&pcm);
            modes.push(parsed.mode());
        }
        (heard, modes)
    }
}

#[test]
fn encoder_and_decoder_agree_after_every_packet_across_all_mode_changes() {
    let mut random = Random(11);
    let (mut changes, mut several, mut seen) = (0, 0, Vec::new());
    for case in Case::all() {
        let pcm = varied(case.rate, case.channels);
        for split in [Split::Auto, Split::Always] {
            let mut encoder = case.encoder(24_000, split);
            let mut packets = Vec::new();
            for frame in pcm.chunks_exact(case.samples()) {
                if random.below(5) == 0 {
                    let bits = [8_000, 16_000, 24_000, 40_000, 96_000][random.below(5)];
                    encoder.set_bitrate(Bitrate::BitsPerSecond(bits)).unwrap();
                    encoder.set_signal([Signal::Auto, Signal::Voice, Signal::Music][random.below(3)]).unwrap();
                }
                packets.extend(encode_all(&mut encoder, case.frame, frame));
            }
            let (heard, modes) = case.decode(&packets, &format!("{} {split:?}", case.name()));
            assert_eq!(heard.len(), pcm.len() / case.samples() * case.samples());
            changes += modes.windows(2).filter(|pair| pair[0] != pair[1]).count();
            several += packets.iter().filter(|(packet, _)| Packet::parse(packet).unwrap().frame_count() > 1).count();
            seen.extend(modes);
        }
    }
    for mode in [Mode::Silk, Mode::Hybrid, Mode::Celt] {
        assert!(seen.contains(&mode), "{mode:?} never came up");
    }
    assert!(changes > 100, "{changes} changes of mode");
    assert!(several > 1000, "{several} packets of several frames");
}

/// Frames that cannot be joined are coded again as one. Up to the first such packet the encoder does what an encoder of
/// 20 ms frames does, which tells where that is; from there on it must do what one does that never tried to split it.
#[test]
fn starting_over_leaves_no_trace_in_the_stream() {
    let mut started_over = 0;
    for (case, bitrate) in Case::all().zip([16_000, 24_000, 32_000].into_iter().cycle()) {
        let pcm = varied(case.rate, case.channels);
        let frames = case.frame.micros() as usize / 20_000;
        let name = format!("{} {bitrate}", case.name());
        let short = encode_all(&mut case.encoder(bitrate, Split::Never), FrameDuration::Ms20, &pcm);
        let joinable = |group: &[(Vec<u8>, u32)]| {
            group.iter().all(|(packet, _)| Toc(packet[0]).is_joinable_with(Toc(group[0].0[0])))
        };
        let Some(at) = short.chunks_exact(frames).position(|group| !joinable(group)) else { continue };
        let packets = encode_all(&mut case.encoder(bitrate, Split::Always), case.frame, &pcm);
        for (index, group) in short.chunks_exact(frames).take(at).enumerate() {
            assert_eq!(packets[index].1, group[frames - 1].1, "{name} packet {index}");
        }
        let mut twin = case.encoder(bitrate, Split::Always);
        for (index, frame) in pcm.chunks_exact(case.samples()).enumerate() {
            twin.set_split(if index == at { Split::Never } else { Split::Always });
            assert_eq!(encode_all(&mut twin, case.frame, frame)[0], packets[index], "{name} packet {index} of {at}");
        }
        case.decode(&packets, &name);
        started_over += 1;
    }
    assert!(started_over >= 15, "{started_over} streams started over");
}

#[test]
fn split_frames_sound_no_worse_than_whole_ones() {
    let case = Case { rate: SampleRate::Hz24000, channels: Channels::Mono, frame: FrameDuration::Ms60 };
    let pcm = voice(case.rate, case.channels, 6.0);
    let quality = |split| {
        let mut encoder = case.encoder(32_000, split);
        let lag = encoder.lookahead();
        let (heard, modes) = case.decode(&encode_all(&mut encoder, case.frame, &pcm), "");
        assert!(modes.contains(&Mode::Hybrid));
        snr(&pcm[..heard.len() - lag], &heard[lag..])
    };
    let (whole, split) = (quality(Split::Never), quality(Split::Auto));
    assert!(split > whole - 0.5, "SNR split {split:.1} dB, whole {whole:.1} dB");
}

#[test]
fn never_is_one_call_of_libopus_and_short_frames_are_never_split() {
    let encode = |split, frame| {
        let mut encoder = Encoder::new(SampleRate::Hz48000, Channels::Mono, Application::Audio).unwrap();
        encoder.set_bitrate(Bitrate::BitsPerSecond(64_000)).unwrap();
        encoder.set_signal(Signal::Music).unwrap();
        encoder.set_split(split);
        encode_all(&mut encoder, frame, &varied(SampleRate::Hz48000, Channels::Mono))
    };
    for frame in [FrameDuration::Ms2_5, FrameDuration::Ms5, FrameDuration::Ms10, FrameDuration::Ms20] {
        assert_eq!(encode(Split::Always, frame), encode(Split::Never, frame), "{frame:?}");
    }
    assert_ne!(encode(Split::Always, FrameDuration::Ms60), encode(Split::Never, FrameDuration::Ms60));
}

#[test]
fn auto_codes_hybrid_frame_by_frame_and_the_rest_whole() {
    let encode_for = |application, rate, bitrate, split| {
        let mut encoder = Encoder::new(rate, Channels::Mono, application).unwrap();
        encoder.set_bitrate(Bitrate::BitsPerSecond(bitrate)).unwrap();
        encoder.set_signal(Signal::Voice).unwrap();
        encoder.set_split(split);
        encode_all(&mut encoder, FrameDuration::Ms60, &voice(rate, Channels::Mono, 3.0))
    };
    let encode = |rate, bitrate, split| encode_for(Application::Voip, rate, bitrate, split);
    let celt = |split| encode_for(Application::LowDelay, SampleRate::Hz24000, 24_000, split);
    assert_eq!(celt(Split::Auto), celt(Split::Never));
    assert_ne!(celt(Split::Auto), celt(Split::Always));

    let silk = encode(SampleRate::Hz16000, 16_000, Split::Auto);
    assert!(silk.iter().all(|(packet, _)| Packet::parse(packet).unwrap().frame_count() == 1));
    assert_eq!(silk, encode(SampleRate::Hz16000, 16_000, Split::Never));

    let hybrid = encode(SampleRate::Hz24000, 24_000, Split::Auto);
    let hybrid_whole = encode(SampleRate::Hz24000, 24_000, Split::Never);
    assert_eq!(hybrid[0], hybrid_whole[0], "the mode of the first packet is not known before it is coded");
    assert_ne!(hybrid[1..], hybrid_whole[1..]);
    assert!(hybrid.iter().all(|(packet, _)| Packet::parse(packet).unwrap().frame_count() == 3));
}
