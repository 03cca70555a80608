//! What cannot be done is refused in one sentence that names it; nothing is left behind.

mod common;

use common::{clip, listing, program, run, scratch, transcode};
use std::fs;
use std::path::Path;

/// Runs `sidetone transcode` in a folder and returns exit code and the first line of stderr.
fn refused(folder: &Path, arguments: &str) -> (i32, String) {
    let output = program().current_dir(folder).arg("transcode").args(arguments.split(' ')).output().unwrap();
    assert!(output.stdout.is_empty(), "{arguments}: {}", String::from_utf8_lossy(&output.stdout));
    let text = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap_or(-1), text.lines().next().unwrap_or_default().to_owned())
}

fn cut(from: &Path, to: &Path, bytes: usize) {
    fs::write(to, &fs::read(from).unwrap()[..bytes]).unwrap();
}

#[test]
fn values_out_of_range_are_named_with_what_is_allowed() {
    let folder = scratch();
    fs::copy(clip(), folder.path().join("in.wav")).unwrap();
    for (options, message) in [
        ("--complexity 11", "invalid value '11' for '--complexity <0-10>': complexity is 0 to 10"),
        (
            "--bitrate 100",
            "invalid value '100' for '--bitrate <BITS>': a bitrate is 500 to 512000 bits/s (24000 or 24k), auto, or max",
        ),
        ("--frame 30", "invalid value '30' for '--frame <MS>'"),
        ("--rate 44100", "invalid value '44100' for '--rate <HZ>'"),
        ("--channels 3", "invalid value '3' for '--channels <N>'"),
        ("--application music", "invalid value 'music' for '--application <WHAT>'"),
        (
            "--expected-loss 101",
            "invalid value '101' for '--expected-loss <PERCENT>': expected loss in percent is 0 to 100",
        ),
        ("--loss 101", "invalid value '101' for '--loss <PERCENT>': loss is 0 to 100 percent"),
        (
            "--loss 5 --burst 0",
            "invalid value '0' for '--burst [<N>]': the mean length of a burst is 1 to 1000 packets",
        ),
        ("--burst 3", "the following required arguments were not provided:"),
        ("--vbr --cbr", "the argument '--vbr' cannot be used with '--cbr'"),
        ("--seal 0001020304", "a key is 32 hex digits (16 bytes), this has 10 characters"),
        ("--seal 000102030405060708090a0b0c0d0e0g", "a key is 32 hex digits (16 bytes), character 32 is none"),
    ] {
        let (code, line) = refused(folder.path(), &format!("in.wav out.wav {options}"));
        assert_eq!((code, line.as_str()), (2, format!("error: {message}").as_str()), "{options}");
    }
    assert_eq!(listing(folder.path()), ["in.wav"]);
    let run = run(["transcode", "in.wav", "out.wav", "--frame", "30"]);
    assert!(run.err.contains("[possible values: 2.5, 5, 10, 20, 40, 60, 80, 100, 120]"), "{}", run.err);
}

#[test]
fn a_refused_key_is_not_repeated() {
    let secret = "c0ffee00c0ffee00c0ffee00c0ffee0";
    let folder = scratch();
    fs::copy(clip(), folder.path().join("in.wav")).unwrap();
    let (_, by_option) = refused(folder.path(), &format!("in.wav out.wav --seal {secret}"));
    let mut command = program();
    command.current_dir(folder.path()).args(["transcode", "in.wav", "out.wav"]).env("SIDETONE_KEY", secret);
    let by_environment = String::from_utf8(command.output().unwrap().stderr).unwrap();
    for text in [by_option, by_environment] {
        assert!(text.contains("this has 31 characters") && !text.contains("c0ffee"), "{text}");
    }
}

