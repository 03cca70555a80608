//! What a thing of ours is made of, in CycloneDX 1.5: from `cargo metadata` and the checksums of Cargo.lock, so it says just
//! what was compiled. Sorted, and without a time or a serial number: the same sources give the same bytes.

use crate::sh::{cargo, root};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// libopus, whose sources come inside a crate.
const LIBOPUS: (&str, &str) = ("opus", "1.6.1");

/// The parts of `package` on `target`: what is linked into it, and what only builds it (with the scope `excluded`).
pub(crate) fn cyclonedx(package: &str, target: &str) -> Result<String> {
    let metadata = cargo().args(["metadata", "--locked", "--format-version=1", "--filter-platform", target]).read()?;
    let metadata: Value = serde_json::from_str(&metadata).context("`cargo metadata` printed no JSON")?;
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let bom = bom(&metadata, &checksums(&lock), package)?;
    Ok(serde_json::to_string_pretty(&bom)? + "\n")
}

fn bom(metadata: &Value, checksums: &BTreeMap<(String, String), String>, package: &str) -> Result<Value> {
    let packages: BTreeMap<&str, &Value> = each(&metadata["packages"]).map(|p| (text(&p["id"]), p)).collect();
    let nodes: BTreeMap<&str, &Value> = each(&metadata["resolve"]["nodes"]).map(|n| (text(&n["id"]), n)).collect();
    let root = packages.iter().find(|(_, p)| p["name"] == package).map(|(id, _)| *id);
    let root = root.with_context(|| format!("the workspace has no package {package}"))?;

    // Once along what is linked, and once along what builds it too.
    let linked = reachable(root, &nodes, &[Value::Null]);
    let all = reachable(root, &nodes, &[Value::Null, json!("build")]);
    let part = |id: &&str| component(packages[*id], checksums, !linked.contains(id));
    let mut components: Vec<Value> = all.iter().filter(|id| **id != root).map(part).collect();
    components.push(json!({
        "type": "library", "name": LIBOPUS.0, "version": LIBOPUS.1, "scope": "required",
        "licenses": [{ "license": { "id": "BSD-3-Clause" } }],
        "purl": format!("pkg:generic/{}@{}", LIBOPUS.0, LIBOPUS.1),
    }));
    let key = |c: &Value| (text(&c["name"]).to_owned(), text(&c["version"]).to_owned());
    components.sort_by_key(key);
    let mut subject = component(packages[root], checksums, false);
    subject["type"] = json!("application");
    let tool = json!({ "components": [{ "type": "application", "name": "cargo xtask dist" }] });
    Ok(json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": { "tools": tool, "component": subject },
        "components": components,
    }))
}

fn reachable<'a>(root: &'a str, nodes: &BTreeMap<&'a str, &'a Value>, kinds: &[Value]) -> BTreeSet<&'a str> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![root]);
    while let Some(id) = next.pop() {
        if !seen.insert(id) {
            continue;
        }
        for dependency in each(&nodes[id]["deps"]) {
            if each(&dependency["dep_kinds"]).any(|kind| kinds.contains(&kind["kind"])) {
                next.push(text(&dependency["pkg"]));
            }
        }
    }
    seen
}

fn component(package: &Value, checksums: &BTreeMap<(String, String), String>, only_builds: bool) -> Value {
    let (name, version) = (text(&package["name"]), text(&package["version"]));
    let mut made = json!({
        "type": "library", "name": name, "version": version,
        "scope": if only_builds { "excluded" } else { "required" },
        "purl": format!("pkg:cargo/{name}@{version}"),
    });
    if let Some(license) = package["license"].as_str() {
        // Before SPDX had `OR`, crates wrote a slash.
        made["licenses"] = json!([{ "expression": license.replace('/', " OR ") }]);
    }
    if let Some(sum) = checksums.get(&(name.to_owned(), version.to_owned())) {
        made["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
    }
    made
}

/// The sha256 of each crate, from Cargo.lock.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let field = |entry: &str, name: &str| {
        let (_, rest) = entry.split_once(&format!("\n{name} = \""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let entry = |entry| Some(((field(entry, "name")?, field(entry, "version")?), field(entry, "checksum")?));
    lock.split("[[package]]").filter_map(entry).collect()
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bom_tells_what_is_linked_from_what_only_builds() {
        let package = |name: &str| json!({ "id": name, "name": name, "version": "1.0.0", "license": "MIT/Apache-2.0" });
        let dependency = |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let packages = ["app", "linked", "builder", "tested"].map(package);
        let metadata = json!({
            "packages": packages,
            "resolve": { "nodes": [
                { "id": "app", "deps": [
                    dependency("linked", Value::Null), dependency("builder", json!("build")), dependency("tested", json!("dev")),
                ] },
                { "id": "linked", "deps": [] }, { "id": "builder", "deps": [] }, { "id": "tested", "deps": [] },
            ] },
        });
        let sums = checksums("[[package]]\nname = \"linked\"\nversion = \"1.0.0\"\nchecksum = \"ab\"\n");
        let bom = bom(&metadata, &sums, "app").unwrap();
        let parts: Vec<_> = each(&bom["components"]).map(|c| (text(&c["name"]), text(&c["scope"]))).collect();
        assert_eq!(parts, [("builder", "excluded"), ("linked", "required"), ("opus", "required")]);
        assert_eq!(bom["components"][1]["hashes"][0]["content"], "ab");
        assert_eq!(bom["components"][1]["licenses"][0]["expression"], "MIT OR Apache-2.0");
    }
}
