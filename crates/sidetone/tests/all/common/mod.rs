//! What the tests share: the program itself, clips, and the corpus where it is present.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

#[cfg(unix)]
pub mod serve;

use serde_json::Value;
use sidetone_audio::{Pcm, wav};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The program, started with nothing in its environment that would change what it does.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidetone"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SIDETONE_") {
            command.env_remove(name);
        }
    }
    command
}

/// A run of the program, done.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

pub fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Run {
    program().args(arguments).output().expect("the program starts").into()
}

/// `sidetone transcode IN OUT OPTIONS`, which must work, and its report.
pub fn transcode(input: &Path, output: &Path, options: &str) -> Value {
    let options = options.split_whitespace().map(OsStr::new);
    let arguments = [OsStr::new("transcode"), input.as_ref(), output.as_ref(), OsStr::new("--json")];
    let run = run(arguments.into_iter().chain(options));
    assert_eq!(run.code, 0, "{} to {}: {}", input.display(), output.display(), run.err);
    assert_eq!(run.err, "", "nothing is said on stderr where it is no terminal");
    serde_json::from_str(&run.out).expect("JSON")
}

/// A field of a report, which must be a number.
pub fn number(report: &Value, pointer: &str) -> f64 {
    report.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("no number {pointer} in {report}"))
}

pub fn scratch() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Names of everything in a folder, sorted.
pub fn listing(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

/// The speech that the repository carries: 24 kHz, mono, 4.1 s.
pub fn clip() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fleet/assets/speech.wav")
}

/// The clip at another rate and with other channels, in a folder.
pub fn clip_as(folder: &Path, rate: u32, channels: u8) -> PathBuf {
    let path = folder.join(format!("in-{rate}-{channels}.wav"));
    let pcm = sidetone_audio::resample(&wav::read(clip()).unwrap(), rate).unwrap();
    wav::write(&path, &pcm.into_channels(channels).unwrap()).unwrap();
    path
}

pub fn read(path: &Path) -> Pcm {
    wav::read(path).unwrap()
}

/// Whether opus-tools are there; says so where they are not.
pub fn opus_tools() -> bool {
    // Whether they start: `opusinfo --version` is no success even then.
    let all =
        ["opusenc", "opusdec", "opusinfo"].iter().all(|tool| Command::new(tool).arg("--version").output().is_ok());
    if !all {
        eprintln!("skipped: opusenc, opusdec and opusinfo (opus-tools) are not installed");
    }
    all
}

/// Runs a tool that must succeed.
pub fn tool(name: &str, arguments: &[&OsStr]) -> Output {
    let output = Command::new(name).args(arguments).output().expect("the tool starts");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
