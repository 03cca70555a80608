//! `sidetone batch` in one process: what it makes, what it leaves alone, and what it says.

use crate::common::{clip, listing, program, run, scratch, transcode};
use serde_json::Value;
use sidetone_audio::{Pcm, wav};
use sidetone_batch::capture;
use sidetone_packet::{Direction, HEADER_LEN, Header, KeySchedule, Opener, OpenerConfig, Sealer, open_with};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

/// `sidetone batch ARGUMENTS --json` in a folder: exit code, report, stderr.
fn batch(folder: &Path, arguments: &str) -> (i32, Value, String) {
    let output = program().current_dir(folder).arg("batch").args(arguments.split(' ')).arg("--json").output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().unwrap_or(-1), report, err)
}

/// So many recordings that differ, in `in/`.
fn recordings(folder: &Path, count: usize) {
    fs::create_dir_all(folder.join("in")).unwrap();
    let Pcm { rate, channels, mut samples } = wav::read(clip()).unwrap();
    for index in 0..count {
        samples.rotate_left(4_801);
        let pcm = Pcm::new(rate, channels, samples.clone()).unwrap();
        wav::write(folder.join(format!("in/{index}.wav")), &pcm).unwrap();
    }
}

#[test]
fn a_batch_makes_what_transcode_makes_byte_by_byte() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    recordings(folder.path(), 2);
    for (to, options) in [
        ("opus", "--bitrate 24k --frame 20 --complexity 5"),
        ("bit", "--cbr --complexity 0"),
        ("wav", "--complexity 0"),
    ] {
        let (code, report, err) = batch(folder.path(), &format!("transcode in --to {to} --out {to} {options}"));
        assert_eq!((code, report["done"].as_u64()), (0, Some(2)), "{err}");
        for output in report["outputs"].as_array().unwrap() {
            let (input, made) = (path(output["input"].as_str().unwrap()), path(output["output"].as_str().unwrap()));
            let alone = path("alone").with_extension(to);
            transcode(&input, &alone, options);
            assert_eq!(fs::read(&made).unwrap(), fs::read(&alone).unwrap(), "{to}");
        }
    }
    // And on from there: packets to other packets, to packets as they are, and to audio.
    for (to, options) in [("opus", "--bitrate 16k --complexity 0"), ("ogg", ""), ("wav", "--rate 16000")] {
        let arguments = format!("transcode bit --to {to} --out again-{to} {options}");
        let (code, report, err) = batch(folder.path(), arguments.trim_end());
        assert_eq!((code, report["done"].as_u64()), (0, Some(2)), "{err}");
        let output = &report["outputs"][0];
        let alone = path("alone").with_extension(to);
        transcode(&path(output["input"].as_str().unwrap()), &alone, options);
        assert_eq!(fs::read(path(output["output"].as_str().unwrap())).unwrap(), fs::read(&alone).unwrap(), "{to}");
    }
}

#[test]
fn what_is_there_is_not_made_again() {
    let folder = scratch();
    recordings(folder.path(), 3);
    let arguments = "transcode in --to opus --complexity 0 --out out";
    let (code, report, _) = batch(folder.path(), arguments);
    assert_eq!((code, report["done"].as_u64(), report["present"].as_u64()), (0, Some(3), Some(0)));
    let made = listing(&folder.path().join("out"));
    assert_eq!(made.len(), 3);
    fs::remove_file(folder.path().join("out").join(&made[1])).unwrap();
    let (code, report, _) = batch(folder.path(), arguments);
    assert_eq!((code, report["done"].as_u64(), report["present"].as_u64()), (0, Some(1), Some(2)));
    assert_eq!(listing(&folder.path().join("out")), made);
    let (code, report, _) = batch(folder.path(), arguments);
    assert_eq!((code, report["done"].as_u64(), report["present"].as_u64()), (0, Some(0), Some(3)));
}

