//! What a newcomer starts first.

use crate::setup::{self, Need};
use crate::sh::{Cmd, cargo, os, root, target_dir};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The clip that the project carries.
pub(crate) const CLIP: &str = "crates/sidetone/assets/speech.wav";

/// Any key shows the round trip; this one is in the test vectors.
const KEY: &str = "000102030405060708090a0b0c0d0e0f";

/// Send speech through the component: encode, seal, open, decode; report, and write a WAV to listen to.
///
/// Without arguments it takes the clip that the repository carries. What comes after `--` goes to `sidetone transcode`:
/// try `cargo xtask run -- --loss 10 --burst`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Speech to send, a WAV file.
    wav: Option<PathBuf>,
    /// Where to write what came out [default: out/NAME.wav].
    #[arg(long, short)]
    out: Option<PathBuf>,
    /// Further options of `sidetone transcode`.
    #[arg(last = true)]
    extra: Vec<String>,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(&[Need::Build])?;
    let here = std::env::current_dir().context("the current folder cannot be found")?;
    let input = args.wav.as_ref().map_or_else(|| root().join(CLIP), |wav| here.join(wav));
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
    cargo().args(["build", "--workspace"]).run()?;
    let file = target_dir().join("debug").join(binary).with_extension(std::env::consts::EXE_EXTENSION);
    Ok(Cmd::new(file))
}
