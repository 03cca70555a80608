//! The contract: what the component exports, and that it asks its host for nothing.

use sha2::{Digest, Sha256};
use sidetone_artifact::{COMPONENT, COMPONENT_SHA256, CORE_MODULE, CORE_SHA256, LIBOPUS_VERSION};
use sidetone_tests::{raw, to_hex};
use std::fs;
use std::path::Path;
use wasmparser::{Encoding, Parser, Payload, TypeRef};
use wit_component::{DecodedWasm, WitPrinter};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/processor.wit");

/// The component's interface in WIT, as it is written in its binary form: no comments.
fn interface() -> String {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(COMPONENT).unwrap() else {
        panic!("not a component")
    };
    let package = resolve.worlds[world].package.unwrap();
    let others: Vec<_> = resolve.packages.iter().map(|(id, _)| id).filter(|&id| id != package).collect();
    let mut printer = WitPrinter::default();
    printer.print(&resolve, package, &others).unwrap();
    printer.output.to_string()
}

#[test]
fn the_interface_is_the_golden_one() {
    let (ours, golden) = (interface(), Path::new(GOLDEN));
    if std::env::var_os("SIDETONE_BLESS").is_some_and(|value| value == "1") {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::write(golden, &ours).unwrap();
    }
    let expected = fs::read_to_string(golden).unwrap_or_default();
    let difference = ours.lines().zip(expected.lines()).position(|(a, b)| a != b);
    let line = difference.unwrap_or_else(|| ours.lines().count().min(expected.lines().count()));
    assert!(
        ours == expected,
        "the component's interface differs from tests/golden/processor.wit at line {}:\n  golden: {}\n  now:    {}\n\
         If that is meant, embedders and the browser have to follow: run this test again with SIDETONE_BLESS=1",
        line + 1,
        expected.lines().nth(line).unwrap_or("(end)"),
        ours.lines().nth(line).unwrap_or("(end)"),
    );
}

#[test]
fn four_interfaces_are_exported_and_nothing_is_imported() {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(COMPONENT).unwrap() else {
        panic!("not a component")
    };
    let world = &resolve.worlds[world];
    assert_eq!(world.imports.len(), 0);
    let names: Vec<_> = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
    let mut sorted = names.clone();
    sorted.sort();
    let expected = ["codec", "packet", "session", "types"].map(|name| format!("sidetone:media/{name}@0.1.0"));
    assert_eq!(sorted, expected);
}

#[test]
fn no_string_crosses_the_boundary() {
    let wit = interface();
    let words: Vec<_> = wit.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
    assert!(words.contains(&"stream") && words.contains(&"list"), "the words are those of the interface");
    for kind in ["string", "char", "f32", "f64", "future"] {
        assert!(!words.contains(&kind), "{kind}");
    }
    // And so the component has no use for a text encoding.
    for payload in Parser::new(0).parse_all(COMPONENT) {
        let Payload::ComponentCanonicalSection(section) = payload.unwrap() else { continue };
        for function in section {
            let (wasmparser::CanonicalFunction::Lift { options, .. }
            | wasmparser::CanonicalFunction::Lower { options, .. }) = function.unwrap()
            else {
                continue;
            };
            assert!(!options.contains(&wasmparser::CanonicalOption::UTF16));
            assert!(!options.contains(&wasmparser::CanonicalOption::CompactUTF16));
        }
    }
}

/// What each module and component inside imports, by depth.
#[test]
fn no_import_reaches_the_outside() {
    let mut encodings = Vec::new();
    let mut core_imports = Vec::new();
    for payload in Parser::new(0).parse_all(COMPONENT) {
        match payload.unwrap() {
            Payload::Version { encoding, .. } => encodings.push(encoding),
            Payload::End(_) => drop(encodings.pop()),
            Payload::ComponentImportSection(section) => {
                // Components inside may name types of the one around them; only the outermost could ask the host.
                assert!(encodings.len() > 1, "the component imports {:?}", section.into_iter().next());
            }
            Payload::ImportSection(section) => {
                assert_eq!(encodings.last(), Some(&Encoding::Module));
                for import in section.into_imports() {
                    let import = import.unwrap();
                    core_imports.push((import.module.to_owned(), import.name.to_owned(), import.ty));
                }
            }
            _ => {}
        }
    }
    // Most imports are handles of our own resources, which the component model itself provides; the rest is how
    // wit-component ties destructors to the module: functions and a table that small modules beside it hand on.
    let (handles, ties): (Vec<_>, Vec<_>) =
        core_imports.iter().partition(|(module, ..)| module.starts_with("[export]"));
    assert!(!handles.is_empty());
    for (module, name, kind) in handles {
        assert!(module.starts_with("[export]sidetone:media/"), "{module} {name}");
        assert!(["[resource-new]", "[resource-rep]", "[resource-drop]"].iter().any(|p| name.starts_with(p)), "{name}");
        assert!(matches!(kind, TypeRef::Func(_)), "{module} {name}");
    }
    for (module, name, _) in ties {
        let numbered = name.bytes().all(|byte| byte.is_ascii_digit());
        assert!(
            ["", "shim", "actual"].contains(&module.as_str()) && (numbered || name == "$imports"),
            "{module:?} {name:?}"
        );
    }
}

#[test]
fn the_artifact_is_what_it_says() {
    assert_eq!(to_hex(&Sha256::digest(COMPONENT)), COMPONENT_SHA256);
    assert_eq!(to_hex(&Sha256::digest(CORE_MODULE)), CORE_SHA256);
    assert!(
        COMPONENT.windows(CORE_MODULE.len()).any(|part| part == CORE_MODULE),
        "the component holds the core module"
    );
    assert!(Parser::is_component(COMPONENT) && Parser::is_core_wasm(CORE_MODULE));
    assert!(CORE_MODULE.len() < 700_000, "{} bytes", CORE_MODULE.len());
    assert!(COMPONENT.len() < CORE_MODULE.len() + 40_000, "{} bytes around the module", COMPONENT.len());
}

#[test]
fn the_bytes_do_not_tell_where_they_were_built() {
    let home = std::env::var("HOME").unwrap_or_default();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_string_lossy().into_owned();
    for place in [home, workspace].iter().filter(|place| place.len() > 1) {
        let found = COMPONENT.windows(place.len()).position(|part| part == place.as_bytes());
        assert_eq!(found, None, "{place} at byte {found:?}");
    }
}

#[test]
fn the_component_tells_its_libopus() {
    let raw::Guest { mut store, exports } = raw::Guest::new();
    let (major, minor, patch) = exports.sidetone_media_codec().call_libopus_version(&mut store).unwrap();
    assert_eq!(format!("{major}.{minor}.{patch}"), LIBOPUS_VERSION);
}

#[test]
fn every_valid_bit_of_the_module_is_plain_wasm_simd() {
    let features = wasmparser::WasmFeatures::WASM2 | wasmparser::WasmFeatures::COMPONENT_MODEL;
    assert!(!features.contains(wasmparser::WasmFeatures::RELAXED_SIMD | wasmparser::WasmFeatures::THREADS));
    wasmparser::Validator::new_with_features(features).validate_all(COMPONENT).unwrap();
}
