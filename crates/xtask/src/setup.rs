//! Finds out what this machine lacks, says so, says how it will be installed, and only then installs it.

mod packages;
mod tools;

pub(crate) use tools::{clang, clang_beside};

use crate::folder::forget;
use crate::sh::{Cmd, cargo, os, target_dir, which};
use anyhow::{Result, bail};
use packages::{Manager, Package};
use std::path::PathBuf;
use tools::{Cure, Finding, Missing};

/// What a command needs of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// To build and test in Rust: the wasm32 target and clang for the component, cmake for the native libopus.
    Build,
    /// A C++ compiler, for libFuzzer.
    Fuzz,
    /// Node.js and npm, for the browser's half. Never installed from here.
    Node,
    /// wasm-pack and wasm-bindgen, for the device page.
    Web,
    /// Chromium, to test the device page in.
    Browser,
    /// An MQTT broker, for tests.
    Broker,
    /// Python, for the example of how to embed the component there.
    Python,
    /// cargo-deb, for the Debian package.
    Dist,
    /// A NATS server, for tests of batches on many machines.
    Queue,
    /// Prometheus' promtool, for tests; they say so where they go without.
    Promtool,
    /// valgrind, to count the instructions of native parts; tests say so where they go without.
    Counts,
}

/// Look for the tools that the other commands need, and install what is missing.
///
/// Says what is missing and what it will run before it installs anything. The wasm32 target comes through rustup; clang,
/// lld, cmake, make and, for the tests, mosquitto and nats-server through the system's package manager (apt-get, dnf,
/// zypper, pacman, apk or brew), with sudo where you are not root. Node.js, and what the device page is built with and
/// tested in, are only looked for.
///
/// All other commands do this first by themselves.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only report; exit code 1 if something is missing.
    #[arg(long)]
    check: bool,
}

/// Without these everything but the browser's half can be built.
const OPTIONAL: [Need; 5] = [Need::Node, Need::Web, Need::Browser, Need::Promtool, Need::Counts];

pub(crate) fn main(args: &Args) -> Result<()> {
    let findings = tools::find(&[
        Need::Build,
        Need::Fuzz,
        Need::Broker,
        Need::Queue,
        Need::Node,
        Need::Web,
        Need::Browser,
        Need::Promtool,
        Need::Counts,
    ])?;
    for finding in &findings {
        println!("{:<14} {}", finding.name, finding.found.as_deref().unwrap_or("MISSING"));
    }
    let (optional, required): (Vec<_>, Vec<_>) = findings.into_iter().partition(|f| OPTIONAL.contains(&f.need));
    let (optional, required) = (lacking(optional), lacking(required));
    if args.check && !required.is_empty() {
        announce(&required);
        bail!("{} tool(s) missing; `cargo xtask setup` installs what it can", required.len());
    }
    install(required, &[Need::Build, Need::Fuzz, Need::Broker, Need::Queue])?;
    announce(&optional);
    match optional.first() {
        None => println!("Everything is there."),
        Some(Missing { cure: Cure::ByHand(how), .. }) => println!("Everything else is there. To have that too, {how}."),
        Some(_) => println!("Everything else is there."),
    }
    Ok(())
}

fn announce(lacking: &[Missing]) {
    lacking.iter().for_each(|missing| println!("missing: {missing}"));
}

/// Sees to it that everything for `needs` is there; silent if it is.
pub(crate) fn ensure(needs: &[Need]) -> Result<()> {
    install(lacking(tools::find(needs)?), needs)
}

/// Whether Node.js is one that builds the page.
pub(crate) fn ensure_node_for_page() -> Result<()> {
    tools::node_for_page()
}

fn lacking(findings: Vec<Finding>) -> Vec<Missing> {
    findings.into_iter().filter_map(|finding| finding.found.err()).collect()
}

fn install(lacking: Vec<Missing>, needs: &[Need]) -> Result<()> {
    if lacking.is_empty() {
        return Ok(());
    }
    announce(&lacking);
    // What only the user can do is said before anything is changed.
    for missing in &lacking {
        if let Cure::ByHand(how) = &missing.cure {
            bail!("{} is missing: {how}", missing.what);
        }
    }
    let packages: Vec<Package> =
        lacking.iter().filter_map(|m| if let Cure::Package(p) = m.cure { Some(p) } else { None }).collect();
    let plan = if packages.is_empty() { None } else { Some(packages::plan(Manager::find(), &packages)?) };
    let target = lacking.iter().any(|missing| missing.cure == Cure::Rustup).then(rustup).transpose()?;
    let cargo: Vec<Cmd> = lacking.iter().filter_map(|missing| cargo_install(&missing.cure)).collect();

    let others = target.iter().chain(&cargo).map(|cmd| cmd.shown().to_owned());
    for command in plan.iter().map(packages::Plan::shown).chain(others) {
        println!("will run: {command}");
    }
    if let Some(effect) = plan.as_ref().and_then(packages::Plan::side_effect) {
        println!("{effect}");
    }
    if let Some(plan) = plan {
        plan.run()?;
    }
    if let Some(target) = target {
        target.run()?;
    }
    for tool in cargo {
        tool.run()?;
    }
    forget(&tools_dir())?;
    if let Some(missing) = self::lacking(tools::find(needs)?).first() {
        bail!("installed, but still missing: {missing}");
    }
    Ok(())
}

/// Unoptimised and without what a debugger wants: these tools run for a second, and take minutes to compile. They share
/// what both need.
fn cargo_install(cure: &Cure) -> Option<Cmd> {
    let Cure::Cargo { name, version, locked } = cure else { return None };
    let locked = locked.then_some("--locked");
    Some(
        cargo()
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .args(["install", "--debug", name, "--version", version])
            .args(locked)
            .args(os(&[&"--target-dir", &tools_dir()]))
            .remedy("it needs crates.io, or a mirror of it"),
    )
}

/// Where tools are compiled; nothing of it is needed afterwards.
fn tools_dir() -> PathBuf {
    target_dir().join("tools")
}

fn rustup() -> Result<Cmd> {
    let what = format!("the Rust target {}", tools::TARGET);
    if which("rustup").is_none() {
        bail!(
            "{what} is missing and there is no rustup to add it: install it from where this Rust comes from, or install \
             Rust through https://rustup.rs"
        );
    }
    Ok(Cmd::new("rustup").args(["target", "add", tools::TARGET]).remedy("it downloads from static.rust-lang.org"))
}
