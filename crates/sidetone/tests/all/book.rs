//! The book (docs/): every block of code in it is run, checked or compiled, or says why not.
//!
//! - `sh` runs in a fresh folder with the program on the path and speech.wav beside it; `sh real-time` up to three times,
//!   `sh folders` with recordings and calls there, `sh serves` until it is told to end, `sh loads` on a gateway of this
//!   test's, with fewer devices, `sh queue` with a worker and a nats-server;
//! - `conf mosquitto`, `conf nats`, `yaml prometheus`: the program of that name takes them, where it is installed;
//! - `toml` is a configuration that the program takes; where it has `[dependencies]`, these are crates of this workspace, of
//!   its version, and Cargo takes the file;
//! - `json` parses;
//! - `rust` compiles and runs as a doc test of sidetone-tests;
//! - `… from: FILE` is an excerpt of a file that a test runs: it stands there, line by line;
//! - `… run-by: FILE` is run by a test that is not in Rust, or not here: it reads the page;
//! - `… not-run: REASON` is printed with its reason; the options of the program in it must exist all the same;
//! - `text` is no code.
#![cfg(unix)]

mod staged;

use crate::common::{clip, program, scratch};
use sidetone_test_broker::Certificates;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Block {
    /// `docs/page.md:12`.
    place: String,
    language: String,
    /// What follows the language.
    note: String,
    text: String,
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Pages of the book, sorted.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<_> = fs::read_dir(docs()).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let mut open: Option<Block> = None;
        for (number, line) in text.lines().enumerate() {
            let Some(info) = line.trim_start().strip_prefix("```") else {
                if let Some(block) = &mut open {
                    block.text += line;
                    block.text.push('\n');
                }
                continue;
            };
            if let Some(block) = open.take() {
                blocks.push(block);
                continue;
            }
            let (language, note) = info.split_once(' ').unwrap_or((info, ""));
            let place = format!("docs/{}:{}", page.file_name().unwrap().display(), number + 1);
            open =
                Some(Block { place, language: language.to_owned(), note: note.trim().to_owned(), text: String::new() });
        }
        assert!(open.is_none(), "{}: a block is not closed", page.display());
    }
    blocks
}

