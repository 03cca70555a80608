//! What cannot be done is refused in one sentence that names it; nothing is left behind.

use crate::common::{clip, listing, program, run, scratch, transcode};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

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
            "--loss 5 --burst=0",
            "invalid value '0' for '--burst[=<N>]': the mean length of a burst is 1 to 1000 packets",
        ),
        (
            "--loss 5 --burst=-1",
            "invalid value '-1' for '--burst[=<N>]': the mean length of a burst is 1 to 1000 packets",
        ),
        ("--loss -1", "invalid value '-1' for '--loss <PERCENT>': loss is 0 to 100 percent"),
        (
            "--bitrate -5",
            "invalid value '-5' for '--bitrate <BITS>': a bitrate is 500 to 512000 bits/s (24000 or 24k), auto, or max",
        ),
        ("--complexity -1", "invalid value '-1' for '--complexity <0-10>': complexity is 0 to 10"),
        ("--rate -1", "invalid value '-1' for '--rate <HZ>'"),
        (
            "--loss 5 --seed abc",
            "invalid value 'abc' for '--seed <N>': a seed is a whole number, 0 to 18446744073709551615",
        ),
        (
            "--loss 5 --seed -1",
            "invalid value '-1' for '--seed <N>': a seed is a whole number, 0 to 18446744073709551615",
        ),
        ("--burst=3", "the following required arguments were not provided:"),
        ("--vbr --cbr", "the argument '--vbr' cannot be used with '--cbr'"),
        ("--seal 0001020304", "--seal: a key is 32 hex digits (16 bytes), this has 10 characters"),
        ("--seal 000102030405060708090a0b0c0d0e0g", "--seal: a key is 32 hex digits (16 bytes), character 32 is none"),
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
    for (text, source) in [(by_option, "--seal"), (by_environment, "SIDETONE_KEY")] {
        assert!(
            text.starts_with(&format!("error: {source}: a key is 32 hex digits (16 bytes), this has 31 characters"))
        );
        assert!(!text.contains("c0ffee"), "{text}");
    }
}

#[test]
fn a_key_in_the_wrong_place_is_not_repeated() {
    let secret = "c0ffee00c0ffee00c0ffee00c0ffee00";
    for arguments in [
        &["transcode", "in.wav", "out.wav", "--seal", secret, secret][..],
        // Cut short, so that only its place tells.
        &["transcode", "in.wav", "out.wav", "c0ffee"],
        &["transcode", "in.wav", "out.wav", "--bitrate", secret],
        &["transcode", "in.wav", "out.wav", &format!("--vbr={secret}")],
        &["transcode", "in.wav", "out.wav", &format!("--{secret}")],
        &[secret],
        &["inspect", "a.wasm", secret],
        &["conformance", "--rate", secret],
    ] {
        let run = run(arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
        assert!(run.err.contains("(not shown, it could be a key)"), "{arguments:?}: {}", run.err);
        assert!(!run.err.contains("c0ffee"), "{arguments:?}: {}", run.err);
    }
}

#[test]
#[cfg(unix)]
fn a_key_that_is_no_text_is_refused_by_the_name_of_its_variable() {
    use std::os::unix::ffi::OsStrExt;
    let mut command = program();
    command.args(["transcode", "in.wav", "out.wav"]).env("SIDETONE_KEY", OsStr::from_bytes(b"\xff\xfe"));
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text, "error: SIDETONE_KEY: a key is 32 hex digits (16 bytes), this is not even text (UTF-8)\n");
}

#[test]
fn a_burst_does_not_take_the_file_after_it() {
    let folder = scratch();
    fs::copy(clip(), folder.path().join("in.wav")).unwrap();
    let arguments = ["transcode", "--loss", "50", "--burst", "in.wav", "out.wav", "--complexity", "0"];
    let output = program().current_dir(folder.path()).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(listing(folder.path()), ["in.wav", "out.wav"]);
}

