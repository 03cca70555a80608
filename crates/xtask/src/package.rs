//! The library crates as crates.io would take them.

use crate::folder::forget;
use crate::setup::{self, Need};
use crate::sh::{cargo, os, root, target_dir};
use crate::{pages, run, web};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Where the published sidetone-artifact has the component; never committed.
const COMPONENT: &str = "crates/artifact/prebuilt";

/// Where the published sidetone-pages has the pages; never committed.
const PAGES: &str = "crates/pages/prebuilt";

/// Where the packages are built, by default with Cargo's own profile: not as everything else is.
const VERIFIED: &str = "package-build";

/// Pack all crates that are published, and check that crates.io would take them; nothing is uploaded.
///
/// Puts the built component into crates/artifact/prebuilt first, and the pages, as `cargo xtask run` builds them, into
/// crates/pages/prebuilt: who depends on the published crates needs neither clang and Rust's wasm32 target nor Node.js.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also build each from its package, in target/package-build; compiles wasmtime once more.
    #[arg(long)]
    verify: bool,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(&[Need::Build])?;
    pages::bring_up_to_date();
    let (extracted, prebuilt) = (target_dir().join("package-component"), root().join(COMPONENT));
    for folder in [&extracted, &prebuilt] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    run::sidetone()?.args(os(&[&"inspect", &"--extract", &extracted])).run()?;
    let name = "sidetone.component.wasm";
    fs::copy(extracted.join(name), prebuilt.join(name)).with_context(|| format!("cannot write to {COMPONENT}"))?;
    for page in [pages::DASHBOARD, web::EMULATOR] {
        let (built, packed) = (root().join(page).join("dist"), root().join(PAGES).join(page));
        forget(&packed)?;
        if built.is_dir() {
            copy(&built, &packed).with_context(|| format!("cannot write to {PAGES}"))?;
        }
    }
    // What is built is not committed, on purpose: cargo would call that dirty.
    let publish = cargo().args(["publish", "--workspace", "--dry-run", "--allow-dirty"]);
    if args.verify {
        publish.arg("--target-dir").arg(target_dir().join(VERIFIED)).run()
    } else {
        publish.arg("--no-verify").run()
    }
}

/// A folder with all that is in it.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// What crates.io asks for, and what a reader of it wants to know.
    #[test]
    fn every_published_crate_says_what_it_is() {
        let metadata = cargo().args(["metadata", "--no-deps", "--format-version=1"]).read().unwrap();
        let metadata: Value = serde_json::from_str(&metadata).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let published = || packages.iter().filter(|package| package["publish"].is_null());
        assert!(published().count() >= 13, "{} crates are published", published().count());
        let mut problems = Vec::new();
        for package in published() {
            let name = package["name"].as_str().unwrap();
            for field in ["description", "license", "readme", "repository", "documentation"] {
                if package[field].as_str().is_none_or(str::is_empty) {
                    problems.push(format!("{name} has no {field}"));
                }
            }
            let count = |field: &str| package[field].as_array().map_or(0, Vec::len);
            if !(1..=5).contains(&count("keywords")) || !(1..=5).contains(&count("categories")) {
                problems.push(format!("{name} needs 1 to 5 keywords and categories"));
            }
            for dependency in package["dependencies"].as_array().into_iter().flatten() {
                let needs_version = dependency["kind"] != "dev" && !dependency["path"].is_null();
                if needs_version && dependency["req"] == "*" {
                    problems.push(format!("{name} depends on {} without a version", dependency["name"]));
                }
            }
        }
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}
