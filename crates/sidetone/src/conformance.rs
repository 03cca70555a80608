//! `sidetone conformance`: does the component decode as the encoder of a bitstream says a decoder must?

use crate::interrupt;
use crate::progress::Progress;
use crate::report::{self, count, grouped, table};
use crate::sandbox::Sandbox;
use crate::values::{self, one_of};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use sidetone_audio::bit::{self, Record};
use sidetone_audio::output::AtomicFile;
use sidetone_audio::{Error, shown};
use sidetone_host::Decoder;
use sidetone_opus::packet::Packet;
use sidetone_opus::{Channels, FrameDuration, SampleRate};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Decode .bit files in the component and compare the final range of every packet.
///
/// A .bit file (written by opus_demo, or sidetone transcode) carries for each packet the state in which the encoder's
/// range coder ended. A right decoder ends in the same, exactly. Records without a packet were lost and are concealed;
/// nothing is compared for them, for the packet after them, and where the file says 0.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  sidetone conformance vectors/                        every .bit file of a folder
  sidetone conformance testvector02.bit --write out/   and save what was decoded as out/testvector02.dec

Exit codes: 0 all match; 1 something does not, or a file cannot be read or written; 2 wrong usage.
The table says which.")]
pub(crate) struct Args {
    /// Folders with .bit files, or such files.
    #[arg(required = true, value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// Save the decoded PCM in this folder as NAME.dec: 16-bit little-endian, interleaved.
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// Rate to decode at, in Hz: 8000, 12000, 16000, 24000 or 48000.
    #[arg(long, value_name = "HZ", default_value = "48000", value_parser = one_of(values::RATES), hide_possible_values = true)]
    rate: SampleRate,
    /// Channels to decode to, 1 or 2.
    #[arg(long, value_name = "N", default_value = "2", value_parser = one_of(values::CHANNELS), hide_possible_values = true)]
    channels: Channels,
    /// Report as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Outcome {
    passed: bool,
    files: Vec<Checked>,
    component_sha256: &'static str,
    libopus: &'static str,
}

/// What was found of one file.
#[derive(Serialize, Default)]
struct Checked {
    name: String,
    packets: u64,
    frames: u64,
    lost: u64,
    /// Final ranges compared, and how many were right.
    compared: u64,
    matched: u64,
    passed: bool,
    verdict: String,
}

pub(crate) fn main(args: &Args) -> Result<ExitCode> {
    let files = find(&args.paths)?;
    if let Some(folder) = &args.write {
        check_names(&files, folder)?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", shown::path(folder)))?;
    }
    let sandbox = Sandbox::new()?;
    let files: Vec<Checked> = files.iter().map(|file| check(&sandbox, file, args)).collect::<Result<_>>()?;
    let passed = files.iter().all(|file| file.passed);
    let outcome = Outcome {
        passed,
        files,
        component_sha256: sidetone_artifact::COMPONENT_SHA256,
        libopus: sidetone_artifact::LIBOPUS_VERSION,
    };
    report::print(&if args.json { report::json(&outcome)? } else { human(&outcome) })?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All files named, and those in the folders named, by name.
fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        let read = || format!("cannot read {}", shown::path(path));
        if !fs::metadata(path).with_context(read)?.is_dir() {
            found.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in fs::read_dir(path).with_context(read)? {
            let file = entry.with_context(read)?.path();
            if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("bit")) && file.is_file() {
                inside.push(file);
            }
        }
        if inside.is_empty() {
            bail!("{} has no .bit file; give a folder of opus_demo bitstreams, or such files", shown::path(path));
        }
        inside.sort();
        found.append(&mut inside);
    }
    Ok(found)
}

/// What a file is called in the table and, with another ending, when it is written.
fn name(file: &Path) -> OsString {
    file.file_stem().unwrap_or_default().to_owned()
}

fn decoded(folder: &Path, file: &Path) -> PathBuf {
    let mut name = name(file);
    name.push(".dec");
    folder.join(name)
}

/// Refuses to write two files under one name, or over one that is to be read.
fn check_names(files: &[PathBuf], folder: &Path) -> Result<()> {
    let mut names = HashMap::new();
    for file in files {
        if let Some(other) = names.insert(name(file), file) {
            let (one, two, dec) = (shown::path(other), shown::path(file), decoded(folder, file));
            bail!("{one} and {two} would both be written to {}; check them one by one", shown::path(&dec));
        }
    }
    for file in files {
        let dec = decoded(folder, file);
        if let Ok(target) = fs::canonicalize(&dec)
            && let Some(input) = files.iter().find(|input| fs::canonicalize(input).is_ok_and(|input| input == target))
        {
            bail!("{} would overwrite {}; give --write another folder", shown::path(&dec), shown::path(input));
        }
    }
    Ok(())
}

