//! Tells the program which wasmtime it runs on and which rustc made it, for `sidetone --version`: no crate says so itself.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    let here = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let here = Path::new(&here);
    // In the workspace the lock file stands at its root; in a published package, beside the manifest.
    let lock = ["Cargo.lock", "../../Cargo.lock"].iter().map(|path| here.join(path)).find(|path| path.is_file());
    let version = lock.and_then(|lock| {
        println!("cargo::rerun-if-changed={}", lock.display());
        version_in(&fs::read_to_string(lock).ok()?)
    });
    println!("cargo::rustc-env=SIDETONE_WASMTIME_VERSION={}", version.as_deref().unwrap_or("48"));
    println!("cargo::rustc-env=SIDETONE_RUSTC_VERSION={}", rustc().as_deref().unwrap_or("rustc"));
}

/// `rustc 1.95.0`, without the hash and the date.
fn rustc() -> Option<String> {
    let said = Command::new(env::var_os("RUSTC")?).arg("--version").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    Some(said.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

fn version_in(lock: &str) -> Option<String> {
    let (_, entry) = lock.split_once("name = \"wasmtime\"\nversion = \"")?;
    Some(entry.split_once('"')?.0.to_owned())
}
