//! `cargo xtask bench batch`: how much faster a batch is with more workers, and what a job costs besides its work.
//!
//! Workers are processes of one job at a time, on a nats-server of this machine; they, the server and the batch share its
//! processors. Each setting runs three times, in turns, and the fastest counts. Besides: the same in one process, without
//! NATS. Where nats-server is not installed that is all.

mod child;

use anyhow::{Context, Result, bail};
use child::Crew;
use sidetone_audio::{Pcm, wav};
use sidetone_batch::batch::{self, Tally};
use sidetone_batch::local::Local;
use sidetone_batch::nats::{Access, QueueName, Submitted};
use sidetone_batch::plan::{Plan, Request, Wanted};
use sidetone_batch::{Fittings, LoudnessOptions, Place, Queue, Root, TranscodeOptions, Workshop, tenant::NOBODY};
use sidetone_bench::speech::Speech;
use sidetone_bench::{Report, options};
use sidetone_test_broker::{Nats, NatsSetup};
use sidetone_transcode::{EncoderOptions, PcmOptions};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Jobs that take their time: transcoding at full complexity.
const LONG: usize = 16;
/// Seconds of audio in each.
const SECONDS: usize = 30;
/// Jobs that take next to none: the loudness of a tenth of a second.
const SHORT: usize = 300;
/// Times that each setting runs.
const ROUNDS: usize = 3;
const WORKERS: [usize; 3] = [1, 2, 4];
const PATIENCE: Duration = Duration::from_secs(60);
const RATE: u32 = 24_000;

const ABOUT: &str = "How much faster a batch is with 1, 2 and 4 workers on a nats-server of this machine, and what a job costs besides \
its work.";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, url, root] = &arguments[..]
        && flag == child::FLAG
    {
        return child::work(url, Path::new(root));
    }
    options::none("batch", ABOUT);
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let cases = [Case::long(folder.path())?, Case::short(folder.path())?];
    let mut report = Report::new("batch");
    let names = |prefix: &str| -> [[String; 2]; WORKERS.len()] {
        WORKERS.map(|count| [format!("{prefix}_s_{count}"), format!("{prefix}_ms_a_short_job_{count}")])
    };
    let mut best = Best::default();
    let nats = Nats::start(&NatsSetup::default())?;
    if nats.is_none() {
        eprintln!("nats-server is not installed: only one process is measured");
    }
    for round in 0..ROUNDS {
        for (place, &count) in WORKERS.iter().enumerate() {
            let workshop = workshop(count, folder.path())?;
            for (case, name) in cases.iter().zip(&names("local")[place]) {
                best.take(
                    name,
                    case.run(|plan| Ok(Box::new(Local::start(workshop.clone(), plan.jobs.clone(), count, PATIENCE)?)))?,
                );
            }
            let Some(nats) = &nats else { continue };
            let crew = Crew::start(nats, folder.path(), count)?;
            let access = Access { url: nats.url(), ..Access::default() };
            let queue = QueueName::parse("sidetone").map_err(anyhow::Error::msg)?;
            for (case, name) in cases.iter().zip(&names("nats")[place]) {
                best.take(name, case.run(|plan| Ok(Box::new(Submitted::start(&access, &queue, plan)?)))?);
            }
            drop(crew);
            eprintln!("round {}: {count} worker(s)", round + 1);
        }
    }
    for prefix in ["local", "nats"] {
        let one = best.get(&format!("{prefix}_s_1"));
        for count in WORKERS {
            let [long, short] = [format!("{prefix}_s_{count}"), format!("{prefix}_ms_a_short_job_{count}")];
            let (Some(time), Some(each), Some(one)) = (best.get(&long), best.get(&short), one) else { continue };
            report.named(long, time);
            report.named(short, each * 1e3 / SHORT as f64);
            report.named(format!("{prefix}_speed_up_{count}"), one / time);
        }
    }
    report.finish()
}

/// The fastest of all rounds, in seconds.
#[derive(Default)]
struct Best(Vec<(String, f64)>);

impl Best {
    fn take(&mut self, name: &str, time: f64) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, best)) => *best = best.min(time),
            None => self.0.push((name.to_owned(), time)),
        }
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, time)| *time)
    }
}

/// Files, and what is done with them.
struct Case {
    inputs: PathBuf,
    wanted: Wanted,
    root: PathBuf,
    count: usize,
}

impl Case {
    fn long(root: &Path) -> Result<Self> {
        let wanted = TranscodeOptions::new("opus", &PcmOptions::default(), &EncoderOptions::default());
        Self::new(root, "long", LONG, SECONDS * RATE as usize, Wanted::Transcode(wanted))
    }

    fn short(root: &Path) -> Result<Self> {
        Self::new(root, "short", SHORT, RATE as usize / 10, Wanted::Loudness(LoudnessOptions::default()))
    }

    fn new(root: &Path, name: &str, count: usize, samples: usize, wanted: Wanted) -> Result<Self> {
        let speech = Speech::load()?.frames(RATE, 1)?;
        let inputs = root.join(name);
        fs::create_dir(&inputs)?;
        for index in 0..count {
            let from = speech.iter().cycle().skip(index * 4_801 % speech.len());
            let pcm = Pcm::new(RATE, 1, from.take(samples).copied().collect())?;
            wav::write(inputs.join(format!("{index}.wav")), &pcm)?;
        }
        Ok(Self { inputs, wanted, root: root.to_owned(), count })
    }

    /// Seconds from the first job handed in to the last one done.
    fn run(&self, queue: impl FnOnce(&Plan) -> Result<Box<dyn Queue>>) -> Result<f64> {
        let out = tempfile::tempdir_in(&self.root)?;
        let request = Request {
            inputs: vec![self.inputs.clone()],
            out: out.path().to_owned(),
            wanted: self.wanted.clone(),
            tenant: NOBODY.to_owned(),
            attempts: 1,
            retry: Duration::from_secs(1),
            root: Root::below(&self.root)?,
            place: Place::Shared,
        };
        let plan = Plan::make(&request, |_, _| true)?;
        let begun = Instant::now();
        let Tally { done, dead, .. } = batch::run(&plan, &mut *queue(&plan)?, PATIENCE, |_| true)?;
        let time = begun.elapsed().as_secs_f64();
        if done != self.count as u64 {
            bail!("{done} of {} jobs were done: {dead:?}", self.count);
        }
        Ok(time)
    }
}

fn workshop(jobs: usize, root: &Path) -> Result<Arc<Workshop>> {
    let fittings = Fittings { jobs, tenants: Vec::new(), root: Root::below(root)?, keys: None };
    Ok(Arc::new(Workshop::new(fittings)?))
}