/// Checks one file, record by record. One that cannot be read is a row of the table too; the others go on.
fn check(sandbox: &Sandbox, file: &Path, args: &Args) -> Result<Checked> {
    let label = shown::path(Path::new(&name(file))).to_string();
    let unreadable =
        |error: &Error| Checked { name: label.clone(), verdict: format!("unreadable: {error}"), ..Checked::default() };
    let records = match bit::Reader::open(file) {
        Ok(records) => records,
        Err(error) => return Ok(unreadable(&error)),
    };
    let bytes = fs::metadata(file).map_or(0, |found| found.len());
    let mut comparison = Comparison::new(sandbox.decoder(args.rate, args.channels)?, args.rate);
    let progress = Progress::new("decoding", bytes);
    let decode = || -> Result<Option<Error>> {
        let mut out = args.write.as_ref().map(|folder| AtomicFile::create(decoded(folder, file))).transpose()?;
        for record in records {
            let record = match record {
                Ok(record) => record,
                Err(error) => return Ok(Some(error)),
            };
            progress.by(HEADER + record.packet.len() as u64);
            let pcm = comparison.add(&record)?;
            if let Some(out) = &mut out {
                let bytes: Vec<u8> = pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect();
                out.write_bytes(&bytes)?;
            }
            interrupt::check()?;
        }
        out.map_or(Ok(()), AtomicFile::commit)?;
        Ok(None)
    };
    if let Some(error) = interrupt::whole(decode)? {
        return Ok(unreadable(&error));
    }
    Ok(comparison.verdict(label))
}

/// Bytes before the packet of a record.
const HEADER: u64 = 8;

/// Decodes a stream and compares.
struct Comparison {
    decoder: Decoder,
    rate: SampleRate,
    found: Checked,
    /// The first thing that was wrong.
    wrong: Option<String>,
    /// What a lost packet lasts: as long as the one before it, as opus_demo has it; 20 ms where there was none.
    samples: usize,
    after_loss: bool,
}

impl Comparison {
    fn new(decoder: Decoder, rate: SampleRate) -> Self {
        let samples = FrameDuration::Ms20.samples(rate);
        Self { decoder, rate, found: Checked::default(), wrong: None, samples, after_loss: false }
    }

    /// Decodes one packet.
    fn add(&mut self, Record { packet, final_range }: &Record) -> Result<Vec<i16>> {
        let index = self.found.packets;
        self.found.packets += 1;
        if packet.is_empty() {
            self.found.lost += 1;
            self.after_loss = true;
            return Ok(self.decoder.conceal(self.samples as u32)?);
        }
        if let Ok(parsed) = Packet::parse(packet) {
            self.found.frames += parsed.frame_count() as u64;
            self.samples = parsed.samples(self.rate);
        }
        let follows_loss = std::mem::take(&mut self.after_loss);
        let compares = *final_range != 0 && !follows_loss;
        let (pcm, problem) = match self.decoder.decode(packet) {
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => (self.decoder.conceal(self.samples as u32)?, Some(error.to_string())),
            Ok(pcm) => {
                let range = self.decoder.final_range()?;
                self.found.compared += u64::from(compares);
                self.found.matched += u64::from(compares && range == *final_range);
                let differs = compares && range != *final_range;
                (pcm, differs.then(|| format!("final range {range:08x}, not {final_range:08x}")))
            }
        };
        if self.wrong.is_none() {
            self.wrong = problem.map(|problem| format!("packet {index}: {problem}"));
        }
        Ok(pcm)
    }

    fn verdict(self, name: String) -> Checked {
        let Self { mut found, wrong, .. } = self;
        found.verdict = match wrong {
            Some(wrong) => format!("FAIL, {wrong}"),
            None if found.compared == 0 => "FAIL, no final range to compare with".to_owned(),
            None => "pass".to_owned(),
        };
        found.passed = found.verdict == "pass";
        found.name = name;
        found
    }
}

fn human(outcome: &Outcome) -> String {
    let row = |file: &Checked| {
        let matches = format!("{}/{}", grouped(file.matched), grouped(file.compared));
        [file.name.clone(), grouped(file.packets), grouped(file.frames), matches, file.verdict.clone()]
    };
    let rows: Vec<_> = outcome.files.iter().map(row).collect();
    let failed = outcome.files.iter().filter(|file| !file.passed).count() as u64;
    let files = count(outcome.files.len() as u64, "file");
    let verdict = if failed == 0 { format!("{files}, all pass") } else { format!("{files}, {failed} did not pass") };
    let component = report::short(outcome.component_sha256);
    format!(
        "{}\n{verdict} (component {component}, libopus {})\n",
        table(["NAME", "PACKETS", "FRAMES", "FINAL RANGES", "VERDICT"], &rows),
        outcome.libopus
    )
}