#[test]
fn broken_and_foreign_files_are_named_with_what_is_wrong() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    transcode(&clip(), &path("good.opus"), "");
    transcode(&clip(), &path("good.bit"), "");
    cut(&clip(), &path("cut.wav"), 30_000);
    cut(&path("good.opus"), &path("cut.opus"), 5_000);
    cut(&path("good.bit"), &path("cut.bit"), 1_000);
    fs::write(path("nothing.wav"), "").unwrap();
    fs::write(path("text.wav"), "hello, this is no sound at all").unwrap();
    fs::write(path("text.bit"), "hello, this is no sound at all").unwrap();
    fs::write(path("song.mp3"), b"ID3\x04\0\0\0\0\0\0\0\0").unwrap();
    fs::write(path("random.bit"), [0, 0, 0, 2, 0, 0, 0, 0, 0xff, 0]).unwrap();
    fs::write(path("lost.bit"), [0; 16]).unwrap();
    let mut empty = fs::read(clip()).unwrap()[..44].to_vec();
    empty[40..].fill(0);
    fs::write(path("empty.wav"), empty).unwrap();
    let before = listing(folder.path());
    for (input, message) in [
        ("missing.wav", "cannot open missing.wav: No such file or directory"),
        ("cut.wav", "cut.wav is cut short: the data chunk at byte 44 needs 197222 bytes and 29956 are there"),
        ("cut.opus", "cut.opus is cut short: the page at byte "),
        ("cut.bit", "cut.bit is cut short: the packet at byte "),
        ("nothing.wav", "nothing.wav holds no audio: it has no bytes"),
        ("empty.wav", "empty.wav holds no audio: its data chunk has no samples"),
        ("text.wav", "text.wav is of no known format: it begins with the bytes 68 65 6c 6c; accepted: WAV (.wav), "),
        ("text.bit", "text.bit is not a usable opus_demo .bit file: the record at byte 0 claims a packet of "),
        ("song.mp3", "song.mp3 is of no known format: it begins like MP3 or AAC; accepted: WAV (.wav), "),
        ("random.bit", "random.bit is no .bit file, or damaged: packet 0: no Opus packet (it states 0 frames)"),
        ("lost.bit", "lost.bit holds no audio: every packet in it was lost"),
    ] {
        for out in ["out.wav", "out.opus", "out.bit"] {
            let (code, line) = refused(folder.path(), &format!("{input} {out}"));
            assert_eq!(code, 1, "{input}: {line}");
            assert!(line.starts_with(&format!("error: {message}")), "{input}: {line}");
        }
    }
    assert_eq!(listing(folder.path()), before);
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_any_work() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    fs::copy(clip(), path("in.wav")).unwrap();
    fs::create_dir(path("folder.wav")).unwrap();
    let before = listing(folder.path());
    for (out, code, message) in [
        ("missing/out.wav", 1, "cannot create missing/out.wav: there is no folder missing"),
        ("in.wav/out.wav", 1, "cannot create in.wav/out.wav: not a directory"),
        ("folder.wav", 1, "cannot create folder.wav: is a directory"),
        ("in.wav", 1, "in.wav would overwrite IN; give OUT another name"),
        ("folder.wav/../in.wav", 1, "folder.wav/../in.wav would overwrite IN; give OUT another name"),
        (
            "out.mp3",
            2,
            "out.mp3 is of no known format: its name ends in .mp3; accepted: WAV (.wav), Ogg Opus (.opus, .ogg), opus_demo (.bit)",
        ),
        (
            "out",
            2,
            "out is of no known format: its name has no ending; accepted: WAV (.wav), Ogg Opus (.opus, .ogg), opus_demo (.bit)",
        ),
    ] {
        let (found, line) = refused(folder.path(), &format!("in.wav {out}"));
        assert_eq!((found, line.as_str()), (code, format!("error: {message}").as_str()));
    }
    assert_eq!(listing(folder.path()), before);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    transcode(&clip(), &path("in.opus"), "");
    fs::copy(clip(), path("in.wav")).unwrap();
    for (arguments, code, message) in [
        ("in.opus out.wav --bitrate 24k", 2, "encoder options do nothing here: Ogg Opus to WAV only decodes"),
        (
            "in.wav out.wav --seal random --bitrate 256k",
            1,
            "a sealed packet holds 1024 bytes, 256000 bits/s in frames of 60 ms need 1920; lower --bitrate or shorten --frame",
        ),
    ] {
        let (found, line) = refused(folder.path(), arguments);
        assert_eq!((found, line.as_str()), (code, format!("error: {message}").as_str()));
    }
    assert_eq!(listing(folder.path()), ["in.opus", "in.wav"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let folder = scratch();
    fs::copy(clip(), folder.path().join("in.wav")).unwrap();
    for out in ["out.wav", "out.opus", "out.bit"] {
        std::os::unix::fs::symlink("/dev/full", folder.path().join(out)).unwrap();
        let (code, line) = refused(folder.path(), &format!("in.wav {out}"));
        assert_eq!(
            (code, line.as_str()),
            (1, format!("error: cannot write {out}: No space left on device (os error 28)").as_str())
        );
    }
    assert_eq!(listing(folder.path()), ["in.wav", "out.bit", "out.opus", "out.wav"]);
}

#[test]
fn damaged_packets_in_a_good_file_are_concealed_and_counted() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    transcode(&clip(), &path("in.bit"), "--frame 20");
    let mut records = sidetone_audio::bit::read(path("in.bit")).unwrap();
    // Two frames of equal size in an odd number of bytes: the right duration, but no packet (RFC 6716 section 3.4, R3).
    records[50].packet = vec![records[50].packet[0] & 0xfc | 1, 0, 0, 0];
    let mut file = sidetone_audio::bit::Writer::create(path("bad.bit")).unwrap();
    records.iter().for_each(|record| file.write(&record.packet, record.final_range).unwrap());
    file.finish().unwrap();
    let report = transcode(&path("bad.bit"), &path("out.wav"), "");
    assert_eq!(report["loss"]["undecodable"], 1, "{report}");
}