#[test]
#[cfg(unix)]
fn names_are_shown_without_their_control_characters() {
    let name = "a\nerror: forged\x1b[2J\u{9b}31m";
    let shown = "a\\nerror: forged\\u{1b}[2J\\u{9b}31m";
    let folder = scratch();
    let path = |ending: &str| folder.path().join(format!("{name}{ending}"));
    transcode(&clip(), &path(".bit"), "");
    fs::write(path(".wasm"), "no component").unwrap();
    let [wav, bit, wasm] = [".wav", ".bit", ".wasm"].map(path);
    for (arguments, code) in [
        (&["transcode".as_ref(), wav.as_os_str(), bit.as_os_str()][..], 1),
        (&["transcode".as_ref(), bit.as_os_str(), wav.as_os_str()], 0),
        (&["transcode".as_ref(), bit.as_os_str(), wasm.as_os_str()], 2),
        (&["transcode".as_ref(), bit.as_os_str(), bit.as_os_str()], 1),
        (&["transcode".as_ref(), bit.as_os_str(), wav.as_os_str(), OsStr::new(&format!("--{name}"))], 2),
        (&["conformance".as_ref(), bit.as_os_str()], 0),
        (&["conformance".as_ref(), wav.as_os_str()], 1),
        (&["conformance".as_ref(), wasm.as_os_str()], 1),
        (&["inspect".as_ref(), wasm.as_os_str()], 1),
    ] {
        let run = run(arguments);
        let said = format!("{}{}", run.out, run.err);
        assert_eq!(run.code, code, "{said}");
        assert!(said.contains(shown), "{said:?}");
        assert!(!said.contains("\nerror: forged") && !said.contains(['\x1b', '\u{9b}']), "{said:?}");
        fs::remove_file(&wav).ok();
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
    #[cfg(unix)]
    std::os::unix::fs::symlink("missing/out.wav", path("link.wav")).unwrap();
    let before = listing(folder.path());
    for (out, code, message) in [
        ("missing/out.wav", 1, "cannot create missing/out.wav: there is no folder missing"),
        ("in.wav/out.wav", 1, "cannot create in.wav/out.wav: not a directory"),
        ("folder.wav", 1, "cannot write folder.wav: it is a folder, not a file; give it the name of a file"),
        #[cfg(unix)]
        ("link.wav", 1, "cannot create link.wav: it is a link into a folder that does not exist"),
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
fn a_pipe_or_a_device_is_no_output() {
    let folder = scratch();
    fs::copy(clip(), folder.path().join("in.wav")).unwrap();
    std::os::unix::fs::symlink("/dev/null", folder.path().join("device.wav")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe.wav")).status().unwrap().success());
    for out in ["device.wav", "pipe.wav"] {
        let (code, line) = refused(folder.path(), &format!("in.wav {out}"));
        let message =
            format!("error: cannot write {out}: it is a pipe or a device, not a file; give it the name of a file");
        assert_eq!((code, line), (1, message));
    }
    assert_eq!(listing(folder.path()), ["device.wav", "in.wav", "pipe.wav"]);
}

/// A limit of the size of files (4 MiB at most) does what a full disk does, in the middle of writing 11 MB.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_and_leaves_what_was_there() {
    let folder = scratch();
    transcode(&clip(), &folder.path().join("in.bit"), "--frame 120");
    let mut packets = fs::read(folder.path().join("in.bit")).unwrap();
    // 465 lost packets of 120 ms.
    packets.resize(packets.len() + 8 * 465, 0);
    fs::write(folder.path().join("in.bit"), packets).unwrap();
    for (out, arguments) in
        [("out.wav", "transcode in.bit out.wav --channels 2"), ("./in.dec", "conformance in.bit --write .")]
    {
        fs::write(folder.path().join(out), "before").unwrap();
        let script = format!("ulimit -f 4096; exec \"$0\" {arguments}");
        let mut shell = Command::new("sh");
        shell.current_dir(folder.path()).args(["-c", &script, env!("CARGO_BIN_EXE_sidetone")]);
        let output = shell.env_remove("SIDETONE_KEY").output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text, format!("error: cannot write {out}: File too large (os error 27)\n"));
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(fs::read(folder.path().join(out)).unwrap(), b"before");
    }
    assert_eq!(listing(folder.path()), ["in.bit", "in.dec", "out.wav"]);
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
