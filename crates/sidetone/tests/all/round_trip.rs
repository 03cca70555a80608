//! WAV to WAV: what comes out is the speech that went in, aligned with it and as long, sealed or not.

use crate::common::{clip, clip_as, number, program, read, run, scratch, transcode};
use sidetone_audio::measure::{align, compare};

const KEY: &str = "000102030405060708090a0b0c0d0e0f";

#[test]
fn sealed_speech_comes_out_as_the_same_speech() {
    let folder = scratch();
    let out = folder.path().join("out.wav");
    let report = transcode(&clip(), &out, &format!("--seal {KEY} --application audio --bitrate 64k"));
    let (before, after) = (read(&clip()), read(&out));
    assert_eq!((after.rate, after.channels), (before.rate, before.channels));
    assert_eq!(after.samples.len(), before.samples.len());
    assert_eq!(align(&before.samples, &after.samples, 2000).shift, 0);

    let found = compare(&before, &after, 0).unwrap();
    assert!(found.snr_db > 18.0 && found.correlation > 0.99, "{found:?}");
    assert!((number(&report, "/likeness/snr_db") - found.snr_db).abs() < 0.01, "{report}");
    assert_eq!(report["steps"], serde_json::json!(["encode", "seal", "open", "decode"]));
    assert_eq!(report["sealed"]["encoded_in_session"], true);
    // A header of 16 bytes is all that sealing adds.
    assert_eq!(number(&report, "/sealed/bytes"), number(&report, "/bytes") + 16.0 * number(&report, "/frames"));
    assert_eq!(number(&report, "/loss/lost"), 0.0);
}

#[test]
fn sealing_does_not_change_what_is_heard() {
    let folder = scratch();
    for (name, options) in [
        ("full", "--frame 20"),
        ("medium", "--complexity 5 --bitrate 24k --bandwidth swb"),
        ("no-step-of-a-session", "--complexity 3 --bandwidth mb --cbr --bitrate 14k"),
    ] {
        let [plain, sealed] = ["plain", "sealed"].map(|kind| folder.path().join(format!("{name}-{kind}.wav")));
        transcode(&clip(), &plain, options);
        let report = transcode(&clip(), &sealed, &format!("{options} --seal random"));
        let in_session = name != "no-step-of-a-session";
        assert_eq!(report["sealed"]["encoded_in_session"], in_session);
        let (plain, sealed) = (read(&plain), read(&sealed));
        if in_session {
            // The encoder of a session has less room for a packet, and now and then decides otherwise for that.
            let found = compare(&plain, &sealed, 0).unwrap();
            assert!(found.snr_db > 20.0, "{name}: {found:?}");
        } else {
            assert!(plain == sealed, "{name}: the same packets sound differently");
        }
    }
}

#[test]
fn every_rate_and_frame_comes_back_aligned_and_to_the_sample() {
    let folder = scratch();
    for (rate, channels, options) in [
        (8_000, 1, "--frame 2.5 --application lowdelay"),
        (11_025, 1, "--frame 5"),
        (12_000, 2, "--frame 10"),
        (16_000, 1, "--frame 20"),
        (22_050, 2, "--frame 40 --seal random"),
        (24_000, 1, "--frame 80"),
        (44_100, 2, "--frame 100"),
        (48_000, 1, "--frame 120 --seal random"),
        (96_000, 1, "--frame 60"),
    ] {
        let input = clip_as(folder.path(), rate, channels);
        let out = folder.path().join("out.wav");
        transcode(&input, &out, &format!("{options} --bitrate 48k --complexity 1"));
        let (before, after) = (read(&input), read(&out));
        assert_eq!(
            (after.rate, after.channels, after.samples.len()),
            (rate, channels, before.samples.len()),
            "{rate} Hz"
        );
        let found = compare(&before, &after, rate as usize / 20).unwrap();
        // The codec's own filters bend the phase by a fraction of a millisecond.
        assert!(found.shift.unsigned_abs() <= rate as usize / 4000, "{rate} Hz: {found:?}");
        assert!(found.correlation > 0.8, "{rate} Hz: {found:?}");
    }
}

#[test]
fn a_rate_that_is_asked_for_is_that_of_the_output() {
    let folder = scratch();
    let out = folder.path().join("out.wav");
    let report = transcode(&clip(), &out, "--rate 16000 --channels 2");
    let after = read(&out);
    assert_eq!((after.rate, after.channels), (16_000, 2));
    assert_eq!(after.samples_per_channel(), (98_611.0f64 * 16.0 / 24.0).round() as usize);
    assert_eq!(report["notes"][0], "resampled from 24000 to 16000 Hz for the codec");
}

#[test]
fn the_key_comes_from_the_environment_and_shows_nowhere() {
    let folder = scratch();
    let out = folder.path().join("out.wav");
    let mut command = program();
    command.arg("transcode").arg(clip()).arg(&out).env("SIDETONE_KEY", KEY);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("encode, seal, open, decode"), "{text}");
    assert!(!text.contains(KEY));

    let help = program().args(["transcode", "--help"]).env("SIDETONE_KEY", KEY).output().unwrap();
    assert!(!String::from_utf8(help.stdout).unwrap().contains(KEY));
}

#[test]
fn the_report_for_people_says_what_was_measured() {
    let folder = scratch();
    let out = folder.path().join("out.wav");
    let run = run(["transcode".as_ref(), clip().as_os_str(), out.as_os_str(), "--seal".as_ref(), "random".as_ref()]);
    assert_eq!(run.code, 0);
    for part in ["4.109 s, 69 frames of 60 ms", "kbit/s", "p50", "p99", "SNR", "correlation", "times real time"] {
        assert!(run.out.contains(part), "no {part:?} in\n{}", run.out);
    }
    assert!(run.out.contains(&sidetone_artifact::COMPONENT_SHA256[..12]));
}
