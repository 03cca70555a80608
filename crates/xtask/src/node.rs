//! The npm package for Node gateways: built, tested, measured.

use crate::component;
use crate::npm::{self, npm};
use crate::run;
use crate::setup::{self, Need};
use crate::sh::{Cmd, os, root, target_dir};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The package.
const NODE: &str = "web/node";

/// The npm packages that are given out.
pub(crate) const PACKAGES: [&str; 2] = ["web/media", NODE];

/// Bindings that it is compared with: pinned, so that figures stay comparable.
const PEERS: [&str; 2] = ["@discordjs/opus@0.10.0", "@evan/opus@1.0.3"];

/// Builds the package from web/media, which is there already.
pub(crate) fn build() -> Result<()> {
    npm::install(NODE)?;
    npm(NODE).args(["run", "--silent", "build"]).run()
}

/// Builds and tests it, on the real component and on one that fails on purpose. Wants web/media built.
pub(crate) fn test() -> Result<()> {
    npm::install(NODE)?;
    let folder = target_dir().join("faulty");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let (component, dist) = (folder.join("faulty.component.wasm"), folder.join("dist"));
    run::built("sidetone-faulty-artifact")?.arg(&component).run()?;
    Cmd::new("node").args(os(&[&"web/media/transpile.mjs", &component, &dist])).run()?;
    npm(NODE).args(os(&[&"run", &"--silent", &"build", &"--", &dist])).run()?;
    npm(NODE).arg("test").run()
}

/// Packs a package as `npm publish` would; returns the tarball.
pub(crate) fn pack(package: &str, folder: &Path) -> Result<PathBuf> {
    let pack = npm(package).args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(folder);
    let name = pack.read()?;
    Ok(folder.join(name.trim()))
}

/// Measures it against other bindings in the same pool, and writes `file`.
pub(crate) fn bench(file: &Path, extra: &[String]) -> Result<()> {
    setup::ensure(&[Need::Node])?;
    component::package(&run::file("sidetone")?)?;
    build()?;
    let peers = target_dir().join("bench").join("node-peers");
    install_peers(&peers)?;
    let script = root().join(NODE).join("bench/bench.mjs");
    Cmd::new("node").args(os(&[&script, &peers, &file])).args(extra).run()
}

/// Installs what can be had. Where a native binding does not build, the benchmark says that it is left out.
fn install_peers(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let manifest = folder.join("package.json");
    fs::write(&manifest, "{\"private\": true}\n").with_context(|| format!("cannot write {}", manifest.display()))?;
    let mut installed = 0;
    for peer in PEERS {
        let (name, _) = peer.rsplit_once('@').expect("a version is pinned");
        if folder.join("node_modules").join(name).is_dir() {
            installed += 1;
            continue;
        }
        let install = npm(NODE).args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(folder).arg(peer);
        // Headers of Node lie beside it; node-gyp would fetch them.
        match install.env("npm_config_nodedir", node_prefix()?).run() {
            Ok(()) => installed += 1,
            Err(error) => println!("{error}; it is left out"),
        }
    }
    if installed == 0 {
        bail!("none of {} can be installed: there is nothing to compare with", PEERS.join(", "));
    }
    Ok(())
}

fn node_prefix() -> Result<String> {
    let prefix = "require('path').dirname(require('path').dirname(process.execPath))";
    let said = Cmd::new("node").args(["--print", prefix]).read()?;
    Ok(said.trim().to_owned())
}
