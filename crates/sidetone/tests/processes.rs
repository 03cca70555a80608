//! The program as a process among others: two at once, interrupted, and a reader that leaves.

mod common;

use common::{clip, listing, program, read, scratch, transcode};
use std::fs;
use std::process::Stdio;

#[test]
fn two_runs_at_once_do_not_disturb_each_other() {
    let folder = scratch();
    let expected = folder.path().join("expected.wav");
    transcode(&clip(), &expected, "");
    // Even when both write the same file: it is one of the two, whole.
    let outs = ["same.wav", "same.wav", "other.wav"].map(|name| folder.path().join(name));
    let start = |out| program().arg("transcode").arg(clip()).arg(out).stdout(Stdio::null()).spawn().unwrap();
    let children: Vec<_> = outs.iter().map(start).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert!(outs.iter().all(|out| read(out) == read(&expected)));
    assert_eq!(listing(folder.path()), ["expected.wav", "other.wav", "same.wav"]);
}

#[test]
#[cfg(unix)]
fn ctrl_c_leaves_nothing_behind() {
    use sidetone_audio::{Pcm, wav};
    use std::process::Command;
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    let folder = scratch();
    let (input, out) = (folder.path().join("in.wav"), folder.path().join("out.wav"));
    // Noise that takes minutes to code.
    let mut state = 1u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 18) as i16
    });
    let pcm = Pcm::new(48_000, 2, noise.take(48_000 * 2 * 300).collect()).unwrap();
    wav::write(&input, &pcm).unwrap();
    fs::write(&out, "what was there before").unwrap();
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut child = program()
            .arg("transcode")
            .args([&input, &out])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(1500));
        let sent = Instant::now();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
        assert!(sent.elapsed() < Duration::from_secs(2), "it ends at once");
        assert_eq!(listing(folder.path()), ["in.wav", "out.wav"]);
        assert_eq!(fs::read(&out).unwrap(), b"what was there before");
    }
}

#[test]
#[cfg(unix)]
fn a_reader_that_leaves_early_is_no_error() {
    let mut child = program().args(["inspect", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
