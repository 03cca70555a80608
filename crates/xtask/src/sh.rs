//! Runs other programs from the root of the repository: shows each before it starts, and turns a failure into a
//! sentence that names the command, how it ended, and what to do.

use anyhow::{Result, anyhow, bail};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    // Cargo sets the variable when it runs xtask, also where the checkout has moved since xtask was built.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let crates = Path::new(&here).ancestors().nth(2).expect("xtask lies in crates/xtask");
    crates.to_owned()
}

/// The cargo that runs xtask.
pub(crate) fn cargo() -> Cmd {
    let mut cargo = Cmd::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo says of xtask to xtask. To build scripts that look at it (ring's), a cargo started from here would differ
    // from one started by hand, and all that stands on them would be compiled anew each time.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.command.env_remove(&name);
        }
    }
    cargo
}

/// Where cargo puts what it builds, and xtask what it makes. `target` in the checkout, if no one says otherwise.
pub(crate) fn target_dir() -> PathBuf {
    let configured = std::env::var_os("CARGO_TARGET_DIR").or_else(|| std::env::var_os("CARGO_BUILD_TARGET_DIR"));
    root().join(configured.unwrap_or_else(|| "target".into()))
}

/// The file that the shell would start for `name`.
pub(crate) fn which(name: impl AsRef<Path>) -> Option<PathBuf> {
    let mut name = name.as_ref().to_owned();
    if name.extension().is_none() {
        name.set_extension(std::env::consts::EXE_EXTENSION);
    }
    if name.components().count() > 1 {
        return name.is_file().then_some(name);
    }
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(&name)).find(|file| file.is_file())
}

/// A command line to run.
pub(crate) struct Cmd {
    command: Command,
    shown: String,
    remedy: Option<String>,
}

impl Cmd {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        let name = Path::new(program).file_stem().unwrap_or(program).to_string_lossy().into_owned();
        let mut command = Command::new(program);
        command.current_dir(root());
        Self { command, shown: name, remedy: None }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&quoted(arg.as_ref()));
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Runs in `dir`, relative to the root.
    pub(crate) fn dir(mut self, dir: &str) -> Self {
        self.shown = format!("cd {dir} && {}", self.shown);
        self.command.current_dir(root().join(dir));
        self
    }

    /// Runs in a folder wherever it is.
    pub(crate) fn inside(mut self, folder: &Path) -> Self {
        self.shown = format!("cd {} && {}", quoted(folder.as_os_str()), self.shown);
        self.command.current_dir(folder);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.shown = format!("{name}={} {}", quoted(value.as_ref()), self.shown);
        self.command.env(name, value);
        self
    }

    /// Sets a variable without showing it.
    pub(crate) fn quiet_env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What to do where the command fails; ends the error's sentence.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The command line as a user would type it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Runs it, its output going where ours goes.
    pub(crate) fn run(mut self) -> Result<()> {
        println!("$ {}", self.shown);
        let status = self.command.status().map_err(|error| self.not_started(&error))?;
        self.judge(status, "")
    }

    /// Runs it in the place of this process, so that signals reach it and nothing else.
    #[cfg(unix)]
    pub(crate) fn replace(mut self) -> Result<()> {
        use std::os::unix::process::CommandExt;
        println!("$ {}", self.shown);
        // Returns only where it fails.
        let error = self.command.exec();
        Err(self.not_started(&error))
    }

    /// Runs it, its output going where ours goes.
    #[cfg(not(unix))]
    pub(crate) fn replace(self) -> Result<()> {
        self.run()
    }

    /// Runs it without a word and returns its standard output.
    pub(crate) fn read(mut self) -> Result<String> {
        let output = self.command.stdin(Stdio::null()).output().map_err(|error| self.not_started(&error))?;
        self.judge(output.status, &String::from_utf8_lossy(&output.stderr))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it without a word; how it ended is the caller's to judge.
    pub(crate) fn output(mut self) -> Result<Output> {
        self.command.stdin(Stdio::null()).output().map_err(|error| self.not_started(&error))
    }

    fn judge(&self, status: ExitStatus, said: &str) -> Result<()> {
        if status.success() {
            return Ok(());
        }
        let how = match status.code() {
            Some(code) => format!("exit code {code}"),
            None => status.to_string(),
        };
        let said = if said.trim().is_empty() { String::new() } else { format!(": {}", said.trim()) };
        bail!("`{}` failed with {how}{said}{}", self.shown, self.remedy_clause());
    }

    fn not_started(&self, error: &std::io::Error) -> anyhow::Error {
        anyhow!("`{}` could not be started: {error}{}", self.shown, self.remedy_clause())
    }

    fn remedy_clause(&self) -> String {
        self.remedy.as_ref().map_or_else(String::new, |remedy| format!(" ({remedy})"))
    }
}

/// As a shell would need it, so that what is shown can be pasted.
fn quoted(arg: &OsStr) -> String {
    let arg = arg.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        arg.into_owned()
    } else {
        format!("'{}'", arg.replace('\'', r"'\''"))
    }
}

/// An argument list of strings, of whatever kind each is.
pub(crate) fn os(items: &[&dyn AsRef<OsStr>]) -> Vec<OsString> {
    items.iter().map(|item| item.as_ref().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(root().join("crates/xtask/src/sh.rs").is_file());
    }

    #[test]
    fn what_is_shown_can_be_pasted() {
        let cmd = Cmd::new("/usr/bin/cargo").args(["test", "a b", "it's", ""]).env("X", "1 2").dir("web/media");
        assert_eq!(cmd.shown(), r"cd web/media && X='1 2' cargo test 'a b' 'it'\''s' ''");
    }

    #[test]
    fn a_failure_names_command_status_and_remedy() {
        let error = Cmd::new("rustc").arg("--no-such-flag").remedy("do not").read().unwrap_err().to_string();
        assert!(error.starts_with("`rustc --no-such-flag` failed with exit code 1: "), "{error}");
        assert!(error.ends_with("(do not)"), "{error}");
        let error = Cmd::new("no-such-program-here").remedy("install it").run().unwrap_err().to_string();
        assert!(error.starts_with("`no-such-program-here` could not be started: "), "{error}");
        assert!(error.ends_with("(install it)"), "{error}");
    }
}
