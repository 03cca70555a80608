//! The component in other hosts: runs the examples of docs/embedding, each in what its users would install.

use crate::folder::fresh;
use crate::npm::npm;
use crate::setup::{self, Need};
use crate::sh::{Cmd, cargo, os, root, target_dir};
use crate::{python, run};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The examples.
const EXAMPLES: &str = "docs/embedding";

/// wasmtime-py, of the series that the host uses.
const WASMTIME_PY: &str = "wasmtime==48.0.0";

/// How the examples of sessions end.
const LAST: &str = "the same again: replayed(3)";

/// Runs all examples. Wants web/media and web/node built.
pub(crate) fn test() -> Result<()> {
    let folder = target_dir().join("hosts");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    run::sidetone()?.args(os(&[&"inspect", &"--extract", &folder])).run()?;
    let component = folder.join("sidetone.component.wasm");

    cargo().args(["build", "--workspace", "--examples"]).run()?;
    let example = target_dir().join("debug/examples/session").with_extension(std::env::consts::EXE_EXTENSION);
    // A busy machine may miss a deadline, as the example's own test knows.
    let rust = || Cmd::new(&example).run();
    rust().or_else(|_| rust()).or_else(|_| rust())?;
    let session = javascript(&folder)?;
    if setup::ensure(&[Need::Python]).is_err() {
        println!("not run, for there is no Python 3 with venv: session.py, session.c");
        return Ok(());
    }
    let wasmtime = python(&folder, &component, &session)?;
    c(&folder, &component, &wasmtime, &codec(&session)?)
}

/// Both npm packages as their users have them: packed, and installed into an empty folder. Returns what the session printed.
fn javascript(folder: &Path) -> Result<String> {
    let (tarballs, project) = (folder.join("tarballs"), folder.join("npm"));
    for made in [&tarballs, &project] {
        fresh(made)?;
    }
    fs::write(project.join("package.json"), "{\"private\": true}\n").context("cannot write package.json")?;
    let mut install = npm("web").args(["install", "--offline", "--no-audit", "--no-fund", "--prefix"]).arg(&project);
    for package in crate::node::PACKAGES {
        install = install.arg(crate::node::pack(package, &tarballs)?);
    }
    install.run()?;
    let script = project.join("session.mjs");
    fs::copy(root().join(EXAMPLES).join("session.mjs"), &script).context("cannot copy session.mjs")?;
    let said = Cmd::new("node").arg(&script).read()?;
    print!("{said}");
    if said.lines().count() != 4 || said.lines().last() != Some(LAST) {
        bail!("session.mjs should print three packets, and `{LAST}`");
    }
    Cmd::new("node").arg(project.join("node_modules/@sidetone/node/check.cjs")).args(["20", "2", "20000"]).run()?;
    from_the_node_gateway(&tarballs)?;
    Ok(said)
}

/// What the book tells those who come from the Node gateway, done in a gateway's folder: an empty one with the tarball.
fn from_the_node_gateway(tarballs: &Path) -> Result<()> {
    let page = fs::read_to_string(root().join("docs/node-gateway.md")).context("cannot read docs/node-gateway.md")?;
    let block = |language: &str| {
        let begun = page.split_once(&format!("```{language} run-by: crates/xtask/src/hosts.rs\n"));
        let block = begun.and_then(|(_, rest)| rest.split_once("```")).map(|(block, _)| block.to_owned());
        block.with_context(|| format!("docs/node-gateway.md has no block of {language} that is run from here"))
    };
    fs::write(tarballs.join("package.json"), "{\"private\": true}\n").context("cannot write package.json")?;
    // The check has deadlines of 50 ms, as gateways have: a busy machine may miss one.
    let shell =
        || Cmd::new("sh").args(["-euc", &block("sh")?]).inside(tarballs).env("npm_config_offline", "true").run();
    shell().or_else(|_| shell()).or_else(|_| shell())?;
    let used = "if (![StreamingCrypto, PerformanceMonitor, WorkerPoolManager].every((one) => one?.prototype)) process.exit(1);";
    Cmd::new("node").arg("--eval").arg(block("js")? + used).inside(tarballs).run()
}

/// What the example in C prints: the same frames, without headers of 16 bytes.
fn codec(session: &str) -> Result<String> {
    let mut expected = String::new();
    for (index, line) in session.lines().filter(|line| *line != LAST).enumerate() {
        let bytes = line.split(' ').nth(2).and_then(|bytes| bytes.parse::<u32>().ok());
        let bytes = bytes.with_context(|| format!("`{line}` names no bytes"))? - 16;
        expected += &format!("frame {}: 960 samples, {bytes} bytes, 960 samples\n", index + 1);
    }
    Ok(expected)
}

