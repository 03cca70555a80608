//! The program as a process among others: two at once, interrupted, and a reader that leaves.

use crate::common::{clip, listing, program, read, scratch, transcode};
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

/// Whether a process has begun to write a file in this folder: one without a name, or a `.part` where the file system has
/// only such.
#[cfg(target_os = "linux")]
fn is_begun(process: u32, folder: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let here = fs::metadata(folder).unwrap().dev();
    let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    let nameless = open
        .filter_map(|entry| fs::metadata(entry.path()).ok())
        .any(|file| file.is_file() && file.dev() == here && file.nlink() == 0 && file.len() > 0);
    nameless || part(folder).is_some_and(|part| part.len() > 0)
}

#[cfg(target_os = "linux")]
fn part(folder: &std::path::Path) -> Option<fs::Metadata> {
    let mut entries = fs::read_dir(folder).unwrap().flatten();
    entries.find(|entry| entry.path().extension().is_some_and(|ending| ending == "part"))?.metadata().ok()
}

/// The file is of what was there before and nothing is left, or it is complete and the program says so.
#[test]
#[cfg(target_os = "linux")]
fn a_signal_while_out_is_written_comes_before_it_or_after() {
    use sidetone_audio::bit;
    use std::process::Command;

    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    // Little to decode and much to write: 10 minutes, nearly all of them lost.
    transcode(&clip(), &path("in.bit"), "--frame 120 --complexity 0");
    let mut records = bit::read(path("in.bit")).unwrap();
    records.resize(5000, bit::Record { packet: Vec::new(), final_range: 0 });
    let mut file = bit::Writer::create(path("in.bit")).unwrap();
    records.iter().for_each(|record| file.write(&record.packet, record.final_range).unwrap());
    file.finish().unwrap();
    let bytes = 44 + 5000 * 5760 * 4;
    for (signal, code) in [("-INT", Some(130)), ("-TERM", Some(143)), ("-HUP", Some(129)), ("-KILL", None)] {
        fs::write(path("out.wav"), "before").unwrap();
        let mut command = program();
        command.arg("transcode").args([path("in.bit"), path("out.wav")]).args(["--channels", "2"]);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        while !is_begun(child.id(), folder.path()) {
            assert!(child.try_wait().unwrap().is_none(), "it ended without a file of its own");
        }
        // A file that has a name outlives a process that may do nothing more.
        let outlives = signal == "-KILL" && part(folder.path()).is_some();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let ended = child.wait().unwrap().code();
        let out = fs::metadata(path("out.wav")).unwrap().len();
        assert!(
            (ended == code && out == 6) || (ended == Some(0) && out == bytes),
            "{signal}: {ended:?} with {out} bytes of {bytes}"
        );
        assert!(outlives || listing(folder.path()) == ["in.bit", "out.wav"], "{signal}: {:?}", listing(folder.path()));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_cannot_be_printed_is_an_error_and_the_file_stays() {
    let folder = scratch();
    let (expected, out) = (folder.path().join("expected.wav"), folder.path().join("out.wav"));
    transcode(&clip(), &expected, "");
    let full = || Stdio::from(fs::File::options().write(true).open("/dev/full").unwrap());
    let output = program().arg("transcode").args([clip(), out.clone()]).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!(
            "error: {} is complete, but the report is not: cannot write to stdout: No space left on device (os error 28)\n",
            out.display()
        )
    );
    assert_eq!(read(&out), read(&expected));
    for arguments in [&["inspect"][..], &["--help"], &["--version"], &["transcode", "--help"]] {
        let output = program().args(arguments).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text, "error: cannot write to stdout: No space left on device (os error 28)\n", "{arguments:?}");
    }
}

/// The component's memory is reserved, not used; a limit of addresses that is too low is said to be that.
#[test]
#[cfg(target_os = "linux")]
fn a_job_needs_less_than_7_gib_of_addresses_and_says_so_where_there_are_fewer() {
    let folder = scratch();
    let limited = |kib: u32, options: &str| {
        let script = format!("ulimit -v {kib}; exec \"$0\" transcode \"$1\" \"$2\" {options}");
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_sidetone")]).arg(clip()).arg(folder.path().join("out.wav"));
        shell.env_remove("SIDETONE_KEY").output().unwrap()
    };
    for options in ["--seal random", "--seal random --complexity 3", "--rate 16000"] {
        let output = limited(7 << 20, options);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let output = limited(3 << 20, "");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.starts_with("error: no room for the sandbox: it reserves some 5 GiB of addresses"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}
