//! Looks for each tool. Starts as few programs as possible: it runs before every command.

use super::Need;
use super::packages::{Manager, Package};
use crate::sh::{Cmd, root, which};
use anyhow::{Context, Result};
use std::fmt;
use std::path::{Path, PathBuf};

/// What the component is compiled for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Names the clang to use, for `crates/opus-wasm-sys` too.
const CLANG_VARIABLE: &str = "SIDETONE_CLANG";

/// Oldest Node.js that runs the transpiler and the tests.
const NODE: u32 = 18;

/// How a tool gets here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cure {
    /// `rustup target add`.
    Rustup,
    /// The system's package manager.
    Package(Package),
    /// `cargo install`: crate, version, and whether with the versions that its author tested.
    Cargo { name: &'static str, version: String, locked: bool },
    /// The user, told how.
    ByHand(String),
}

/// A tool that is not there.
#[derive(Debug)]
pub(super) struct Missing {
    pub(super) what: String,
    /// What it is for.
    why: &'static str,
    pub(super) cure: Cure,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.why)
    }
}

/// A tool that was looked for, and how it is there.
pub(super) struct Finding {
    pub(super) name: &'static str,
    pub(super) need: Need,
    pub(super) found: std::result::Result<String, Missing>,
}

/// Looks for everything that `needs` name.
pub(super) fn find(needs: &[Need]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for &need in needs {
        let mut add = |name, found| findings.push(Finding { name, need, found });
        match need {
            Need::Build => {
                let sysroot = Cmd::new("rustc").args(["--print", "sysroot"]).remedy("install Rust: https://rustup.rs");
                let rustlib = Path::new(sysroot.read()?.trim()).join("lib/rustlib");
                add("Rust target", rust_target(&rustlib));
                add("wasm linker", wasm_linker(&rustlib));
                add("clang", wasm_clang());
                if !cfg!(windows) {
                    add("C compiler", program(&["cc"], "C compiler", "links Rust programs", Package::Cc));
                    add("make", program(&["make"], "make", LIBOPUS, Package::Make));
                }
                add("cmake", program(&["cmake"], "cmake", LIBOPUS, Package::Cmake));
            }
            Need::Fuzz => add("C++ compiler", cxx()),
            Need::Node => add("Node.js", node()?),
            Need::Broker => add("mosquitto", mosquitto()),
            Need::Queue => match nats_server() {
                Err(_) if Manager::find().is_none_or(|manager| !manager.offers(Package::NatsServer)) => println!(
                    "note: there is no nats-server, and no package of it here: the tests of `sidetone worker` will say \
                     that they skip (https://nats.io has it)"
                ),
                found => add("nats-server", found),
            },
            Need::Web => {
                add("wasm-pack", cargo_tool("wasm-pack", "wasm-pack", WASM_PACK, true));
                add("wasm-bindgen", cargo_tool("wasm-bindgen", "wasm-bindgen-cli", &wasm_bindgen()?, false));
            }
            Need::Browser => add("Chromium", chromium()),
            Need::Python => add("Python", program(&["python3"], "Python 3", "one of the hosts", Package::Python)),
            Need::Dist => add("cargo-deb", cargo_tool("cargo-deb", "cargo-deb", CARGO_DEB, true)),
            Need::Promtool => {
                let why = "checks the alert rules for Prometheus";
                add("promtool", program(&["promtool"], "promtool", why, Package::Prometheus));
            }
            Need::Counts => {
                add("valgrind", program(&["valgrind"], "valgrind", "counts instructions", Package::Valgrind));
            }
        }
    }
    Ok(findings)
}

/// The wasm-pack that the page is built with.
const WASM_PACK: &str = "0.15.1";

/// The cargo-deb that makes the Debian package.
const CARGO_DEB: &str = "3.8.0";

