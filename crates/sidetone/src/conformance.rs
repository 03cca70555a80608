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
use sidetone_host::Decoder;
use sidetone_opus::packet::Packet;
use sidetone_opus::{Channels, FrameDuration, SampleRate};
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

Exit codes: 0 all match; 1 something does not; 2 a file cannot be read or written.")]
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
    #[serde(skip)]
    unreadable: bool,
}

pub(crate) fn main(args: &Args) -> Result<ExitCode> {
    let files = find(&args.paths)?;
    if let Some(folder) = &args.write {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let sandbox = Sandbox::new()?;
    let files: Vec<Checked> = files.iter().map(|file| check(&sandbox, file, args)).collect::<Result<_>>()?;
    let passed = files.iter().all(|file| file.passed);
    let unreadable = files.iter().any(|file| file.unreadable);
    let outcome = Outcome {
        passed,
        files,
        component_sha256: sidetone_artifact::COMPONENT_SHA256,
        libopus: sidetone_artifact::LIBOPUS_VERSION,
    };
    report::print(&if args.json { report::json(&outcome)? } else { human(&outcome) })?;
    Ok(match (unreadable, passed) {
        (true, _) => ExitCode::from(2),
        (_, true) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// All files named, and those in the folders named, by name.
fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        let read = || format!("cannot read {}", path.display());
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
            bail!("{} has no .bit file; give a folder of opus_demo bitstreams, or such files", path.display());
        }
        inside.sort();
        found.append(&mut inside);
    }
    Ok(found)
}

/// Checks one file. One that cannot be read is a row of the table too; the others go on.
fn check(sandbox: &Sandbox, file: &Path, args: &Args) -> Result<Checked> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let records = match bit::read(file) {
        Ok(records) => records,
        Err(error) => {
            return Ok(Checked {
                name,
                verdict: format!("unreadable: {error}"),
                unreadable: true,
                ..Checked::default()
            });
        }
    };
    let mut decoder = sandbox.decoder(args.rate, args.channels)?;
    let (mut found, pcm) = decode(&records, &mut decoder, args.rate)?;
    if let Some(folder) = &args.write {
        let bytes: Vec<u8> = pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let path = folder.join(format!("{name}.dec"));
        interrupt::whole(|| {
            let mut file = AtomicFile::create(&path)?;
            file.write_bytes(&bytes)?;
            file.commit()
        })?;
    }
    found.name = name;
    Ok(found)
}

fn decode(records: &[Record], decoder: &mut Decoder, rate: SampleRate) -> Result<(Checked, Vec<i16>)> {
    let mut found = Checked::default();
    let mut pcm = Vec::new();
    let mut wrong = None;
    // What a lost packet lasts: as long as the one before it, as opus_demo has it; 20 ms where there was none.
    let mut samples = FrameDuration::Ms20.samples(rate);
    let mut after_loss = false;
    let progress = Progress::new("decoding", records.len());
    for (index, Record { packet, final_range }) in records.iter().enumerate() {
        progress.step();
        found.packets += 1;
        if packet.is_empty() {
            found.lost += 1;
            after_loss = true;
            pcm.extend(decoder.conceal(samples as u32)?);
            continue;
        }
        let parsed = Packet::parse(packet);
        if let Ok(parsed) = &parsed {
            found.frames += parsed.frame_count() as u64;
            samples = parsed.samples(rate);
        }
        let follows_loss = std::mem::take(&mut after_loss);
        let compares = *final_range != 0 && !follows_loss;
        let problem = match decoder.decode(packet) {
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => {
                pcm.extend(decoder.conceal(samples as u32)?);
                Some(error.to_string())
            }
            Ok(samples) => {
                pcm.extend(samples);
                let range = decoder.final_range()?;
                found.compared += u64::from(compares);
                found.matched += u64::from(compares && range == *final_range);
                (compares && range != *final_range).then(|| format!("final range {range:08x}, not {final_range:08x}"))
            }
        };
        wrong = wrong.or_else(|| problem.map(|problem| format!("packet {index}: {problem}")));
    }
    found.verdict = match wrong {
        Some(wrong) => format!("FAIL, {wrong}"),
        None if found.compared == 0 => "FAIL, no final range to compare with".to_owned(),
        None => "pass".to_owned(),
    };
    found.passed = found.verdict == "pass";
    Ok((found, pcm))
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