/// Returns where wasmtime-py lies: its shared library serves C too.
fn python(folder: &Path, component: &Path, session: &str) -> Result<PathBuf> {
    let python = python::with(&[WASMTIME_PY], &folder.join("venv"), "PyPI, or a mirror of it")?;
    expect(Cmd::new(&python).arg(root().join(EXAMPLES).join("session.py")).arg(component), session)?;
    let found = "import os, wasmtime; print(os.path.dirname(wasmtime.__file__))";
    Ok(Cmd::new(&python).args(["-c", found]).read()?.trim().into())
}

/// The headers come with the crate of the C API, and the library with wasmtime-py.
fn c(folder: &Path, component: &Path, wasmtime: &Path, expected: &str) -> Result<()> {
    let library = fs::read_dir(wasmtime)
        .with_context(|| format!("cannot read {}", wasmtime.display()))?
        .flatten()
        .map(|entry| entry.path().join("_libwasmtime.so"))
        .find(|library| library.is_file());
    let Some(library) = library else {
        println!("not run, for {} has no library for this system: session.c", wasmtime.display());
        return Ok(());
    };
    let headers = headers(folder)?;
    // CMake makes this file where the library is built; the wheel has every feature but the one left out.
    let features = fs::read_to_string(headers.join("wasmtime/conf.h.in")).context("the C API has no conf.h.in")?;
    let features = features.replace("#cmakedefine WASMTIME_FEATURE_DISABLE_LOGGING", "");
    let made = folder.join("include/wasmtime");
    fs::create_dir_all(&made).with_context(|| format!("cannot make the folder {}", made.display()))?;
    fs::write(made.join("conf.h"), features.replace("#cmakedefine", "#define")).context("cannot write conf.h")?;
    let program = folder.join("session");
    let source = root().join(EXAMPLES).join("session.c");
    let rpath = format!("-Wl,-rpath,{}", library.parent().unwrap_or(wasmtime).display());
    Cmd::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror"])
        .args(os(&[&"-I", &folder.join("include"), &"-isystem", &headers, &source, &library, &"-lm", &rpath]))
        .args(os(&[&"-o", &program]))
        .run()?;
    expect(Cmd::new(&program).arg(component), expected)
}

/// The headers of the C API, of the wasmtime that Cargo.lock names. Cargo fetches them with the crate.
fn headers(folder: &Path) -> Result<PathBuf> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let version = lock.split_once("name = \"wasmtime\"\nversion = \"").and_then(|(_, rest)| rest.split_once('"'));
    let (version, _) = version.context("Cargo.lock names no wasmtime")?;
    let project = folder.join("c-api");
    fs::create_dir_all(&project).with_context(|| format!("cannot make the folder {}", project.display()))?;
    let manifest = project.join("Cargo.toml");
    let text = format!(
        "[package]\nname = \"c-api-headers\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n[dependencies]\n\
         wasmtime-c-api-impl = {{ version = \"={version}\", default-features = false }}\n"
    );
    fs::write(project.join("lib.rs"), "").context("cannot write lib.rs")?;
    fs::write(&manifest, text).context("cannot write Cargo.toml")?;
    let metadata = cargo().args(["metadata", "--format-version=1", "--manifest-path"]).arg(&manifest);
    let metadata: serde_json::Value = serde_json::from_str(&metadata.remedy("it needs crates.io").read()?)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let api = packages.into_iter().find(|package| package["name"] == "wasmtime-c-api-impl");
    let api =
        api.and_then(|package| package["manifest_path"].as_str()).context("cargo found no wasmtime-c-api-impl")?;
    Ok(Path::new(api).with_file_name("include"))
}

/// Runs an example, which must print just this.
fn expect(command: Cmd, expected: &str) -> Result<()> {
    let shown = command.shown().to_owned();
    println!("$ {shown}");
    let said = command.read()?;
    print!("{said}");
    if said != expected {
        bail!("`{shown}` did not print what the other hosts print:\n{expected}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codec_alone_makes_the_packets_of_a_session_without_their_headers() {
        let session = format!("sequence 1: 201 bytes, 960 samples, audio\n{LAST}\n");
        assert_eq!(codec(&session).unwrap(), "frame 1: 960 samples, 185 bytes, 960 samples\n");
    }
}
