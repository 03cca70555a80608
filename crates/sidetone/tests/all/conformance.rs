//! `sidetone conformance` on the official bitstreams, where they are present, and on damaged ones.

use crate::common::{clip, listing, number, run, scratch, transcode};
use serde_json::Value;
use sha1::{Digest, Sha1};
use sidetone_audio::bit;
use sidetone_testbed::corpus;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

/// Exit code and report.
fn conformance(paths: &[&Path], options: &[&OsStr]) -> (i32, Value) {
    let paths = paths.iter().map(|path| path.as_os_str());
    let run =
        run([OsStr::new("conformance"), OsStr::new("--json")].into_iter().chain(paths).chain(options.iter().copied()));
    (run.code, serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}{}", run.out, run.err)))
}

fn write(path: &Path, records: &[bit::Record]) {
    let mut file = bit::Writer::create(path).unwrap();
    records.iter().for_each(|record| file.write(&record.packet, record.final_range).unwrap());
    file.finish().unwrap();
}

#[test]
fn every_final_range_of_the_official_vectors_is_reproduced() {
    let Some(vectors) = corpus::folder("opus", "final ranges of the official bitstreams") else { return };
    let folder = scratch();
    let (code, report) = conformance(&[&vectors], &["--write".as_ref(), folder.path().as_ref()]);
    assert_eq!((code, &report["passed"]), (0, &Value::Bool(true)), "{report}");
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), listing(&vectors).iter().filter(|name| name.ends_with(".bit")).count());
    for file in files {
        assert!(number(file, "/packets") > 100.0);
        assert_eq!(file["compared"], file["packets"], "{file}");
        assert_eq!(file["matched"], file["packets"], "{file}");
    }
    // libopus is byte-exact with the decoded vectors of the RFC on these (the others differ by a bit here and there).
    for (name, sha1) in [
        ("testvector02.dec", "48ac1ff1995250a756e1e17bd32acefa8cd2b820"),
        ("testvector03.dec", "d15567e919db2d0e818727092c0af8dd9df23c95"),
        ("testvector04.dec", "1249dd28f5bd1e39a66fd6d99449dca7a8316342"),
    ] {
        let found: String = Sha1::digest(fs::read(folder.path().join(name)).unwrap())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(found, sha1, "{name}");
    }
}

#[test]
fn a_corrupted_vector_fails_and_the_packet_is_named() {
    let Some(vectors) = corpus::folder("opus", "a damaged official bitstream") else { return };
    let folder = scratch();
    let (whole, damaged) = (vectors.join("testvector02.bit"), folder.path().join("damaged.bit"));
    let mut records = bit::read(&whole).unwrap();
    let middle = records[500].packet.len() / 2;
    records[500].packet[middle] ^= 0x55;
    write(&damaged, &records);
    let (code, report) = conformance(&[&whole, &damaged], &[]);
    assert_eq!(code, 1);
    assert_eq!(report["files"][0]["verdict"], "pass");
    let verdict = report["files"][1]["verdict"].as_str().unwrap();
    assert!(verdict.starts_with("FAIL, packet 500: final range "), "{verdict}");
    assert!(number(&report, "/files/1/matched") < number(&report, "/files/1/compared"));
}

#[test]
fn our_own_packets_pass_at_every_rate() {
    let folder = scratch();
    let out = folder.path().join("ours.bit");
    transcode(&clip(), &out, "--bitrate 32k");
    for (rate, channels) in [(8000, 1), (12000, 2), (16000, 1), (24000, 1), (48000, 2)] {
        let (hz, count) = (format!("--rate={rate}"), format!("--channels={channels}"));
        let options: [&OsStr; 4] = [hz.as_ref(), count.as_ref(), "--write".as_ref(), folder.path().as_ref()];
        let (code, report) = conformance(&[folder.path()], &options);
        assert_eq!(code, 0, "{report}");
        assert_eq!(number(&report, "/files/0/packets"), 69.0);
        // 69 frames of 60 ms, two bytes a sample.
        let bytes = fs::metadata(folder.path().join("ours.dec")).unwrap().len();
        assert_eq!(bytes, 69 * 60 * rate / 1000 * channels * 2);
    }
}

#[test]
fn lost_packets_are_concealed_and_not_compared() {
    let folder = scratch();
    let out = folder.path().join("lossy.bit");
    transcode(&clip(), &out, "--frame 20 --loss 10 --application lowdelay");
    let lost = bit::read(&out).unwrap().iter().filter(|record| record.packet.is_empty()).count() as f64;
    let (code, report) = conformance(&[&out], &["--write".as_ref(), folder.path().as_ref()]);
    assert_eq!(code, 0, "{report}");
    assert!(lost > 5.0);
    assert_eq!(number(&report, "/files/0/lost"), lost);
    assert!(number(&report, "/files/0/compared") < number(&report, "/files/0/packets") - lost);
    let bytes = fs::metadata(folder.path().join("lossy.dec")).unwrap().len();
    assert_eq!(bytes as f64, number(&report, "/files/0/packets") * 960.0 * 4.0);
}

