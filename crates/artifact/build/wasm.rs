//! How a component is built here: cargo for wasm32, then `wit-component` around the core module.
//!
//! One place decides: toolchain flags, profile and paths are all here, so that every user of a component (host, tests,
//! browser) gets the same bytes, wherever it was built. Also included by crates/faulty-artifact.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const TARGET: &str = "wasm32-unknown-unknown";
/// What a user runs when the tools for the wasm build are missing.
const REMEDY: &str = "run `cargo xtask setup`";
/// What the component is made of, relative to the workspace.
const SOURCES: [&str; 8] = [
    "wit",
    "crates/component",
    "crates/session",
    "crates/packet",
    "crates/opus",
    "crates/opus-wasm-sys",
    "Cargo.toml",
    "Cargo.lock",
];

/// Builds a package that exports a component, whose folder below `crates` is its name without `sidetone-`.
pub(crate) fn component(package: &str) -> Result<Vec<u8>, String> {
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"))
        .ancestors()
        .nth(2)
        .expect("crates/artifact lies two folders deep")
        .to_owned();
    let own = package.replace("sidetone-", "crates/");
    for source in SOURCES.into_iter().chain([&*own]) {
        println!("cargo:rerun-if-changed={}", workspace.join(source).display());
    }
    println!("cargo:rerun-if-env-changed=SIDETONE_CLANG");

    check_target()?;
    let module = build_module(package, &workspace, &target_dir(&out))?;
    wit_component::ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(wit_component::ComponentEncoder::encode)
        .map_err(|error| format!("the core module does not make a component: {error:#}"))
}

/// rustup's target, without which the build below would only say "can't find crate for `core`".
fn check_target() -> Result<(), String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("cannot run rustc: {error}"))?;
    let libdir = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && libdir.is_dir() {
        return Ok(());
    }
    Err(format!("the component needs Rust's {TARGET} target, which is not installed: {REMEDY}"))
}

/// A target directory of its own, beside the profile's: the outer cargo holds the lock of its own one.
fn target_dir(out: &Path) -> PathBuf {
    let root = out.ancestors().nth(4).expect("OUT_DIR is <target>/<profile>/build/<package>/out");
    root.join("component")
}

fn build_module(package: &str, workspace: &Path, target_dir: &Path) -> Result<Vec<u8>, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--package", package, "--profile", "component", "--target", TARGET])
        .arg("--manifest-path")
        .arg(workspace.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags(workspace).join("\u{1f}"));
    // What the outer build set for itself: clippy's driver, coverage, another profile.
    for variable in ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR"]
    {
        command.env_remove(variable);
    }
    for (name, _) in env::vars() {
        if name.starts_with("CARGO_PROFILE_") || name.starts_with("CARGO_FEATURE_") || name.starts_with("CARGO_CFG_") {
            command.env_remove(name);
        }
    }
    let output = command.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stderr);
        // The sentence of a build script of ours says it all; anything else is for a developer, whole.
        if let Some(sentence) = log.lines().find_map(|line| line.strip_prefix("error: opus-wasm-sys@")) {
            return Err(sentence.split_once(": ").map_or(sentence, |(_, text)| text).to_owned());
        }
        eprintln!("{log}");
        return Err("the component does not compile for wasm32".to_owned());
    }
    let module = target_dir.join(TARGET).join("component").join(package.replace('-', "_")).with_extension("wasm");
    fs::read(&module).map_err(|error| format!("cannot read {}: {error}", module.display()))
}

fn rustflags(workspace: &Path) -> Vec<String> {
    let mut flags = vec![
        "-Ctarget-feature=+simd128".to_owned(),
        // libopus keeps its arrays on the stack; the stack lies first, so that an overflow is a trap.
        "-Clink-arg=-zstack-size=524288".to_owned(),
        // LLVM's loop strength reduction makes a pointer of each array that a loop walks, and each look at the deadline
        // moves all of them through memory. The kernels have pointers where they are better (docs/performance.md).
        "-Clink-arg=-mllvm=-disable-lsr".to_owned(),
    ];
    // The bytes must not depend on where they were built.
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    for (path, name) in [(home, "cargo"), (Some(workspace.to_owned()), "sidetone")] {
        if let Some(path) = path {
            flags.push(format!("--remap-path-prefix={}={name}", path.display()));
        }
    }
    flags
}
