//! Runs the fuzz targets on stable Rust and without cargo-fuzz: coverage comes from LLVM passes that rustc has, and
//! libFuzzer from the crate `libfuzzer-sys`. Where clang has AddressSanitizer, libopus (the only C there is) is built with
//! it.

use crate::folder::fresh;
use crate::seeds;
use crate::setup::{self, Need};
use crate::sh::{Cmd, cargo, os, root, target_dir};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// What `cargo fuzz` passes too, but for the sanitizer, which needs nightly.
const RUSTFLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// The same coverage for libopus.
const CFLAGS: &str = "-fsanitize-coverage=inline-8bit-counters,pc-table,trace-cmp";

const ASAN: &str = "-fsanitize=address";

/// Longest input: a few packets.
const MAX_LEN: u32 = 4096;

/// A leak of this size in one input, or AddressSanitizer's own need several times over, is a finding.
const RSS_LIMIT_MB: u32 = 1024;

/// Enough to see a panic's message or the top of AddressSanitizer's trace; the rest is in the log.
const FINDING_LINES: usize = 24;

/// Run the fuzz targets, on stable Rust and without further tools.
///
/// Inputs that reach new code are kept in target/fuzz/corpus and tried first the next time; where there is a corpus of
/// recordings (../shared/corpus, or SIDETONE_CORPUS) inputs made from it are tried too. An input that fails is written
/// to target/fuzz/artifacts; once mended, put it in fuzz/regressions/TARGET: it is run every time from then on.
///
/// With cargo-fuzz installed, `cargo fuzz run TARGET` works as well (on stable Rust: with `--sanitizer none`).
#[derive(clap::Args)]
pub(crate) struct Args {
    /// One target; all of them, one after the other, if none is named.
    target: Option<String>,
    /// How long to fuzz each target.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Run the target once on this file instead, showing all it prints.
    #[arg(long, value_name = "FILE", requires = "target")]
    replay: Option<PathBuf>,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(&[Need::Build, Need::Fuzz])?;
    let existing = targets()?;
    let chosen = match &args.target {
        None => existing,
        Some(target) if existing.contains(target) => vec![target.clone()],
        Some(target) => bail!("there is no fuzz target `{target}`; there are: {}", existing.join(", ")),
    };
    let Some(file) = &args.replay else { return fuzz(&chosen, args.seconds) };
    let file = std::env::current_dir()?.join(file);
    let built = Build::all()?;
    built.target(&chosen[0]).arg(file).run()
}

/// Fuzzes every target for so many seconds.
pub(crate) fn all(seconds: u32) -> Result<()> {
    fuzz(&targets()?, seconds)
}

