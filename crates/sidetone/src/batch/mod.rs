//! `sidetone batch`: many files, here or on many machines. The work is done in `sidetone-batch`.

mod args;
pub(crate) mod nats;
mod show;
pub(crate) mod values;
pub(crate) mod wish;

pub(crate) use args::Args;

use crate::log::{self, Log};
use crate::report::{complain, print};
use crate::usage::refused;
use anyhow::{Context, Result, anyhow};
use args::{Common, Kind};
use nats::NatsArgs;
use show::Bar;
use sidetone_audio::output::AtomicFile;
use sidetone_audio::shown;
use sidetone_batch::batch::{self, End, Tally};
use sidetone_batch::local::Local;
use sidetone_batch::nats::Submitted;
use sidetone_batch::plan::{Plan, Request, Wanted};
use sidetone_batch::{Fittings, Keys, LoudnessOptions, Place, Queue, Root, Scratch, TranscodeOptions, Workshop, sweep};
use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use wish::Wish;

pub(crate) fn main(args: &Args) -> Result<ExitCode> {
    let common = args.kind.common();
    if common.nats.nats.is_some() && common.tenant.quota != sidetone_host::Quota::UNLIMITED {
        refused(&anyhow!("quotas are with the workers: sidetone worker --tenant {}:…", common.tenant.name));
    }
    if common.dry_run {
        return work_through(args);
    }
    let there = common.out.exists();
    fs::create_dir_all(&common.out).with_context(|| format!("cannot make the folder {}", shown::path(&common.out)))?;
    let outcome = work_through(args);
    if outcome.is_err() && !there {
        // Where it is empty: it was made for nothing.
        let _ = fs::remove_dir(&common.out);
    }
    outcome
}

fn work_through(args: &Args) -> Result<ExitCode> {
    let common = args.kind.common();
    let wish = Wish::new()?;
    let request = request(&args.kind)?;
    let plan = match Plan::make(&request, |_, _| !wish.is_there()) {
        Ok(plan) => plan,
        Err(problem) => return wish.code().map(ExitCode::from).ok_or_else(|| problem.into()),
    };
    if common.dry_run {
        print(&show::dry(&plan, common.json)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    sweep(&common.out).with_context(|| format!("cannot read the folder {}", shown::path(&common.out)))?;
    // What cannot be written is known before any work is done.
    drop(Scratch::new(&common.out)?);
    let tally = run(&args.kind, &plan, &wish)?;
    // A worker may have been killed meanwhile.
    if let Err(error) = sweep(&common.out) {
        complain("note", &format!("what killed workers left in {} stays: {error}", shown::path(&common.out)));
    }
    if let (Kind::Loudness(_), true) = (&args.kind, tally.end == End::Complete) {
        gather(&plan)?;
    }
    tally.notes.iter().for_each(|note| complain("note", note));
    print(&show::summary(&plan, &tally, common.json)?)?;
    Ok(match wish.code() {
        Some(code) if tally.end == End::Stopped => ExitCode::from(code),
        _ if tally.is_success() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn request(kind: &Kind) -> Result<Request> {
    let common = kind.common();
    let wanted = match kind {
        Kind::Transcode(args) => {
            Wanted::Transcode(TranscodeOptions::new(&args.to, &(&args.pcm).into(), &(&args.encoder).into()))
        }
        Kind::Loudness(args) => Wanted::Loudness(LoudnessOptions { silence_db: args.silence_db }),
        Kind::Reseal(args) => {
            Wanted::Reseal { keys: Keys(args.keys.clone()), from: args.from_key.clone(), to: args.to_key.clone() }
        }
    };
    let shared = common.nats.nats.is_some() && !common.objects;
    Ok(Request {
        inputs: common.inputs.clone(),
        out: common.out.clone(),
        wanted,
        tenant: common.tenant.name.clone(),
        attempts: common.attempts,
        retry: common.retry_delay,
        root: if shared { common.nats.root()? } else { Root::Any },
        place: if common.objects { Place::Objects } else { Place::Shared },
    })
}

/// Has the jobs of a plan done.
fn run(kind: &Kind, plan: &Plan, wish: &Wish) -> Result<Tally> {
    let common = kind.common();
    let mut bar = Bar::new(plan, common.nats.nats.is_some());
    let going = |progress: batch::Progress<'_>| {
        bar.show(&progress);
        !wish.is_there()
    };
    if plan.jobs.is_empty() {
        return Ok(batch::run(plan, &mut Nothing, common.patience, going)?);
    }
    if let Some(url) = &common.nats.nats {
        // What its client says of a failure, the error says better.
        Log::start(&log::plain("warn,async_nats=off"))?;
        let mut queue = submit(&common.nats, url, plan)?;
        return Ok(batch::run(plan, &mut queue, common.patience, going)?);
    }
    let workshop = workshop(kind, common)?;
    let threads = common.jobs.map_or_else(processors, usize::from).min(plan.jobs.len());
    let mut queue = Local::start(workshop, plan.jobs.clone(), threads, common.job_limit)?;
    // A job's own limit ends it: here nobody is waited for in vain.
    Ok(batch::run(plan, &mut queue, Duration::MAX, going)?)
}

fn submit(nats: &NatsArgs, url: &str, plan: &Plan) -> Result<Submitted> {
    Ok(Submitted::start(&nats.access(url)?, &nats.queue, plan)?)
}

fn workshop(kind: &Kind, common: &Common) -> Result<Arc<Workshop>> {
    let keys = match kind {
        Kind::Reseal(args) => Some(Keys(args.keys.clone())),
        Kind::Transcode(_) | Kind::Loudness(_) => None,
    };
    let jobs = common.jobs.map_or_else(processors, usize::from);
    let fittings = Fittings { jobs, tenants: vec![common.tenant.clone()], root: Root::Any, keys };
    Ok(Arc::new(Workshop::new(fittings).context("the component does not start")?))
}

/// Processors that this process may use.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A queue for a batch that has nothing to do.
struct Nothing;

impl Queue for Nothing {
    fn next(&mut self, _: Duration) -> Result<Option<sidetone_batch::Event>, sidetone_batch::Problem> {
        Ok(None)
    }

    fn withdraw(&mut self) {}
}

/// Joins the lines of all files to one file, with the name of each.
fn gather(plan: &Plan) -> Result<()> {
    let path = plan.out.join(format!("loudness.{}.jsonl", plan.address().short()));
    let mut file = AtomicFile::create(&path)?;
    for item in plan.items.iter().filter(|item| item.output.is_file()) {
        let text =
            fs::read_to_string(&item.output).with_context(|| format!("cannot read {}", shown::path(&item.output)))?;
        let mut line = serde_json::Map::new();
        line.insert("file".to_owned(), item.input.to_string_lossy().into());
        let measured: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged; delete it, and run the batch again", shown::path(&item.output)))?;
        line.extend(measured);
        file.write_bytes(format!("{}\n", serde_json::Value::Object(line)).as_bytes())?;
    }
    Ok(file.commit()?)
}
