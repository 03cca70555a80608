//! What is given out: one folder with everything, the same bytes whenever it is made.

use crate::folder::fresh;
use crate::node::{self, PACKAGES};
use crate::sbom::cyclonedx;
use crate::setup::{self, Need};
use crate::sh::{Cmd, cargo, os, root, target_dir};
use crate::{component, release, web};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Build everything that is given out, to target/dist.
///
/// The command line with component and pages inside, as it is and as a Debian package with manual pages and shell completions;
/// the component, its core module, its WIT; the npm packages; what each is made of (CycloneDX); SHA256SUMS. The same sources
/// and tools give the same bytes again, in any folder: archives are sorted, and times those of the last commit
/// (SOURCE_DATE_EPOCH, where it is set). Compiles wasmtime once more, in target/release-build: minutes, the first time.
///
/// Needs Node.js; installs cargo-deb, and for the pages wasm-pack and wasm-bindgen (cargo install), saying so first.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder to write to; it is emptied first.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Do not build the pages; those that were built before go in, and a sentence where there are none.
    #[arg(long)]
    no_pages: bool,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(&[Need::Build, Need::Node, Need::Dist])?;
    let out = args.out.clone().map_or_else(|| target_dir().join("dist"), |out| root().join(out));
    fresh(&out)?;
    let epoch = epoch()?;
    // Once for the component that the pages are made around, and once more with the pages inside.
    let mut binary = release::program()?;
    if args.no_pages {
        component::package(&binary)?;
    } else {
        setup::ensure(&[Need::Web])?;
        setup::ensure_node_for_page()?;
        web::build(&binary)?;
        binary = release::program()?;
    }
    node::build()?;
    fs::copy(&binary, out.join("sidetone")).context("cannot copy the program")?;
    Cmd::new(&binary).args(os(&[&"inspect", &"--extract", &out])).run()?;
    archive(&root().join("wit"), &out.join("sidetone-wit.tar.gz"), epoch)?;
    let host = release::host_triple()?;
    for (package, target, name) in
        [("sidetone", &*host, "sidetone"), ("sidetone-component", "wasm32-unknown-unknown", "sidetone.component")]
    {
        write(&out.join(format!("{name}.cdx.json")), cyclonedx(package, target)?.as_bytes())?;
    }
    for package in PACKAGES {
        node::pack(package, &out)?;
    }
    deb(&binary, &out, epoch)?;
    sums(&out)?;
    println!("\n{}", fs::read_to_string(out.join("SHA256SUMS")).context("cannot read SHA256SUMS")?);
    println!("everything is in {}", out.display());
    Ok(())
}

/// The time that archives carry.
fn epoch() -> Result<u64> {
    if let Ok(set) = std::env::var("SOURCE_DATE_EPOCH") {
        return set.parse().with_context(|| format!("SOURCE_DATE_EPOCH is {set}: it must be seconds since 1970"));
    }
    let said = Cmd::new("git").args(["log", "-1", "--format=%ct"]).remedy("set SOURCE_DATE_EPOCH").read()?;
    said.trim().parse().with_context(|| format!("git gave {} as a time", said.trim()))
}

/// A tar of a folder, sorted, of nobody, at one time.
fn archive(folder: &Path, to: &Path, epoch: u64) -> Result<()> {
    let (parent, name) = (folder.parent().context("no parent")?, folder.file_name().context("no name")?);
    let time = format!("--mtime=@{epoch}");
    let tar = to.with_extension("");
    Cmd::new("tar")
        .args(["--create", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=a+r,u+w,go-w", &time])
        .args(os(&[&"--file", &tar, &"--directory", &parent, &name]))
        .run()?;
    // Without a name and a time.
    Cmd::new("gzip").args(["--no-name", "--best", "--force"]).arg(&tar).run()
}

/// The Debian package: what `package.metadata.deb` of crates/sidetone lists, with manual pages and completions made here.
fn deb(binary: &Path, out: &Path, epoch: u64) -> Result<()> {
    // Where the manifest of crates/sidetone names it, wherever cargo builds.
    let extra = root().join("target/deb");
    fresh(&extra)?;
    let pages = extra.join("man");
    Cmd::new(binary).args(os(&[&"man", &"--out", &pages])).run()?;
    for page in fs::read_dir(&pages).context("cannot read the manual pages")?.flatten() {
        Cmd::new("gzip").args(["--no-name", "--best"]).arg(page.path()).run()?;
    }
    for (shell, name) in [("bash", "sidetone.bash"), ("zsh", "_sidetone"), ("fish", "sidetone.fish")] {
        let script = Cmd::new(binary).args(["completions", shell]).read()?;
        write(&extra.join(name), script.as_bytes())?;
    }
    // The binary is built and stripped already: cargo-deb takes it from where the manifest says.
    fs::copy(out.join("sidetone"), extra.join("sidetone")).context("cannot copy the binary")?;
    cargo()
        .args(["deb", "--no-build", "--no-strip", "--package", "sidetone", "--output"])
        .arg(out)
        .env("SOURCE_DATE_EPOCH", epoch.to_string())
        .run()
}

/// `sha256sum` of all files, as it checks them.
fn sums(out: &Path) -> Result<()> {
    let mut names: Vec<_> = fs::read_dir(out)?.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    if names.is_empty() {
        bail!("{} is empty", out.display());
    }
    let listed = Cmd::new("sha256sum").args(names).inside(out).read()?;
    write(&out.join("SHA256SUMS"), listed.as_bytes())
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}
