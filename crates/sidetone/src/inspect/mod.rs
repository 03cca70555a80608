//! `sidetone inspect`: what a component is, what it asks for, and what is inside.

mod anatomy;

use crate::report::{self, Sheet, grouped, short};
use crate::{interrupt, sandbox};
use anatomy::Anatomy;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sidetone_audio::output::AtomicFile;
use sidetone_audio::shown;
use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The world a component of ours has.
const WORLD: &str = "sidetone:media/processor";

/// Bytes of a page of WebAssembly memory.
const PAGE: u64 = 65_536;

/// Show a component's exports, imports, sizes and hashes.
///
/// Without FILE it is the component inside this program, which is what every other subcommand runs.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  sidetone inspect
  sidetone inspect --json | jq -r .core.sha256
  sidetone inspect --extract out/                       for a browser, or another host
  sidetone inspect out/sidetone.component.wasm          is it the same one?

Exit codes: 0 it is a component that this program could run, the one inside it or another: the line
\"source\", or embedded in JSON, says which; 1 it is not, or cannot be read.")]
pub(crate) struct Args {
    /// A component file to look at.
    file: Option<PathBuf>,
    /// Report as JSON.
    #[arg(long)]
    json: bool,
    /// Write sidetone.component.wasm, sidetone.core.wasm and inspect.json to this folder.
    #[arg(long, value_name = "DIR")]
    extract: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    source: String,
    /// The same bytes as the component inside this program.
    embedded: bool,
    /// Of the component inside this program.
    embedded_sha256: &'static str,
    component: Blob,
    core: Blob,
    exports: Vec<String>,
    imports: Vec<String>,
    /// Pages of 64 KiB that an instance starts with.
    memory_pages: u64,
    world: &'static str,
    /// It can be run by this program.
    world_matches: bool,
    /// Why it cannot.
    problem: Option<String>,
    /// What the component itself says.
    libopus: Option<String>,
}

#[derive(Serialize)]
struct Blob {
    bytes: u64,
    sha256: String,
}

impl Blob {
    fn of(bytes: &[u8]) -> Self {
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { bytes: bytes.len() as u64, sha256 }
    }
}

/// Most bytes of a file that is looked at: a hundred times what the component has.
const MAX_BYTES: u64 = 64 << 20;

/// A file that may be a component: a device never ends, and a large file is something else.
fn read(file: &Path) -> Result<Vec<u8>> {
    let kind = fs::metadata(file)?;
    if !kind.is_file() {
        bail!("it is not a file");
    }
    if kind.len() > MAX_BYTES {
        bail!("it has {} bytes, and a component {MAX_BYTES} at most", kind.len());
    }
    Ok(fs::read(file)?)
}

pub(crate) fn main(args: &Args) -> Result<ExitCode> {
    let (source, bytes): (_, Cow<'static, [u8]>) = match &args.file {
        None => ("embedded".to_owned(), sidetone_artifact::COMPONENT.into()),
        Some(file) => {
            let bytes = read(file).with_context(|| format!("cannot read {}", shown::path(file)))?;
            (file.to_string_lossy().into_owned(), bytes.into())
        }
    };
    let anatomy = anatomy::of(&bytes).with_context(|| match &args.file {
        Some(file) => format!("{} is no WebAssembly component", shown::path(file)),
        None => "the embedded component is damaged".to_owned(),
    })?;
    let report = look(source, &bytes, anatomy)?;
    let json = report::json(&report)?;
    if let Some(folder) = &args.extract {
        let core = anatomy::of(&bytes)?.core;
        extract(
            folder,
            [("sidetone.component.wasm", &bytes), ("sidetone.core.wasm", core), ("inspect.json", json.as_bytes())],
        )?;
    }
    report::print(&if args.json { json } else { human(&report, args.extract.as_deref()) })?;
    Ok(if report.world_matches { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look(source: String, bytes: &[u8], anatomy: Anatomy<'_>) -> Result<Report> {
    let run = sandbox::engine()?.compile(bytes).and_then(|component| component.instantiate()?.libopus_version());
    let (libopus, problem) = match run {
        Ok((major, minor, patch)) => (Some(format!("{major}.{minor}.{patch}")), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let (component, core) = (Blob::of(bytes), Blob::of(anatomy.core));
    Ok(Report {
        source,
        embedded: component.sha256 == sidetone_artifact::COMPONENT_SHA256,
        embedded_sha256: sidetone_artifact::COMPONENT_SHA256,
        component,
        core,
        exports: anatomy.exports,
        imports: anatomy.imports,
        memory_pages: anatomy.memory_pages,
        world: WORLD,
        world_matches: problem.is_none(),
        problem,
        libopus,
    })
}

fn extract(folder: &Path, files: [(&str, &[u8]); 3]) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", shown::path(folder)))?;
    for (name, bytes) in files {
        interrupt::whole(|| {
            let mut file = AtomicFile::create(folder.join(name))?;
            file.write_bytes(bytes)?;
            Ok(file.commit()?)
        })?;
    }
    Ok(())
}

fn human(report: &Report, extracted: Option<&Path>) -> String {
    let mut sheet = Sheet::default();
    let blob = |blob: &Blob| format!("{:>9} bytes, sha256 {}", grouped(blob.bytes), blob.sha256);
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let which = match (report.embedded, report.source.as_str()) {
        (true, "embedded") => String::new(),
        (true, _) => ", the one inside this program".to_owned(),
        (false, _) => format!(", NOT the one inside this program ({})", short(report.embedded_sha256)),
    };
    sheet.line("source", format!("{}{which}", shown::text(&report.source)));
    sheet.line("component", blob(&report.component));
    sheet.line("core module", blob(&report.core));
    sheet.line("exports", shown::text(&list(&report.exports)).to_string());
    sheet.line("imports", shown::text(&list(&report.imports)).to_string());
    let pages = report.memory_pages;
    sheet.line("memory", format!("{pages} pages at the start ({} KiB)", grouped(pages * PAGE / 1024)));
    match &report.problem {
        None => sheet.line("world", format!("{}, as this program expects", report.world)),
        Some(problem) => sheet.line("world", format!("not usable as {}: {}", report.world, shown::text(problem))),
    }
    if let Some(libopus) = &report.libopus {
        sheet.line("libopus", libopus.as_str());
    }
    if let Some(folder) = extracted {
        sheet.line("extracted", format!("to {}", shown::path(folder)));
    }
    sheet.to_string()
}
