//! Builds the component, and tells the two things that identify it.

#[path = "build/wasm.rs"]
mod wasm;

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    if let Err(message) = build() {
        println!("cargo::error={message}");
        std::process::exit(1);
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    let component = match prebuilt() {
        Some(file) => fs::read(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?,
        None => wasm::component("sidetone-component")?,
    };
    let core = core_module(&component)?;

    write(&out.join("sidetone.component.wasm"), &component)?;
    write(&out.join("sidetone.core.wasm"), core)?;
    println!("cargo:rustc-env=SIDETONE_COMPONENT_SHA256={}", sha256(&component));
    println!("cargo:rustc-env=SIDETONE_CORE_SHA256={}", sha256(core));
    println!("cargo:rustc-env=SIDETONE_COMPILERS={}", compilers(core)?);
    Ok(())
}

/// In the published package, the component that was built when it was packed: its sources are not there.
fn prebuilt() -> Option<PathBuf> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let file = here.join("prebuilt/sidetone.component.wasm");
    (!here.join("../component/Cargo.toml").is_file() && file.is_file()).then_some(file)
}

/// The core module inside the component: byte for byte what a browser loads. (`wit-component` adds two of some hundred
/// bytes that tie the destructors of resources to it; they hold no code of ours.)
fn core_module(component: &[u8]) -> Result<&[u8], String> {
    let mut modules = Vec::new();
    let mut depth = 0;
    for payload in wasmparser::Parser::new(0).parse_all(component) {
        match payload.map_err(|error| format!("the component does not parse: {error}"))? {
            wasmparser::Payload::ModuleSection { unchecked_range, .. } if depth == 0 => {
                modules.push(unchecked_range);
                depth += 1;
            }
            wasmparser::Payload::ModuleSection { .. } | wasmparser::Payload::ComponentSection { .. } => depth += 1,
            wasmparser::Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    modules
        .into_iter()
        .map(|range| &component[range.start as usize..range.end as usize])
        .max_by_key(|module| module.len())
        .ok_or_else(|| "the component holds no core module".to_owned())
}

/// What made the core module, as it says itself: `clang 19.1.7, rustc 1.95.0`.
fn compilers(core: &[u8]) -> Result<String, String> {
    let unreadable = |error| format!("the core module does not say what made it: {error}");
    let mut found = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(core) {
        let wasmparser::Payload::CustomSection(section) = payload.map_err(unreadable)? else { continue };
        let wasmparser::KnownCustom::Producers(fields) = section.as_known() else { continue };
        for field in fields {
            let field = field.map_err(unreadable)?;
            for value in field.values {
                let value = value.map_err(unreadable)?;
                let version = value.version.split(' ').next().unwrap_or_default();
                // Distributions call theirs `Debian clang`.
                if let Some(name) = ["clang", "rustc"].iter().find(|name| value.name.ends_with(**name)) {
                    found.push(format!("{name} {version}"));
                }
            }
        }
    }
    found.sort();
    Ok(found.join(", "))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