#[test]
fn a_dry_run_names_everything_and_does_nothing() {
    let folder = scratch();
    recordings(folder.path(), 2);
    let run = |more: &str| {
        let arguments = format!("batch transcode in --to opus --complexity 0 --out out{more}");
        let output = program().current_dir(folder.path()).args(arguments.split(' ')).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = run(" --dry-run");
    assert_eq!(listing(folder.path()), ["in"], "not even the folder was made");
    assert!(
        text.contains("transcode in/0.wav -> out/0.")
            && text.ends_with("2 jobs to do, 0 files there already; nothing was done\n"),
        "{text}"
    );
    let report: Value = serde_json::from_str(&run(" --dry-run --json")).unwrap();
    run("");
    let made: Vec<_> = listing(&folder.path().join("out")).into_iter().map(|name| format!("out/{name}")).collect();
    let named: Vec<_> = report["jobs"].as_array().unwrap().iter().map(|job| job["output"].as_str().unwrap()).collect();
    assert_eq!(named, made);
    assert!(run(" --dry-run").ends_with("0 jobs to do, 2 files there already; nothing was done\n"));
}

#[test]
fn what_cannot_be_made_is_a_dead_letter_and_the_rest_is_made() {
    let folder = scratch();
    recordings(folder.path(), 1);
    fs::write(folder.path().join("in/garbage.opus"), "this is no Ogg").unwrap();
    fs::write(folder.path().join("in/empty.wav"), "").unwrap();
    let (code, report, err) = batch(folder.path(), "transcode in --to opus --complexity 0 --out out");
    assert_eq!((code, report["done"].as_u64()), (1, Some(1)));
    let mut dead: Vec<_> = report["dead"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dead| (dead["input"].as_str().unwrap().to_owned(), dead["reason"].as_str().unwrap().to_owned()))
        .collect();
    dead.sort();
    assert!(dead[0].1.contains("empty.wav holds no audio: it has no bytes"), "{dead:?}");
    assert!(dead[1].1.contains("garbage.opus is of no known format: it begins with the bytes 74 68 69 73"), "{dead:?}");
    assert_eq!((dead.len(), &*dead[0].0, &*dead[1].0), (2, "in/empty.wav", "in/garbage.opus"));
    assert!(err.contains("warning: in/garbage.opus: "), "{err}");
    assert_eq!(listing(&folder.path().join("out")).len(), 1, "nothing half-made");
}

#[test]
fn what_cannot_be_begun_is_refused_in_one_sentence() {
    let folder = scratch();
    recordings(folder.path(), 1);
    fs::create_dir(folder.path().join("nothing")).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for (arguments, code, message) in [
        ("transcode in --to mp3 --out out", 2, "invalid value 'mp3' for '--to <ENDING>'"),
        ("transcode missing --to opus --out out", 1, "cannot read missing: No such file or directory"),
        (
            "transcode nothing --to opus --out out",
            1,
            "the folder nothing has no file that ends in .wav, .opus, .ogg, .bit",
        ),
        ("transcode in --to opus --out file", 1, "cannot make the folder file: File exists"),
        ("transcode in --to opus --out out --objects", 2, "the following required arguments were not provided:"),
        (
            "transcode in --to opus --out out --nats nats://me:hunter2@h",
            1,
            "the address of NATS holds a user or token; put it into a file",
        ),
        (
            "transcode in --to opus --out out --nats h --tenant a:frames=1",
            2,
            "quotas are with the workers: sidetone worker --tenant a:…",
        ),
        (
            "transcode in --to opus --out out --tenant a:speed=1",
            2,
            "invalid value 'a:speed=1' for '--tenant <NAME>': \"speed\" is no quota",
        ),
        ("transcode in --to opus --out out --nats 127.0.0.1:9 --root nothing", 1, "out is not below "),
        ("transcode in --to opus --out out --nats 127.0.0.1:9", 1, "cannot reach NATS at nats://127.0.0.1:9: "),
        (
            "reseal in --keys nothing --from-key a --to-key b --out out",
            1,
            "the folder in has no file that ends in .sealed",
        ),
    ] {
        let (found, _, err) = batch(folder.path(), arguments);
        assert_eq!(found, code, "{arguments}: {err}");
        assert!(err.starts_with(&format!("error: {message}")), "{arguments}: {err}");
        assert!(!err.contains("hunter2") && err.lines().count() <= if code == 2 { 12 } else { 1 }, "{err}");
        assert_eq!(listing(folder.path()), ["file", "in", "nothing"], "{arguments}");
    }
    let worker = run(["worker"]);
    assert_eq!(worker.code, 1);
    assert!(
        worker.err.starts_with("error: a worker takes its jobs from NATS: --nats nats://HOST:4222;"),
        "{}",
        worker.err
    );
}

#[test]
fn a_tenant_gets_no_more_than_its_quota() {
    let folder = scratch();
    recordings(folder.path(), 1);
    // 69 frames: a second's worth at once, and 19 more at 50 a second.
    let begun = std::time::Instant::now();
    let (code, report, err) =
        batch(folder.path(), "transcode in --to opus --complexity 0 --out out --tenant toys:frames=50,sessions=1");
    assert_eq!((code, report["done"].as_u64()), (0, Some(1)), "{err}");
    assert!(begun.elapsed().as_secs_f64() > 0.38, "{:?}", begun.elapsed());
    let (code, report, _) = batch(folder.path(), "transcode in --to opus --out out2 --tenant toys:memory=64K");
    assert_eq!(code, 1);
    assert!(report["dead"][0]["reason"].as_str().unwrap().contains("memory"), "{report}");
}

#[test]
fn loudness_is_a_line_for_each_file_in_order() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    recordings(folder.path(), 1);
    let quiet = wav::read(path("in/0.wav")).unwrap();
    let halved = Pcm { samples: quiet.samples.iter().map(|sample| sample / 2).collect(), ..quiet };
    wav::write(path("in/1.wav"), &halved).unwrap();
    wav::write(path("in/2.wav"), &Pcm::new(16_000, 1, vec![0; 32_000]).unwrap()).unwrap();
    transcode(&path("in/0.wav"), &path("in/3.opus"), "--bitrate 64k");
    let (code, report, err) = batch(folder.path(), "loudness in --out out");
    assert_eq!((code, report["done"].as_u64()), (0, Some(4)), "{err}");
    let joined = listing(&path("out")).into_iter().find(|name| name.ends_with(".jsonl")).unwrap();
    let text = fs::read_to_string(path("out").join(joined)).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let files: Vec<_> = lines.iter().map(|line| line["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["in/0.wav", "in/1.wav", "in/2.wav", "in/3.opus"]);
    let lufs = |line: usize| lines[line]["integrated_lufs"].as_f64().unwrap();
    assert!((lufs(0) - lufs(1) - 6.02).abs() < 0.05, "half the amplitude: {} and {}", lufs(0), lufs(1));
    assert!((lufs(0) - lufs(3)).abs() < 0.5, "coded: {} and {}", lufs(0), lufs(3));
    assert_eq!(
        (lines[2]["integrated_lufs"].clone(), &lines[2]["silence_share"], &lines[2]["longest_silence_seconds"]),
        (Value::Null, &1.0.into(), &2.0.into())
    );
}

/// An archive of sealed payloads, as a device sends them: uplink, timestamps 0.
fn archive(path: &Path, key: &[u8; 16], payloads: &[Vec<u8>]) {
    let mut sealer = Sealer::new(key, 0xabcd, Direction::Uplink);
    let mut writer = capture::Writer::create(path).unwrap();
    for payload in payloads {
        let mut datagram = vec![0; HEADER_LEN + payload.len()];
        sealer.seal(0, payload, &mut datagram).unwrap();
        writer.write(&datagram).unwrap();
    }
    writer.finish().unwrap();
}

fn headers_and_payloads(path: &Path, key: &[u8; 16]) -> Vec<(Header, Vec<u8>)> {
    let (schedule, mut reader) = (KeySchedule::new(key), capture::Reader::open(path).unwrap());
    let mut all = Vec::new();
    while let Some((_, datagram)) = reader.read().unwrap() {
        let mut payload = vec![0; datagram.len() - HEADER_LEN];
        all.push((open_with(&schedule, &datagram, &mut payload).unwrap(), payload));
    }
    all
}

#[test]
fn an_archive_is_sealed_anew_without_a_shared_nonce() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    transcode(&clip(), &path("clip.bit"), "");
    let payloads: Vec<_> =
        sidetone_audio::bit::Reader::open(path("clip.bit")).unwrap().map(|r| r.unwrap().packet).collect();
    let (old, new) = ([0x11; 16], [0x22; 16]);
    fs::create_dir(path("keys")).unwrap();
    fs::write(path("keys/call.old.key"), "11".repeat(16)).unwrap();
    fs::write(path("keys/call.new.key"), format!("{}\n", "22".repeat(16))).unwrap();
    fs::write(path("keys/wrong.key"), "33".repeat(16)).unwrap();
    fs::create_dir(path("in")).unwrap();
    archive(&path("in/call.sealed"), &old, &payloads);
    let reseal = |from: &str, to: &str, out: &str| {
        batch(folder.path(), &format!("reseal in --keys keys --from-key {from} --to-key {to} --out {out}"))
    };
    let (code, report, err) = reseal("{}.old", "{}.new", "out");
    assert_eq!((code, report["done"].as_u64()), (0, Some(1)), "{err}");
    let made = path("out").join(&listing(&path("out"))[0]);
    let sealed = headers_and_payloads(&made, &new);
    assert!(sealed.iter().map(|(_, payload)| payload).eq(&payloads));
    let stamps: Vec<_> = sealed.iter().map(|(header, _)| (header.sequence, header.timestamp)).collect();
    let expected: Vec<_> = (1..=payloads.len() as u32).map(|sequence| (sequence, sequence - 1)).collect();
    assert_eq!(stamps, expected, "sequence numbers stay, timestamps rise");
    let mut opener = Opener::new(&new, 0xabcd, Direction::Uplink, OpenerConfig::default());
    let mut reader = capture::Reader::open(&made).unwrap();
    while let Some((_, datagram)) = reader.read().unwrap() {
        let candidate = opener.open(&datagram, &mut [0; 1024]).unwrap();
        assert!(!opener.accept(candidate).unwrap().keystream_overlap);
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    for (from, to, reason) in [
        ("wrong", "call.new", "the key wrong does not open "),
        ("call.old", "call.old", "the old key and the new one are the same; make a new one"),
    ] {
        let (code, report, err) = reseal(from, to, "bad");
        assert_eq!(code, 1, "{err}");
        assert!(report["dead"][0]["reason"].as_str().unwrap().starts_with(reason), "{report}");
        assert_eq!(listing(&path("bad")), [""; 0], "nothing is left of it");
    }
    let output = program()
        .current_dir(folder.path())
        .args("batch reseal in --keys keys --from-key none --to-key call.new --out bad".split(' '))
        .output()
        .unwrap();
    assert!(text(output.stderr).starts_with("error: cannot read the key keys/none.key: No such file or directory"));
}

#[test]
#[cfg(unix)]
fn an_interrupted_batch_leaves_whole_files_and_goes_on_later() {
    let folder = scratch();
    recordings(folder.path(), 30);
    let arguments = "batch transcode in --to opus --out out --jobs 1 --json";
    let child = program()
        .current_dir(folder.path())
        .args(arguments.split(' '))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let whole = || {
        fs::read_dir(folder.path().join("out")).map_or(0, |found| {
            found.filter(|entry| entry.as_ref().unwrap().path().extension() == Some(OsStr::new("opus"))).count()
        })
    };
    while whole() < 3 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let done = report["done"].as_u64().unwrap();
    assert_eq!((report["end"].as_str(), report["missing"].as_u64()), (Some("stopped"), Some(30 - done)));
    let left = listing(&folder.path().join("out"));
    assert!(left.iter().all(|name| name.ends_with(".opus")), "{left:?}");
    let there = left.len() as u64;
    let (code, report, _) = batch(folder.path(), "transcode in --to opus --out out");
    assert_eq!((code, report["present"].as_u64(), report["done"].as_u64()), (0, Some(there), Some(30 - there)));
}

#[test]
#[cfg(unix)]
fn a_killed_batch_leaves_nothing_that_the_next_one_does_not_clear() {
    let folder = scratch();
    recordings(folder.path(), 8);
    let arguments = "batch transcode in --to opus --out out --jobs 2";
    let mut child = program()
        .current_dir(folder.path())
        .args(arguments.split(' '))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let out = folder.path().join("out");
    while !out.is_dir() || !listing(&out).iter().any(|name| name.ends_with(".part")) {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let (code, _, err) = batch(folder.path(), "transcode in --to opus --out out");
    assert_eq!(code, 0, "{err}");
    let made = listing(&out);
    assert!(made.len() == 8 && made.iter().all(|name| name.ends_with(".opus")), "{made:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named_and_leaves_nothing() {
    let folder = scratch();
    recordings(folder.path(), 2);
    fs::create_dir(folder.path().join("small")).unwrap();
    let small = folder.path().join("small");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=32k", "tmpfs"]).arg(&small).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no tmpfs can be mounted here (it takes root)");
        return;
    }
    let (code, report, err) =
        batch(folder.path(), "transcode in --to opus --bitrate 128k --complexity 0 --out small/out --jobs 1");
    let left = listing(&small.join("out"));
    assert!(Command::new("umount").arg(&small).status().unwrap().success());
    assert_eq!(code, 1, "{err}");
    let reason = report["dead"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("No space left on device") && reason.contains("make room there"), "{reason}");
    assert!(left.is_empty(), "{left:?}");
}
