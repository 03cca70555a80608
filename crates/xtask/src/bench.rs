//! Benchmarks are binaries of the package `sidetone-bench`, and one in Node; each prints a table and writes
//! `target/bench/NAME.json`.

use crate::setup::{self, Need};
use crate::sh::{Cmd, cargo, target_dir};
use crate::{node, run, web};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const PACKAGE: &str = "sidetone-bench";

/// The one that is no binary of ours: Node runs it.
const NODE: &str = "node";

/// Measure, print a table, and write target/bench/NAME.json.
///
/// Each benchmark runs its variants in turns: trust the ratios, not the microseconds. `web` (in Chromium) and `peers` (in
/// Node) compare with other Opus codecs for JavaScript, which they install from npm.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which: `codec`, … or `all`; an unknown name lists those there are.
    #[arg(default_value = "all")]
    name: String,
    /// A file of an earlier run to compare with: ratios and figures that moved are shown.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Keep the result as target/bench/NAME.baseline.json, which later runs compare with by themselves.
    #[arg(long)]
    save: bool,
    /// Further options of the benchmark; `cargo xtask bench NAME -- --help` lists them.
    #[arg(last = true)]
    extra: Vec<String>,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(&[Need::Build])?;
    let mut existing = existing()?;
    existing.push(NODE.to_owned());
    let names = chosen(&args.name, &existing)?;
    if names.iter().any(|name| name == "batch") {
        setup::ensure(&[Need::Queue])?;
    }
    if args.baseline.is_some() && names.len() > 1 {
        bail!("--baseline compares one benchmark: name it instead of `{}` ({})", args.name, names.join(", "));
    }
    let folder = target_dir().join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for name in names {
        let file = folder.join(format!("{name}.json"));
        let saved = folder.join(format!("{name}.baseline.json"));
        if let Err(error) = make_ready(&name) {
            if args.name != "all" {
                return Err(error);
            }
            println!("\n*** SKIPPED: {name} is not measured: {error:#}\n");
            continue;
        }
        match &*name {
            NODE => node::bench(&file, &args.extra)?,
            _ => {
                let gateway = run::file("sidetone")?;
                Cmd::new(run::file_built_once(&name)?).quiet_env("SIDETONE_BINARY", gateway).args(&args.extra).run()?;
            }
        }
        if args.extra.iter().any(|extra| extra == "--help" || extra == "-h") {
            continue;
        }
        if !file.is_file() {
            bail!("the benchmark `{name}` ended well but did not write {}", file.display());
        }
        let baseline = args.baseline.as_deref().or_else(|| saved.is_file().then_some(&*saved));
        if let Some(baseline) = baseline {
            print_comparison(baseline, &file)?;
        }
        if args.save {
            fs::copy(&file, &saved).with_context(|| format!("cannot write {}", saved.display()))?;
            println!("baseline: {}", saved.display());
        }
    }
    Ok(())
}

/// What a benchmark needs besides Rust.
fn make_ready(name: &str) -> Result<()> {
    match name {
        "peers" => web::ready_to_measure(false),
        "web" => web::ready_to_measure(true),
        _ => Ok(()),
    }
}

/// The binaries of the package.
fn existing() -> Result<Vec<String>> {
    let metadata = cargo().args(["metadata", "--no-deps", "--format-version=1"]).read()?;
    let metadata: Value = serde_json::from_str(&metadata).context("`cargo metadata` printed no JSON")?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let package = packages.into_iter().find(|package| package["name"] == PACKAGE);
    let package = package.with_context(|| format!("the workspace has no package {PACKAGE}, so no benchmark"))?;
    let targets = package["targets"].as_array().into_iter().flatten();
    let binaries = targets.filter(|target| target["kind"].as_array().is_some_and(|k| k.contains(&"bin".into())));
    Ok(binaries.filter_map(|target| target["name"].as_str()).map(str::to_owned).collect())
}

fn chosen(name: &str, existing: &[String]) -> Result<Vec<String>> {
    match name {
        "all" => Ok(existing.to_vec()),
        _ if existing.iter().any(|bin| bin == name) => Ok(vec![name.to_owned()]),
        _ => bail!("there is no benchmark `{name}`; there are: {}, all", existing.join(", ")),
    }
}

fn print_comparison(baseline: &Path, file: &Path) -> Result<()> {
    let lines = compare(&load(baseline)?, &load(file)?);
    println!("\nagainst {}:", baseline.display());
    if lines.is_empty() {
        println!("  nothing in common");
    }
    lines.iter().for_each(|line| println!("  {line}"));
    Ok(())
}

fn load(file: &Path) -> Result<Value> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))
}

/// A line for each ratio and figure that both results have.
fn compare(before: &Value, after: &Value) -> Vec<String> {
    let rows = |result: &Value| -> Vec<(String, f64)> {
        let rows = result["rows"].as_array().into_iter().flatten();
        let ratio = |row: &Value| {
            let name = format!("{} {} ratio", row["case"].as_str()?, row["variant"].as_str()?);
            Some((name, row["ratio"].as_f64()?))
        };
        let figures = result["figures"].as_object().into_iter().flatten();
        let figures = figures.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)));
        rows.filter_map(ratio).chain(figures).collect()
    };
    let before = rows(before);
    let known = |name: &str| before.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    let line = |(name, now): (String, f64)| {
        let was = known(&name)?;
        let change = if was == 0.0 { String::new() } else { format!("{:+.1} %", (now / was - 1.0) * 100.0) };
        Some(format!("{name:<40} {was:>10.3} -> {now:>10.3}  {change}"))
    };
    rows(after).into_iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_unknown_benchmark_lists_those_there_are() {
        let existing = ["codec".to_owned(), "pool".to_owned()];
        assert_eq!(chosen("all", &existing).unwrap(), existing);
        assert_eq!(chosen("pool", &existing).unwrap(), ["pool"]);
        let error = chosen("codecs", &existing).unwrap_err().to_string();
        assert_eq!(error, "there is no benchmark `codecs`; there are: codec, pool, all");
    }

    #[test]
    fn a_comparison_shows_ratios_and_figures_that_both_have() {
        let result = |ratio: f64, call: f64| {
            json!({
                "rows": [{"case": "dec16_60", "variant": "component", "us_min": 1.0, "ratio": ratio}],
                "figures": {"call_ns": call},
            })
        };
        let mut before = result(2.0, 100.0);
        before["figures"]["gone"] = json!(1);
        let lines = compare(&before, &result(1.5, 110.0));
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("dec16_60 component ratio ") && lines[0].ends_with("-25.0 %"), "{}", lines[0]);
        assert!(lines[1].starts_with("call_ns ") && lines[1].ends_with("+10.0 %"), "{}", lines[1]);
    }
}
