//! Files exchanged with opus-tools, the reference programs for Ogg Opus. Skipped, saying so, where they are not
//! installed.

use crate::common::{scratch, sine};
use sidetone_audio::ogg_opus::{self, Stream, Writer};
use sidetone_audio::{Pcm, wav};
use std::path::Path;
use std::process::{Command, Output};

fn installed() -> bool {
    let all = ["opusenc", "opusdec", "opusinfo"]
        .iter()
        // opusinfo knows no --version, and says so: what counts is that it starts.
        .all(|tool| Command::new(tool).arg("--version").output().is_ok());
    if !all {
        eprintln!("skipped: opusenc, opusdec and opusinfo (opus-tools) are not installed");
    }
    all
}

fn run(tool: &str, arguments: &[&Path], options: &[&str]) -> Output {
    let output = Command::new(tool).args(options).args(arguments).output().expect("the tool starts");
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// What opusenc makes of a tone.
fn encoded(folder: &Path, rate: u32, channels: u8, samples: usize, options: &[&str]) -> Stream {
    let (clip, file) = (folder.join("clip.wav"), folder.join("theirs.opus"));
    let tone = Pcm::new(rate, 1, sine(rate, 440.0, samples)).unwrap().into_channels(channels).unwrap();
    wav::write(&clip, &tone).unwrap();
    run("opusenc", &[&clip, &file], &[&["--quiet"], options].concat());
    ogg_opus::read(&file).unwrap()
}

#[test]
fn files_of_opusenc_are_read_to_the_sample() {
    if !installed() {
        return;
    }
    let (folder, _) = scratch("");
    for (rate, channels, samples, frame) in
        [(16_000u32, 1u8, 27_201, "20"), (48_000, 2, 100_001, "60"), (44_100, 1, 44_100, "2.5"), (8_000, 2, 8, "10")]
    {
        let stream = encoded(folder.path(), rate, channels, samples, &["--framesize", frame]);
        assert_eq!((stream.head.channels, stream.head.input_rate), (channels, rate));
        let duration = (frame.parse::<f64>().unwrap() * 48.0) as u32;
        assert!(stream.packets.iter().all(|packet| packet.duration == duration), "{frame} ms");
        assert_eq!(stream.samples, (samples as f64 * 48_000.0 / f64::from(rate)).round() as u64);
        assert!(stream.tags.vendor.starts_with("libopus"), "{}", stream.tags.vendor);
    }
}

#[test]
fn surround_of_opusenc_is_refused_by_name() {
    if !installed() {
        return;
    }
    let (folder, clip) = scratch("clip.wav");
    let file = folder.path().join("theirs.opus");
    wav::write(&clip, &Pcm::new(48_000, 6, vec![0; 48_000]).unwrap()).unwrap();
    run("opusenc", &[&clip, &file], &["--quiet"]);
    let error = ogg_opus::read(&file).unwrap_err().to_string();
    assert!(error.contains("it has 6 channels in mapping family 1"), "{error}");
}

#[test]
fn our_files_pass_opusinfo_and_decode_to_the_same_audio() {
    if !installed() {
        return;
    }
    let (folder, ours) = scratch("ours.opus");
    for (rate, channels, samples, options) in [
        (16_000, 1, 27_201, &["--bitrate", "24", "--framesize", "60"][..]),
        (48_000, 2, 150_000, &["--bitrate", "510", "--hard-cbr", "--framesize", "20"]),
        (48_000, 1, 60_000, &["--framesize", "2.5"]),
        (24_000, 1, 10, &["--framesize", "20"]),
    ] {
        let stream = encoded(folder.path(), rate, channels, samples, options);
        let mut writer = Writer::create(&ours, 42, &stream.head, &stream.tags).unwrap();
        for packet in &stream.packets {
            writer.write(&packet.data).unwrap();
        }
        writer.finish(Some(stream.samples)).unwrap();
        assert_eq!(ogg_opus::read(&ours).unwrap(), stream);

        let info = run("opusinfo", &[&ours], &[]);
        let said = format!("{}{}", String::from_utf8_lossy(&info.stdout), String::from_utf8_lossy(&info.stderr));
        assert!(said.contains("Logical stream 1 ended"), "{said}");
        let lower = said.to_lowercase();
        assert!(!lower.contains("warning") && !lower.contains("error"), "{said}");

        let (from_theirs, from_ours) = (folder.path().join("theirs.wav"), folder.path().join("ours.wav"));
        let fixed = ["--quiet", "--no-dither", "--rate", "48000"];
        run("opusdec", &[&folder.path().join("theirs.opus"), &from_theirs], &fixed);
        run("opusdec", &[&ours, &from_ours], &fixed);
        let decoded = wav::read(&from_ours).unwrap();
        assert_eq!(decoded.samples_per_channel() as u64, stream.samples);
        assert!(decoded == wav::read(&from_theirs).unwrap(), "{options:?}");
    }
}
