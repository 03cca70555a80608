//! Tests in a process of their own: one that is killed, or that has little of what others have much of.
//!
//! The inner test is `#[ignore]`d, and started by name from the same test program.

use std::path::Path;
use std::process::{Command, Stdio};

/// A process for one ignored test of the running test program.
///
/// # Panics
/// Where the program cannot tell where it is.
#[must_use]
pub fn ignored(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the test program's path"));
    command.args(["--exact", test, "--ignored", "--nocapture"]).stdin(Stdio::null());
    command
}

/// Runs one to its end.
///
/// # Panics
/// Where the test is not there, or fails: with what it said.
pub fn passes(mut test: Command) {
    let done = test.output().expect("a process");
    let (said, complained) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && said.contains("1 passed"), "{}\n{said}{complained}", done.status);
}

/// The same process with at most so many files open.
#[must_use]
pub fn with_open_files(limit: u32, inner: &Command) -> Command {
    let mut sh = Command::new("sh");
    sh.args(["-c", &format!("ulimit -n {limit} && exec \"$@\"")]);
    within(sh, inner)
}

/// The same process where `folder` is a disk of so many KiB, for it alone. `None`, with a word about it, where the
/// system does not let us have one.
#[must_use]
pub fn on_small_disk(folder: &Path, kibibytes: u32, inner: &Command) -> Option<Command> {
    let disk = |script: &str| {
        let mut unshare = Command::new("unshare");
        let mount = format!("mount -t tmpfs -o size={kibibytes}k none \"$SMALL_DISK\"{script}");
        unshare.args(["-rm", "sh", "-c", &mount]).env("SMALL_DISK", folder);
        unshare
    };
    if !disk("").output().is_ok_and(|tried| tried.status.success()) {
        eprintln!("skipped: no small disk can be had here (unshare -rm, mount -t tmpfs)");
        return None;
    }
    Some(within(disk(" && exec \"$@\""), inner))
}

/// A shell whose `$@` is the inner process.
fn within(mut shell: Command, inner: &Command) -> Command {
    shell.arg("sh").arg(inner.get_program()).args(inner.get_args()).stdin(Stdio::null());
    shell.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
}