#[test]
fn every_block_of_the_book_does_what_it_says() {
    let blocks = blocks();
    assert!(blocks.len() > 20, "{} blocks: were the pages found?", blocks.len());
    let mut problems = Vec::new();
    for block in &blocks {
        if let Err(problem) = play(block, &blocks) {
            problems.push(format!("{}: {problem}", block.place));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn play(block: &Block, blocks: &[Block]) -> Result<(), String> {
    if let Some(reason) = block.note.strip_prefix("not-run: ") {
        println!("{}: not run: {reason}", block.place);
        return options_exist(&block.text);
    }
    if let Some(file) = block.note.strip_prefix("from: ") {
        return is_excerpt(&block.text, file);
    }
    if let Some(file) = block.note.strip_prefix("run-by: ") {
        let runner = fs::read_to_string(docs().join("..").join(file)).map_err(|error| format!("{file}: {error}"))?;
        let page = block.place.split(':').next().unwrap_or_default();
        return if runner.contains(page) { Ok(()) } else { Err(format!("{file} does not name {page}")) };
    }
    let folder = scratch();
    match (&*block.language, &*block.note) {
        ("sh", "") => {
            fs::copy(clip(), folder.path().join("speech.wav")).unwrap();
            staged::run(folder.path(), &block.text)
        }
        ("sh", "real-time") => staged::in_real_time(folder.path(), &block.text),
        ("sh", "folders") => {
            staged::folders(folder.path());
            staged::run(folder.path(), &block.text)
        }
        ("sh", "serves") => staged::serves(&block.text),
        ("sh", "loads") => staged::loads(&block.text),
        ("sh", "queue") => staged::queue(&block.text),
        ("conf", "mosquitto") => {
            let files = blocks.iter().filter(|other| other.note == block.note).map(|other| &*other.text);
            staged::mosquitto(&files.collect::<Vec<_>>())
        }
        ("conf", "nats") => staged::checked("nats-server", &["-c", "{}", "-t"], &block.text),
        ("yaml", "prometheus") => staged::checked("promtool", &["check", "config", "{}"], &block.text),
        ("toml", _) => toml(&block.text),
        ("json", _) => serde_json::from_str::<serde_json::Value>(&block.text).map(drop).map_err(|e| e.to_string()),
        ("rust", "") => is_doc_test(block.place.split(':').next().unwrap_or_default()),
        ("text", _) => Ok(()),
        (other, note) => Err(format!("nothing runs `{other} {note}`: say `{other} not-run: REASON`")),
    }
}

/// The page is one whose Rust is compiled and run.
fn is_doc_test(page: &str) -> Result<(), String> {
    let tests = fs::read_to_string(docs().join("../tests/src/lib.rs")).unwrap();
    let included = tests.contains(&format!("include_str!(\"../../{page}\")"));
    if included { Ok(()) } else { Err("tests/src/lib.rs does not include this page: nothing compiles it".to_owned()) }
}

/// The manifest of somebody who depends on the libraries, with this checkout's in the place of the published ones.
fn depends(text: &str) -> Result<(), String> {
    let (folder, checkout) = (scratch(), docs().join(".."));
    let mut manifest =
        "[package]\nname = \"reader\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n\
                        [workspace]\n"
            .to_owned();
    manifest += text;
    manifest += "[patch.crates-io]\n";
    for name in text.lines().filter_map(|line| line.split_once(" = ").map(|(name, _)| name)) {
        let crates = name.strip_prefix("sidetone-").ok_or_else(|| format!("{name} is not of this workspace"))?;
        let path = if crates == "host" { checkout.join(crates) } else { checkout.join("crates").join(crates) };
        manifest += &format!("{name} = {{ path = {path:?} }}\n");
    }
    fs::write(folder.path().join("lib.rs"), "").unwrap();
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    fs::copy(checkout.join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    // Nothing is asked of the network: what the workspace is built of is here.
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let output = cargo.args(["tree", "--offline"]).current_dir(folder.path()).output();
    let output = output.map_err(|error| format!("cargo does not start: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn toml(text: &str) -> Result<(), String> {
    if text.contains("[dependencies]") {
        return depends(text);
    }
    // Files that a configuration names are looked at: here they are.
    let folder = scratch();
    let certificates = Certificates::new().expect("certificates");
    let secret = folder.path().join("signature_key");
    fs::write(&secret, "a secret of the book").unwrap();
    let mut text = text.to_owned();
    for (setting, there) in [
        ("certificate", certificates.server()),
        ("key", certificates.server_key()),
        ("signature_key_file", secret.clone()),
    ] {
        let named = |line: &&str| line.starts_with(&format!("{setting} = \"/"));
        if let Some(line) = text.lines().find(named).map(str::to_owned) {
            text = text.replace(&line, &format!("{setting} = {there:?}"));
        }
    }
    let file = folder.path().join("sidetone.toml");
    fs::write(&file, text).unwrap();
    let mut serve = program();
    serve.args(["serve", "--print-config", "--config"]).arg(file).env("SIDETONE_MQTT_SIGNATURE_KEY_FILE", secret);
    let output = serve.output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn is_excerpt(text: &str, file: &str) -> Result<(), String> {
    let whole = fs::read_to_string(docs().join(file)).map_err(|error| format!("{file}: {error}"))?;
    let missing = text.lines().find(|line| !whole.lines().any(|there| there.trim() == line.trim()));
    missing.map_or(Ok(()), |line| Err(format!("{file} has no line `{line}`")))
}

/// Every option of the program that stands in a script is one that its subcommand has.
fn options_exist(script: &str) -> Result<(), String> {
    for line in script.replace("\\\n", " ").lines() {
        let line = line.split(" #").next().unwrap_or(line);
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(at) = words.iter().position(|word| *word == "sidetone" || word.ends_with("/sidetone")) else {
            continue;
        };
        let plain = |word: &&&str| word.chars().all(|c| c.is_ascii_lowercase());
        let subcommands: Vec<&str> = words[at + 1..].iter().take_while(plain).copied().collect();
        if subcommands.is_empty() {
            continue;
        }
        // `sidetone batch transcode` has options that `sidetone batch` has not; what follows may be a file.
        let help = (1..=subcommands.len().min(2)).rev().find_map(|count| {
            let output = program().args(&subcommands[..count]).arg("--help").output().unwrap();
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
        });
        let subcommand = subcommands[0];
        let Some(help) = help else { return Err(format!("there is no `sidetone {subcommand}`")) };
        let known: BTreeSet<&str> = help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).collect();
        for option in words.iter().filter(|word| word.starts_with("--")) {
            let name = option.split('=').next().unwrap_or(option);
            if !known.contains(name) {
                return Err(format!("`sidetone {subcommand}` has no option {name}"));
            }
        }
    }
    Ok(())
}

#[test]
fn every_page_is_in_the_index_and_every_link_leads_somewhere() {
    let index = fs::read_to_string(docs().join("README.md")).unwrap();
    let mut problems = Vec::new();
    for page in pages() {
        let name = page.file_name().unwrap().to_str().unwrap();
        if name != "README.md" && !index.contains(&format!("({name})")) {
            problems.push(format!("docs/README.md does not name {name}"));
        }
        let text = fs::read_to_string(&page).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#') && !link.contains(' ')) {
            let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
            let Ok(target) = fs::canonicalize(docs().join(file)) else {
                problems.push(format!("docs/{name} links to {file}, which is not there"));
                continue;
            };
            let Some(heading) = heading.filter(|_| target.extension().is_some_and(|e| e == "md")) else { continue };
            let there = fs::read_to_string(&target).unwrap();
            if !there.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading) {
                problems.push(format!("docs/{name} links to {link}: there is no such heading"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// As GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
}