/// The version of the tool must be that of the crate, to the last digit.
fn wasm_bindgen() -> Result<String> {
    let file = root().join("web/device/Cargo.toml");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let version = text.lines().find_map(|line| line.strip_prefix("wasm-bindgen = \"=")?.strip_suffix('"'));
    version.map(str::to_owned).with_context(|| format!("{} pins no wasm-bindgen", file.display()))
}

fn cargo_tool(program: &str, name: &'static str, version: &str, locked: bool) -> std::result::Result<String, Missing> {
    let there = which(program).and_then(|file| Cmd::new(file).arg("--version").read().ok());
    if there.as_deref().is_some_and(|said| said.split_whitespace().nth(1) == Some(version)) {
        return Ok(version.to_owned());
    }
    let cure = Cure::Cargo { name, version: version.to_owned(), locked };
    let why = if name == "cargo-deb" { "makes the Debian package" } else { "builds the device page" };
    Err(Missing { what: format!("{name} {version}"), why, cure })
}

fn chromium() -> std::result::Result<String, Missing> {
    if let Some(named) = std::env::var_os("SIDETONE_CHROMIUM") {
        return Ok(named.to_string_lossy().into_owned());
    }
    let names = ["chromium", "chromium-browser", "google-chrome"];
    program(&names, "Chromium", "the device page is tested in it", Package::Chromium)
}

const LIBOPUS: &str = "builds the native libopus that the component is compared with";

fn rust_target(rustlib: &Path) -> std::result::Result<String, Missing> {
    if rustlib.join(TARGET).join("lib").is_dir() {
        return Ok(TARGET.to_owned());
    }
    let what = format!("the Rust target {TARGET}");
    Err(Missing { what, why: "the component is compiled for it", cure: Cure::Rustup })
}

/// rustup brings a linker; distributions' own Rust uses LLVM's.
fn wasm_linker(rustlib: &Path) -> std::result::Result<String, Missing> {
    let own = rustlib.read_dir().into_iter().flatten().flatten().any(|entry| {
        entry.path().join("bin").join("rust-lld").with_extension(std::env::consts::EXE_EXTENSION).is_file()
    });
    if own {
        return Ok("rust-lld".to_owned());
    }
    program(&["wasm-ld", "lld"], "lld", "links the component", Package::Lld)
}

fn wasm_clang() -> std::result::Result<String, Missing> {
    if let Some(clang) = clang() {
        return Ok(format!("{} with the wasm32 target", clang.display()));
    }
    let what = "a clang that compiles for wasm32".to_owned();
    let cure = match std::env::var_os(CLANG_VARIABLE) {
        None => Cure::Package(Package::Clang),
        Some(named) => Cure::ByHand(format!(
            "{CLANG_VARIABLE}={} is none: unset it, or let it name a clang of version 14 or newer",
            named.display()
        )),
    };
    Err(Missing { what, why: "compiles libopus for the component", cure })
}

fn cxx() -> std::result::Result<String, Missing> {
    if let Some(clangxx) = clang().and_then(|clang| clang_beside(&clang, "clang++")) {
        return Ok(clangxx.display().to_string());
    }
    let names: &[&str] = if cfg!(windows) { &["cl", "c++"] } else { &["c++", "g++"] };
    program(names, "C++ compiler", "builds libFuzzer", Package::Cxx)
}

/// Oldest Node.js that builds the page: its bundler's.
const NODE_FOR_PAGE: (u32, u32) = (20, 19);

/// Sees to it that Node.js can build the page.
pub(super) fn node_for_page() -> Result<()> {
    let version = Cmd::new("node").arg("--version").read()?;
    let (major, minor) = NODE_FOR_PAGE;
    anyhow::ensure!(
        release(&version).is_some_and(|there| there >= NODE_FOR_PAGE),
        "it needs Node.js {major}.{minor} or newer, and there is {}: install it from https://nodejs.org",
        version.trim()
    );
    Ok(())
}

fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn node() -> Result<std::result::Result<String, Missing>> {
    const WHY: &str = "runs the component as browsers do; `cargo xtask test --quick` does without";
    let missing = |what: &str| {
        let how = format!(
            "install Node.js {NODE} or newer with npm, from https://nodejs.org or as the packages nodejs and npm"
        );
        Err(Missing { what: what.to_owned(), why: WHY, cure: Cure::ByHand(how) })
    };
    if which("node").is_none() {
        return Ok(missing("Node.js"));
    }
    let version = Cmd::new("node").arg("--version").read()?;
    let version = version.trim();
    Ok(match (release(version).map(|(major, _)| major), which("npm").or_else(|| which("npm.cmd"))) {
        (Some(NODE..), Some(_)) => Ok(format!("{version} with npm")),
        (Some(NODE..), None) => missing("npm"),
        _ => missing(&format!("Node.js {NODE} or newer (there is {version})")),
    })
}

fn mosquitto() -> std::result::Result<String, Missing> {
    daemon("mosquitto", "the MQTT broker that the gateway is tested with", Package::Mosquitto)
}

fn nats_server() -> std::result::Result<String, Missing> {
    daemon("nats-server", "the queue that batches and workers are tested with", Package::NatsServer)
}

/// A daemon: not on the path of every user.
fn daemon(name: &str, why: &'static str, package: Package) -> std::result::Result<String, Missing> {
    let folders = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];
    let mut files = folders.iter().map(|folder| Path::new(folder).join(name));
    match files.find(|file| file.is_file()) {
        Some(file) => Ok(file.display().to_string()),
        None => program(&[name], name, why, package),
    }
}

fn program(names: &[&str], what: &str, why: &'static str, package: Package) -> std::result::Result<String, Missing> {
    let found = names.iter().find_map(which);
    found.map(|file| file.display().to_string()).ok_or(Missing {
        what: what.to_owned(),
        why,
        cure: Cure::Package(package),
    })
}

/// The clang that `crates/opus-wasm-sys` takes too: the one named by `SIDETONE_CLANG`, or the newest that has the wasm32
/// target.
pub(crate) fn clang() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(CLANG_VARIABLE) {
        return Some(PathBuf::from(named)).filter(|clang| has_wasm_target(clang));
    }
    let versioned = (14..=llvm_of_rustc()).rev().map(|version| format!("clang-{version}"));
    versioned.chain(["clang".to_owned()]).filter_map(which).find(|clang| has_wasm_target(clang))
}

/// Whose bitcode Rust's linker reads: that of clangs as old as its own LLVM, and older.
pub(super) fn llvm_of_rustc() -> u32 {
    let said = Cmd::new("rustc").arg("-vV").read().unwrap_or_default();
    let version = said.lines().find_map(|line| line.strip_prefix("LLVM version: ")?.split('.').next()?.parse().ok());
    version.unwrap_or(20)
}

fn has_wasm_target(clang: &Path) -> bool {
    // One that cannot be started is as good as none.
    let printed = Cmd::new(clang).arg("-print-targets").output();
    printed.is_ok_and(|output| output.status.success() && String::from_utf8_lossy(&output.stdout).contains("wasm32"))
}

/// A tool of the same LLVM: `clang++` beside `clang`, `clang++-14` beside `clang-14`.
pub(crate) fn clang_beside(clang: &Path, tool: &str) -> Option<PathBuf> {
    let name = clang.file_name()?.to_str()?.replacen("clang", tool, 1);
    which(clang.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_read() {
        assert_eq!(release("v18.20.8\n"), Some((18, 20)));
        assert_eq!(release("v6"), None);
        assert_eq!(release("nightly"), None);
    }

    #[test]
    fn what_is_missing_is_named_with_its_purpose() {
        let missing = program(&["no-such-program-here"], "cmake", LIBOPUS, Package::Cmake).unwrap_err();
        assert_eq!(missing.to_string(), "cmake (builds the native libopus that the component is compared with)");
        assert_eq!(missing.cure, Cure::Package(Package::Cmake));
    }
}
