//! The program as it is given out: built apart from what is developed with, and without a word of where.

use crate::sh::{Cmd, cargo, root, target_dir};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;

/// Where it is built. Apart: other flags than everybody's would compile everybody's wasmtime anew.
const FOLDER: &str = "release-build";

/// Builds the program with the profile `dist`, and returns the file.
///
/// wasmtime is compiled once more for it, the first time.
pub(crate) fn program() -> Result<PathBuf> {
    let folder = target_dir().join(FOLDER);
    let host = host_triple()?;
    let mut build = cargo()
        .args(["build", "--locked", "--profile", "dist", "--package", "sidetone", "--target-dir"])
        .arg(&folder)
        .quiet_env("CARGO_ENCODED_RUSTFLAGS", rustflags()?);
    // Of the C that comes along (libopus, SQLite, wasmtime's), not of libopus in the component, which has its own.
    for (name, flags) in c_flags(&host)? {
        build = build.quiet_env(&name, flags);
    }
    build.run()?;
    let program = folder.join("dist/sidetone").with_extension(std::env::consts::EXE_EXTENSION);
    let bytes = fs::read(&program).with_context(|| format!("cannot read {}", program.display()))?;
    if let Some(named) = named_in(&bytes, &mapped()?) {
        bail!(
            "{} names {}, where it was built: it would not be the same elsewhere",
            program.display(),
            named.display()
        );
    }
    Ok(program)
}

/// The system that is built for.
pub(crate) fn host_triple() -> Result<String> {
    let said = Cmd::new("rustc").arg("-vV").read()?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned);
    host.context("rustc -vV names no host")
}

/// For `CARGO_ENCODED_RUSTFLAGS`: paths in texts of panics become names.
pub(crate) fn rustflags() -> Result<String> {
    let flags = mapped()?.map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display()));
    Ok(flags.join("\u{1f}"))
}

fn c_flags(host: &str) -> Result<[(String, String); 2]> {
    let flags = mapped()?.map(|(path, name)| format!("-ffile-prefix-map={}={name}", path.display())).join(" ");
    let host = host.replace('-', "_");
    Ok([format!("CFLAGS_{host}"), format!("CXXFLAGS_{host}")].map(|name| (name, flags.clone())))
}

/// The folders that bytes could depend on, and what stands for each; of two that fit the last one counts.
fn mapped() -> Result<[(PathBuf, &'static str); 3]> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo"))).context("set CARGO_HOME")?;
    Ok([(root(), "/sidetone"), (target_dir(), "/target"), (home, "/cargo")])
}

/// The first of the folders that stands somewhere in the bytes.
fn named_in(bytes: &[u8], folders: &[(PathBuf, &str)]) -> Option<PathBuf> {
    let stands = |folder: &PathBuf| {
        let wanted = folder.as_os_str().as_encoded_bytes();
        bytes.windows(wanted.len()).any(|window| window == wanted)
    };
    folders.iter().map(|(folder, _)| folder).find(|folder| stands(folder)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_names_where_it_was_built_is_found_out() {
        let folders = [("/home/someone/sidetone".into(), "/sidetone"), ("/home/someone/.cargo".into(), "/cargo")];
        assert_eq!(named_in(b"at /cargo/registry/src/lib.rs", &folders), None);
        let named = named_in(b"\0at /home/someone/.cargo/registry/src/lib.rs\0", &folders);
        assert_eq!(named, Some("/home/someone/.cargo".into()));
    }
}
