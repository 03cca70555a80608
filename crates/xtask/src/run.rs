//! What a newcomer starts first.

use crate::pages;
use crate::setup::{self, Need};
use crate::sh::{Cmd, cargo, os, root, target_dir};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The clip that the project carries.
pub(crate) const CLIP: &str = "crates/fleet/assets/speech.wav";

/// Any key shows the round trip; this one is in the test vectors.
const KEY: &str = "000102030405060708090a0b0c0d0e0f";

/// Start the gateway on its embedded default, make one call with a virtual device, and serve until Ctrl-C.
///
/// Where there is Node.js, its pages are built first (the dashboard at /, the device at /device/), with what that needs:
/// npm packages (npm ci), and for the device wasm-pack and wasm-bindgen (cargo install), all of pinned versions, saying so.
///
/// It serves this machine alone, and speaks back what devices say. What comes after `--` goes to `sidetone serve`:
/// `cargo xtask run -- --once` stops after the call, `cargo xtask run -- --http-listen 127.0.0.1:9090` moves a port.
///
/// With a WAV file: send that through the component instead (encode, seal, open, decode), report, and write a WAV to
/// listen to. What comes after `--` then goes to `sidetone transcode`: `cargo xtask run speech.wav -- --loss 10`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Speech to send through the component, a WAV file.
    wav: Option<PathBuf>,
    /// Where to write what came out [default: out/NAME.wav].
    #[arg(long, short, requires = "wav")]
    out: Option<PathBuf>,
    /// Leave the pages as they are: the gateway carries those that were built before, or says how to build them.
    #[arg(long)]
    no_pages: bool,
    /// Further options of `sidetone serve`, or of `sidetone transcode`.
    #[arg(last = true)]
    extra: Vec<String>,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(&[Need::Build])?;
    match &args.wav {
        Some(wav) => transcode(wav, args),
        None => {
            if !args.no_pages {
                pages::bring_up_to_date();
            }
            sidetone()?.args(["serve", "--self-check"]).args(&args.extra).replace()
        }
    }
}

fn transcode(wav: &Path, args: &Args) -> Result<()> {
    let here = std::env::current_dir().context("the current folder cannot be found")?;
    let input = here.join(wav);
    let out = match &args.out {
        Some(out) => here.join(out),
        None => root().join("out").join(input.file_name().unwrap_or("speech.wav".as_ref())).with_extension("wav"),
    };
    let folder = out.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    // In the environment, as a user should do it: a command line can be read by everybody on the machine.
    sidetone()?.quiet_env("SIDETONE_KEY", KEY).args(os(&[&"transcode", &input, &out])).args(&args.extra).run()?;
    println!("\nListen to {}", out.display());
    Ok(())
}

/// The command line of the product, built first where it is not up to date.
pub(crate) fn sidetone() -> Result<Cmd> {
    built("sidetone")
}

/// A binary of the workspace, built first where it is not up to date.
///
/// Always the whole workspace is built: with `--package` cargo would choose other features of shared dependencies, and
/// compile wasmtime, which takes minutes, once more for each choice.
pub(crate) fn built(binary: &str) -> Result<Cmd> {
    file(binary).map(Cmd::new)
}

/// Whether this process has built the workspace.
static BUILT: AtomicBool = AtomicBool::new(false);

/// The same as a file, for programs that start it.
pub(crate) fn file(binary: &str) -> Result<PathBuf> {
    cargo().args(["build", "--workspace"]).run()?;
    BUILT.store(true, Ordering::Relaxed);
    Ok(path(binary))
}

/// The same, as it is where this process has built it before. So for tests of pages, which have the gateway serve the pages
/// from their folders: the program carries the pages, and would be compiled anew, for minutes, after each that is built.
pub(crate) fn file_built_once(binary: &str) -> Result<PathBuf> {
    if BUILT.load(Ordering::Relaxed) { Ok(path(binary)) } else { file(binary) }
}

fn path(binary: &str) -> PathBuf {
    target_dir().join("debug").join(binary).with_extension(std::env::consts::EXE_EXTENSION)
}
