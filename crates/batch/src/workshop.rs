//! Where jobs are done, whatever queue they come from: a pool, a root, keys.

use crate::codecs::Codecs;
use crate::event::Made;
use crate::files::Root;
use crate::job::{Job, Place};
use crate::keys::Keys;
use crate::scratch::{Scratch, sweep};
use crate::tenant::{NOBODY, Tenant};
use crate::{Address, Problem, Stop};
use sidetone_audio::shown;
use sidetone_host::pool::Room;
use sidetone_host::{EngineConfig, Pool, PoolError, Quota};
use sidetone_transcode::Watch;
use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

/// Version of the program, which decides what is written besides the component.
pub const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// Longest time of a call. Nobody listens, and other programs may have the processors.
const DEADLINE: Duration = Duration::from_secs(10);

/// Frames of a job that may wait: more than one asks for.
const QUEUE: usize = 256;

/// A frame waits as long as it must.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Name of a job's output while it is not complete.
const MADE: &str = "made";

/// What a worker needs to do jobs.
#[derive(Debug)]
pub struct Workshop {
    pool: Pool,
    root: Root,
    keys: Option<Keys>,
    component: &'static str,
}

/// How a workshop is fitted out.
#[derive(Debug, Clone)]
pub struct Fittings {
    /// Jobs at a time, and threads of the pool.
    pub jobs: usize,
    /// Who may have jobs done.
    pub tenants: Vec<Tenant>,
    /// Where paths begin.
    pub root: Root,
    /// Where keys are.
    pub keys: Option<Keys>,
}

impl Workshop {
    /// Compiles the component and starts the pool's threads: half a second.
    ///
    /// # Errors
    /// The machine has no room for it.
    pub fn new(fittings: Fittings) -> Result<Self, PoolError> {
        let Fittings { jobs, tenants, root, keys } = fittings;
        // An encoder or a decoder for each job, the one before it that is being closed, and packets of each tenant.
        let instances = (jobs * 2 + (tenants.len() + 1) * jobs).clamp(4, 1024) as u32;
        let engine = EngineConfig {
            instances,
            deadline: DEADLINE,
            init_deadline: DEADLINE,
            tick: Duration::from_millis(100),
            ..EngineConfig::default()
        };
        let mut builder = Pool::builder()
            .workers(jobs)
            .engine(engine)
            .queues(QUEUE, QUEUE * jobs.max(1))
            .max_wait(PATIENCE)
            .room(Room::here())
            .tenant(NOBODY, Quota::UNLIMITED);
        for tenant in tenants {
            builder = builder.tenant(tenant.name, tenant.quota);
        }
        let pool = builder.build(sidetone_artifact::COMPONENT)?;
        Ok(Self { pool, root, keys, component: sidetone_artifact::COMPONENT_SHA256 })
    }

    /// Removes what a worker that was killed at this job, or at others, has left beside its output.
    pub(crate) fn sweep_beside(&self, job: &Job) {
        let output = self.root.output(&job.output);
        if let Ok(output) = output
            && let Some(folder) = output.parent()
            && let Err(error) = sweep(folder)
        {
            // The job itself will say what is wrong with the folder.
            tracing::debug!(%error, folder = %shown::path(folder), "not swept");
        }
    }

    /// Does a job whose files are on shared storage. `so_far` is told 0 to 1.
    ///
    /// # Errors
    /// Why it was not done. Nothing is left of it.
    pub fn perform(&self, job: &Job, stop: &Stop, so_far: &dyn Fn(f32)) -> Result<Made, Problem> {
        job.check(self.component, PROGRAM)?;
        if job.input.place != Place::Shared {
            return Err(Problem::give_back("the job's files are in an object store, and there is none without NATS"));
        }
        let output = self.root.output(&job.output)?;
        if let Ok(found) = output.metadata() {
            return Ok(Made { bytes: found.len(), existed: true, ..Made::default() });
        }
        let input = self.root.input(&job.input.path)?;
        let folder = output.parent().unwrap_or(Path::new("."));
        let scratch = Scratch::new(folder)?;
        let make = || {
            let mut made = self.make(job, &input, &scratch, stop, so_far)?;
            made.bytes = scratch.publish(MADE, &output)?;
            Ok(made)
        };
        make().map_err(|problem: Problem| {
            // Nobody knows the name that the file had while it was made.
            let [unknown, known] = [scratch.file(MADE), output.clone()].map(|path| shown::path(&path).to_string());
            Problem { reason: problem.reason.replace(&unknown, &known), ..problem }
        })
    }

    /// Makes a job's output in a scratch folder, of an input wherever it is; its name is there [`Self::made`].
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn make(
        &self,
        job: &Job,
        input: &Path,
        scratch: &Scratch,
        stop: &Stop,
        so_far: &dyn Fn(f32),
    ) -> Result<Made, Problem> {
        let started = Instant::now();
        let before = stamp(input)?;
        let hashed = Address::of_file(input, || stop.check().is_ok());
        let (found, _) =
            hashed.map_err(|error| stop.check().err().unwrap_or_else(|| Problem::io("read", input, &error)))?;
        if found != job.input.sha256 {
            return Err(changed(input));
        }
        let codecs = Codecs { pool: &self.pool, tenant: &job.tenant, stop };
        let watch = Steps { stop, so_far, steps: Cell::new(0), done: Cell::new(0), told: Cell::new(0.0) };
        let output = scratch.file(MADE);
        let made = job.work.perform(&codecs, self.keys.as_ref(), (input, &output), &watch);
        // Whatever ended it, the reason is that it was to end, where it was.
        let mut made = made.map_err(|problem| stop.check().err().unwrap_or(problem))?;
        if stamp(input)? != before {
            return Err(changed(input));
        }
        made.seconds = started.elapsed().as_secs_f64();
        Ok(made)
    }

    /// Checks a job that is to be done by [`make`](Self::make).
    pub(crate) fn check(&self, job: &Job) -> Result<(), Problem> {
        job.check(self.component, PROGRAM)
    }

    /// Where [`make`](Self::make) leaves its output.
    pub(crate) fn made(scratch: &Scratch) -> std::path::PathBuf {
        scratch.file(MADE)
    }
}

fn changed(input: &Path) -> Problem {
    let name = shown::path(input);
    Problem::give_back(format!("{name} is not what the batch was made with; run the batch again"))
}

/// What changes when somebody writes into a file.
fn stamp(path: &Path) -> Result<(u64, Option<std::time::SystemTime>), Problem> {
    let found = path.metadata().map_err(|error| Problem::io("open", path, &error))?;
    Ok((found.len(), found.modified().ok()))
}

/// How far a job is, by the stage it is in.
struct Steps<'a> {
    stop: &'a Stop,
    so_far: &'a dyn Fn(f32),
    steps: Cell<u64>,
    done: Cell<u64>,
    told: Cell<f32>,
}

/// Least part that is worth a word.
const WORTH: f32 = 0.02;

impl Watch for Steps<'_> {
    fn begin(&self, doing: &'static str, steps: u64) {
        // Writing takes no time to speak of.
        self.steps.set(if doing == "writing" { 0 } else { steps });
        self.done.set(0);
    }

    fn step(&self) -> bool {
        self.done.set(self.done.get() + 1);
        if self.steps.get() > 0 {
            let part = (self.done.get() as f32 / self.steps.get() as f32).min(1.0);
            if part >= self.told.get() + WORTH {
                self.told.set(part);
                (self.so_far)(part);
            }
        }
        self.stop.check().is_ok()
    }
}
