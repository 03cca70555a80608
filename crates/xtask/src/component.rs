//! The component as a file, and as JavaScript around the very same core module.

use crate::node;
use crate::npm::{self, npm};
use crate::run;
use crate::setup::{self, Need};
use crate::sh::{Cmd, os, root};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The npm package around the transpiled component.
const MEDIA: &str = "web/media";

/// Where the component goes, if nothing else is said.
const OUT: &str = "out/component";

/// Build the component and write it, its core module and its description to a folder.
///
/// Writes sidetone.component.wasm, sidetone.core.wasm and inspect.json. The component imports nothing; the core module
/// is the one inside it, byte for byte.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also transpile it for browsers and Node, to web/media/dist.
    ///
    /// Needs Node.js 18 or newer; installs the pinned transpiler from npm into web/media/node_modules. The core module
    /// in web/media/dist has the same sha256 as the one inside the component.
    #[arg(long)]
    web: bool,
    /// Folder to write to.
    #[arg(long, default_value = OUT)]
    out: PathBuf,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(if args.web { &[Need::Build, Need::Node] } else { &[Need::Build] })?;
    let out = if args.out.is_absolute() { args.out.clone() } else { root().join(&args.out) };
    extract(&run::file("sidetone")?, &out)?;
    println!("\ncomponent: {}", out.join("sidetone.component.wasm").display());
    if args.web {
        transpile(&out)?;
    }
    Ok(())
}

/// Makes the npm package: the component of a program in JavaScript, and the layer around it.
pub(crate) fn package(sidetone: &Path) -> Result<()> {
    let out = root().join(OUT);
    extract(sidetone, &out)?;
    transpile(&out)?;
    npm(MEDIA).args(["run", "--silent", "build"]).run()
}

/// The core module of the component as it is built now.
pub(crate) fn core_module() -> Result<Vec<u8>> {
    let out = root().join(OUT);
    extract(&run::file("sidetone")?, &out)?;
    let file = out.join("sidetone.core.wasm");
    fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// How the clip is encoded to be compared; `web/media/test/same-module.test.mjs` asks the same of the module in Node.
const ENCODED: [&str; 6] = ["--frame", "60", "--complexity", "5", "--bitrate", "24000"];

/// Transpiles the component and runs the tests of the npm packages: the packets that come out in wasmtime come out there.
pub(crate) fn test() -> Result<()> {
    let (out, sidetone) = (root().join(OUT), run::file("sidetone")?);
    extract(&sidetone, &out)?;
    Cmd::new(&sidetone).args(os(&[&"transcode", &run::CLIP, &out.join("speech.bit")])).args(ENCODED).run()?;
    transpile(&out)?;
    npm(MEDIA).arg("test").env("SIDETONE_COMPONENT", &out).env("SIDETONE_CLIP", root().join(run::CLIP)).run()?;
    node::test()
}

/// Writes the component that a program carries to `out`.
fn extract(sidetone: &Path, out: &Path) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    Cmd::new(sidetone).args(os(&[&"inspect", &"--extract", &out])).run()
}

fn transpile(out: &Path) -> Result<()> {
    npm::install(MEDIA)?;
    npm(MEDIA).args(os(&[&"run", &"--silent", &"transpile", &"--", &out.join("sidetone.component.wasm")])).run()
}
