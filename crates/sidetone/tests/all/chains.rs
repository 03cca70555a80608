//! Ogg files that hold more than one Opus stream: chains are played to their end, and what is not read is said.

use crate::common::{clip, clip_as, number, program, read, run, scratch, transcode};
use sidetone_audio::ogg_opus;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

/// Files one after the other, as `cat` joins them.
fn join(files: &[&Path], to: &Path) {
    fs::write(to, files.iter().flat_map(|file| fs::read(file).unwrap()).collect::<Vec<_>>()).unwrap();
}

#[test]
fn a_chain_is_decoded_to_its_end_as_one_recording() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    let stereo = clip_as(folder.path(), 48_000, 2);
    transcode(&clip(), &path("a.opus"), "");
    transcode(&stereo, &path("b.opus"), "--frame 20");
    join(&[&path("a.opus"), &path("b.opus"), &path("a.opus")], &path("chain.opus"));
    let report = transcode(&path("chain.opus"), &path("chain.wav"), "");
    assert_eq!((number(&report, "/output/rate"), number(&report, "/output/channels")), (48_000.0, 2.0));
    assert_eq!(report["notes"][0], "IN is a chain of 3 streams, joined to one recording");

    // Each link sounds as it does alone: its own decoder, its own delay dropped, its own end.
    transcode(&path("a.opus"), &path("a.wav"), "--rate 48000 --channels 2");
    transcode(&path("b.opus"), &path("b.wav"), "--rate 48000 --channels 2");
    let [a, b, all] = ["a.wav", "b.wav", "chain.wav"].map(|name| read(&path(name)).samples);
    assert!(all == [&a[..], &b, &a].concat(), "{} samples of {}", all.len(), 2 * a.len() + b.len());
    let frames = |name: &str| ogg_opus::read(path(name)).unwrap().packets.len();
    assert_eq!(number(&report, "/frames") as usize, 2 * frames("a.opus") + frames("b.opus"));

    // With an encoder option it becomes one stream of the same length.
    transcode(&path("chain.opus"), &path("one.opus"), "--bitrate 32k --complexity 0 --seal random --loss 5");
    assert_eq!(ogg_opus::read(path("one.opus")).unwrap().samples as usize, all.len() / 2);
}

#[test]
fn packets_of_a_chain_are_not_passed_on_as_those_of_one_stream() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    transcode(&clip(), &path("a.opus"), "");
    join(&[&path("a.opus"), &path("a.opus")], &path("chain.opus"));
    for (out, options) in
        [("out.bit", &[][..]), ("out.opus", &[]), ("out.wav", &["--seal", "random"]), ("out.wav", &["--loss", "5"])]
    {
        let (input, out) = (path("chain.opus"), path(out));
        let arguments = [OsStr::new("transcode"), input.as_ref(), out.as_ref()];
        let run = run(arguments.into_iter().chain(options.iter().map(OsStr::new)));
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{options:?}");
        assert!(run.err.contains("is a chain of 2 streams") && run.err.contains("--bitrate 64k"), "{}", run.err);
        assert!(!out.exists());
    }
}

#[test]
fn bytes_after_the_last_page_are_a_warning() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    transcode(&clip(), &path("a.opus"), "");
    transcode(&path("a.opus"), &path("a.wav"), "");
    let end = fs::metadata(path("a.opus")).unwrap().len();
    for tail in [&b"x"[..], b"TAG and some more that is no page of Ogg, and long"] {
        fs::write(path("tail.opus"), [&fs::read(path("a.opus")).unwrap(), tail].concat()).unwrap();
        let output = program()
            .current_dir(folder.path())
            .args(["transcode", "tail.opus", "tail.wav", "--json"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        let bytes = if tail.len() == 1 { "1 byte".to_owned() } else { format!("{} bytes", tail.len()) };
        let warning = format!("tail.opus goes on after its Ogg pages: {bytes} from byte {end} on were not read");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("warning: {warning}\n"));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["warnings"], serde_json::json!([warning]));
        assert_eq!(read(&path("tail.wav")), read(&path("a.wav")));
    }
}

#[test]
fn a_recording_of_more_than_6_hours_is_refused() {
    let folder = scratch();
    let (input, out) = (folder.path().join("long.bit"), folder.path().join("out.wav"));
    transcode(&clip(), &input, "--frame 120");
    let mut file = fs::read(&input).unwrap();
    // Lost packets, 120 ms each: 8 bytes that decode to 23,040.
    file.resize(file.len() + 8 * 180_000, 0);
    fs::write(&input, file).unwrap();
    let run = run([OsStr::new("transcode"), input.as_ref(), out.as_ref()]);
    assert_eq!(run.code, 1);
    let message = "is too long to be read at once: more than 6 hours of packets, or 2 GiB; cut it into pieces";
    assert!(run.err.contains(message), "{}", run.err);
}
