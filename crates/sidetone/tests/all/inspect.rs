//! `sidetone inspect` and `--version`: what they say is what is inside.

use crate::common::{listing, run, scratch};
use serde_json::{Value, json};
use sidetone_artifact::{COMPONENT, COMPONENT_SHA256, CORE_MODULE, CORE_SHA256, LIBOPUS_VERSION};
use std::ffi::OsStr;
use std::fs;

#[test]
fn the_embedded_component_is_the_one_that_was_built() {
    let run = run(["inspect", "--json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["component"], json!({ "bytes": COMPONENT.len(), "sha256": COMPONENT_SHA256 }));
    assert_eq!(report["core"], json!({ "bytes": CORE_MODULE.len(), "sha256": CORE_SHA256 }));
    assert_eq!(report["libopus"], LIBOPUS_VERSION);
    assert_eq!(report["imports"], json!([]));
    assert_eq!(
        report["exports"],
        json!(["types", "codec", "packet", "session"].map(|name| format!("sidetone:media/{name}@0.1.0")))
    );
    assert_eq!((&report["world_matches"], &report["embedded"]), (&json!(true), &json!(true)));
    assert!(report["memory_pages"].as_u64() > Some(8));
}

#[test]
fn what_is_extracted_is_the_same_again() {
    let folder = scratch();
    let out = folder.path().join("a/b");
    let written = run([OsStr::new("inspect"), OsStr::new("--extract"), out.as_ref()]);
    assert_eq!(written.code, 0, "{}", written.err);
    assert_eq!(listing(&out), ["inspect.json", "sidetone.component.wasm", "sidetone.core.wasm"]);
    assert_eq!(fs::read(out.join("sidetone.component.wasm")).unwrap(), COMPONENT);
    assert_eq!(fs::read(out.join("sidetone.core.wasm")).unwrap(), CORE_MODULE);
    let described: Value = serde_json::from_slice(&fs::read(out.join("inspect.json")).unwrap()).unwrap();
    assert_eq!(described["core"]["sha256"], CORE_SHA256);

    let again = run([OsStr::new("inspect"), out.join("sidetone.component.wasm").as_ref()]);
    assert_eq!(again.code, 0);
    assert!(again.out.contains("the one inside this program"), "{}", again.out);
}

#[test]
fn a_component_that_differs_is_said_to_differ() {
    let folder = scratch();
    let file = folder.path().join("other.wasm");
    // A custom section, named x, at the end: it runs as ever.
    fs::write(&file, [COMPONENT, &[0, 3, 1, b'x', 0]].concat()).unwrap();
    let people = run([OsStr::new("inspect"), file.as_ref()]);
    assert_eq!(people.code, 0, "{}", people.err);
    let said = format!("other.wasm, NOT the one inside this program ({})", &COMPONENT_SHA256[..12]);
    assert!(people.out.contains(&said), "{}", people.out);
    let programs = run([OsStr::new("inspect"), file.as_ref(), OsStr::new("--json")]);
    let report: Value = serde_json::from_str(&programs.out).unwrap();
    assert_eq!((&report["embedded"], &report["world_matches"]), (&json!(false), &json!(true)));
    assert_eq!(report["embedded_sha256"], COMPONENT_SHA256);
}

#[test]
fn what_is_no_component_is_refused_in_a_sentence() {
    let folder = scratch();
    let mut damaged = COMPONENT.to_vec();
    damaged[40_000..41_000].fill(0xff);
    for (name, bytes, message) in [
        ("nothing", &b""[..], "it has no bytes"),
        ("text", b"hello world", "it begins with the bytes 68 65 6c 6c, not with 00 61 73 6d"),
        ("core.wasm", CORE_MODULE, "it is a core module; `inspect` wants the component around it"),
        ("future.wasm", b"\0asm\x09\0\x07\0", "it is WebAssembly of a version not known here"),
        ("cut.wasm", &COMPONENT[..100_000], "it is "),
        ("bare.wasm", &COMPONENT[..8], "it holds no core module"),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let run = run([OsStr::new("inspect"), file.as_ref()]);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{name}");
        let sentence = format!("error: {} is no WebAssembly component: {message}", file.display());
        assert!(run.err.starts_with(&sentence) && run.err.lines().count() == 1, "{}", run.err);
    }
    // It comes apart, but does not run.
    let file = folder.path().join("damaged.wasm");
    fs::write(&file, damaged).unwrap();
    let run = run([OsStr::new("inspect"), file.as_ref()]);
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
}

#[test]
fn the_version_names_everything_that_decides_what_comes_out() {
    for option in ["--version", "-V"] {
        let run = run([option]);
        let expected = format!(
            "sidetone {} (component {}, libopus {LIBOPUS_VERSION}, wasmtime 48.",
            env!("CARGO_PKG_VERSION"),
            &COMPONENT_SHA256[..12]
        );
        assert!(run.code == 0 && run.out.starts_with(&expected), "{}", run.out);
    }
}

#[test]
fn help_teaches_by_example() {
    for subcommand in ["transcode", "conformance", "inspect"] {
        let run = run([subcommand, "--help"]);
        assert_eq!(run.code, 0);
        assert!(run.out.contains(&format!("Examples:\n  sidetone {subcommand}")), "{}", run.out);
    }
    assert_eq!(run(["transcode", "-h"]).code, 0);
    assert_eq!(run(Vec::<&str>::new()).code, 2);
}