#[test]
fn unreadable_files_exit_1_and_wrong_use_2() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    transcode(&clip(), &path("good.bit"), "");
    fs::create_dir(path("none")).unwrap();
    fs::create_dir(path("cut")).unwrap();
    fs::write(path("cut/cut.bit"), &fs::read(path("good.bit")).unwrap()[..999]).unwrap();

    let none = run([OsStr::new("conformance"), path("none").as_ref()]);
    assert_eq!(none.code, 1);
    assert!(
        none.err.contains("none has no .bit file; give a folder of opus_demo bitstreams, or such files"),
        "{}",
        none.err
    );
    let missing = run([OsStr::new("conformance"), path("missing").as_ref()]);
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("missing: No such file or directory"), "{}", missing.err);
    assert_eq!(run(["conformance"]).code, 2);

    // The others are checked all the same.
    let (code, report) = conformance(&[&path("cut"), &path("good.bit")], &[]);
    assert_eq!(code, 1);
    assert!(report["files"][0]["verdict"].as_str().unwrap().contains("is cut short"), "{report}");
    assert_eq!(report["files"][1]["verdict"], "pass");
}

#[test]
fn a_file_that_proves_nothing_does_not_pass() {
    let folder = scratch();
    let out = folder.path().join("unknown.bit");
    transcode(&clip(), &out, "");
    let mut records = bit::read(&out).unwrap();
    records.iter_mut().for_each(|record| record.final_range = 0);
    write(&out, &records);
    let run = run([OsStr::new("conformance"), out.as_ref()]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("FAIL, no final range to compare with"), "{}", run.out);
}

#[test]
fn a_mismatch_exits_1_also_beside_a_file_that_cannot_be_read() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    transcode(&clip(), &path("bad.bit"), "");
    let mut records = bit::read(path("bad.bit")).unwrap();
    records[3].final_range ^= 1;
    write(&path("bad.bit"), &records);
    fs::write(path("cut.bit"), &fs::read(path("bad.bit")).unwrap()[..999]).unwrap();
    let out = path("out");
    let (code, report) = conformance(&[folder.path()], &["--write".as_ref(), out.as_ref()]);
    assert_eq!(code, 1);
    assert!(report["files"][0]["verdict"].as_str().unwrap().starts_with("FAIL, packet 3: final range "), "{report}");
    assert!(report["files"][1]["verdict"].as_str().unwrap().starts_with("unreadable: "), "{report}");
    // Of the file that was cut nothing is written: half of it would look like all of it.
    assert_eq!(listing(&out), ["bad.dec"]);
}

#[test]
fn two_files_are_not_written_to_one_name() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    for name in ["a", "b"] {
        fs::create_dir(path(name)).unwrap();
        transcode(&clip(), &path(name).join("x.bit"), "");
    }
    let out = path("out");
    let refused = |arguments: &[&OsStr]| {
        let run = run([OsStr::new("conformance")].iter().chain(arguments));
        assert_eq!((run.code, run.out.as_str()), (1, ""));
        run.err
    };
    let twice = refused(&[path("a").as_ref(), path("b").as_ref(), "--write".as_ref(), out.as_ref()]);
    let names = ["a/x.bit", "b/x.bit", "out/x.dec"].map(|name| path(name).display().to_string());
    assert_eq!(
        twice,
        format!("error: {} and {} would both be written to {}; check them one by one\n", names[0], names[1], names[2])
    );
    assert!(!out.exists());
    // Without --write there is nothing against it.
    assert_eq!(conformance(&[&path("a"), &path("b")], &[]).0, 0);

    let input = path("x.dec");
    fs::copy(path("a/x.bit"), &input).unwrap();
    let over = refused(&[input.as_ref(), "--write".as_ref(), folder.path().as_ref()]);
    assert!(over.contains(" would overwrite "), "{over}");
    assert_eq!(fs::read(&input).unwrap(), fs::read(path("a/x.bit")).unwrap());
}

/// 40 minutes, which are 460 MB of PCM, in a process that gets 300 MB.
#[test]
#[cfg(target_os = "linux")]
fn a_long_file_is_checked_within_bounded_memory() {
    let folder = scratch();
    let (short, long) = (folder.path().join("short.bit"), folder.path().join("long.bit"));
    transcode(&clip(), &short, "--frame 120");
    let mut records = bit::read(&short).unwrap();
    records.resize(20_000, bit::Record { packet: Vec::new(), final_range: 0 });
    write(&long, &records);
    let script = "ulimit -d 300000; exec \"$0\" conformance --json \"$1\" --write \"$2\"";
    let arguments = ["-c".as_ref(), script.as_ref(), env!("CARGO_BIN_EXE_sidetone").as_ref(), long.as_os_str()];
    let output = std::process::Command::new("sh").args(arguments).arg(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::metadata(folder.path().join("long.dec")).unwrap().len(), 20_000 * 5760 * 4);
}