/// The targets there are: one file each.
fn targets() -> Result<Vec<String>> {
    let folder = root().join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

fn fuzz(targets: &[String], seconds: u32) -> Result<()> {
    if cfg!(windows) {
        println!("skipped: fuzzing works on Linux and macOS only");
        return Ok(());
    }
    let built = Build::all()?;
    for target in targets {
        built.fuzz(target, seconds)?;
    }
    Ok(())
}

/// The targets, built.
struct Build {
    /// Where the programs are.
    programs: PathBuf,
    /// Where everything is.
    folder: PathBuf,
}

impl Build {
    fn all() -> Result<Self> {
        let folder = target_dir().join("fuzz");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let host = Cmd::new("rustc").args(["--print", "host-tuple"]).read()?;
        let host = host.trim();
        // With a target named, build scripts and macros are built without the flags.
        let build = cargo()
            .args(["build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", host, "--target-dir"])
            .arg(&folder);
        let build = match setup::clang() {
            Some(clang) => instrument(build, &clang, &folder)?,
            None => build.quiet_env("RUSTFLAGS", RUSTFLAGS),
        };
        build.run()?;
        Ok(Self { programs: folder.join(host).join("release"), folder })
    }

    fn target(&self, target: &str) -> Cmd {
        // LeakSanitizer needs ptrace, which containers deny.
        Cmd::new(self.programs.join(target)).quiet_env("ASAN_OPTIONS", "detect_leaks=0")
    }

    fn fuzz(&self, target: &str, seconds: u32) -> Result<()> {
        let folder = |name: &str| self.folder.join(name).join(target);
        let (corpus, seeds, artifacts) = (folder("corpus"), folder("seeds"), folder("artifacts"));
        fresh(&seeds)?;
        for folder in [&corpus, &artifacts] {
            fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let seeded = seeds::write(target, &seeds)?;
        let regressions = root().join("fuzz/regressions").join(target);
        let command = self
            .target(target)
            .quiet_env("RUST_BACKTRACE", "0")
            // The same inputs in the same order each time; how many of them depends on the machine.
            .args([format!("-max_total_time={seconds}"), format!("-max_len={MAX_LEN}"), "-seed=1".to_owned()])
            .args([format!("-rss_limit_mb={RSS_LIMIT_MB}"), "-timeout=10".to_owned()])
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .args(os(&[&corpus, &seeds]))
            .args(regressions.is_dir().then_some(&regressions));
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        let log = self.folder.join(format!("{target}.log"));
        fs::write(&log, said.as_bytes()).with_context(|| format!("cannot write {}", log.display()))?;
        let (runs, edges) = summary(&said);
        if output.status.success() {
            println!("fuzz {target}: {runs} runs from {seeded} seeds, {edges} edges covered, nothing found");
            return Ok(());
        }
        println!("{}", finding(&said));
        bail!(
            "fuzz target {target} found something; all it said is in {}. Try `cargo xtask fuzz {target} --replay {}`; \
             once mended, put that file in fuzz/regressions/{target}",
            log.display(),
            word_after(&said, "Test unit written to ")
        );
    }
}

/// Builds libopus with coverage, and with AddressSanitizer where this clang has it.
fn instrument(build: Cmd, clang: &Path, folder: &Path) -> Result<Cmd> {
    let mut rustflags = RUSTFLAGS.to_owned();
    let mut cflags = CFLAGS.to_owned();
    if has_asan(clang, folder)? {
        rustflags += &format!(" -Clinker={} -Clink-arg={ASAN}", clang.display());
        cflags += &format!(" {ASAN}");
    } else {
        println!("note: {} has no AddressSanitizer (Debian: libclang-rt-*-dev): fuzzing without", clang.display());
    }
    let build = match setup::clang_beside(clang, "clang++") {
        Some(clangxx) => build.quiet_env("CXX", clangxx),
        None => build,
    };
    Ok(build.quiet_env("CC", clang).quiet_env("CFLAGS", cflags).quiet_env("RUSTFLAGS", rustflags))
}

/// Its run-time library may not be installed: only linking tells.
fn has_asan(clang: &Path, folder: &Path) -> Result<bool> {
    let source = folder.join("asan.c");
    fs::write(&source, "int main(void) { return 0; }\n")
        .with_context(|| format!("cannot write {}", source.display()))?;
    let program = folder.join("asan");
    let linked = Cmd::new(clang).args(os(&[&ASAN, &"-o", &program, &source])).output()?;
    Ok(linked.status.success())
}

/// Runs and covered edges, as libFuzzer reports them.
fn summary(said: &str) -> (&str, &str) {
    (word_after(said, "Done "), word_after(said, "cov: "))
}

/// The word behind the last `label`.
fn word_after<'s>(said: &'s str, label: &str) -> &'s str {
    said.rsplit_once(label).and_then(|(_, rest)| rest.split_whitespace().next()).unwrap_or("?")
}

/// What went wrong, without the progress before it and the traces of libFuzzer after it.
fn finding(said: &str) -> String {
    let starts = |line: &&str| !(line.contains("panicked at") || line.contains("ERROR: "));
    said.lines().skip_while(starts).take(FINDING_LINES).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_edges_are_read_from_what_libfuzzer_says() {
        let said = "#2\tINITED cov: 45 ft: 45\n#55200\tDONE   cov: 1886 ft: 8178 corp: 1053\nDone 55200 runs in 16 second(s)\n";
        assert_eq!(summary(said), ("55200", "1886"));
        assert_eq!(summary("nothing"), ("?", "?"));
    }

    #[test]
    fn a_finding_is_shown_without_the_progress_before_it() {
        let said = "INFO: Seed: 1\n#2\tNEW cov: 1\nthread 'x' panicked at y:1:1:\nno\n==1== ERROR: libFuzzer: signal\n";
        assert_eq!(finding(said), "thread 'x' panicked at y:1:1:\nno\n==1== ERROR: libFuzzer: signal");
    }

    #[test]
    fn every_target_is_declared() {
        let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        for target in targets().unwrap() {
            assert!(
                manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")),
                "{target} is not in fuzz/Cargo.toml"
            );
        }
    }
}
