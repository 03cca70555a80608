//! `sidetone worker`: takes jobs of `sidetone batch` from a queue, on any machine.

use crate::batch::nats::NatsArgs;
use crate::batch::processors;
use crate::batch::values::duration;
use crate::log::{self, Log};
use crate::report::{print, short};
use crate::signals::Signals;
use anyhow::{Context, Result, anyhow};
use sidetone_audio::shown;
use sidetone_batch::nats::Worker;
use sidetone_batch::{Fittings, Keys, Tenant, Workshop};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// How long threads that are still at work may hold the end of the process up.
const LEFTOVERS: Duration = Duration::from_millis(500);

/// Take jobs of `sidetone batch` from a NATS queue and do them.
///
/// Each job is done in a fresh instance of the component, within the quota of its tenant. What it makes is complete and
/// on disk before the queue hears that it is done. A worker that dies loses nothing: its job goes to another one when it
/// has been silent for --ack-wait. A job that this worker cannot do (another version, a missing file, a full disk) it
/// gives back with the reason.
///
/// A worker reads and writes below --root only, wherever a job says that its files are.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  sidetone worker --nats nats://queue:4222 --root /mnt/calls
  sidetone worker --nats tls://queue:4222 --nats-creds worker.creds --jobs 4
  sidetone worker --nats queue --tenant toys:frames=2000,cpu=0.5 --tenant robots
  SIDETONE_NATS=queue SIDETONE_NATS_TOKEN=$(cat token) sidetone worker

Signals:
  TERM, INT    takes no more jobs; those it has it ends within --drain, or gives back. Again: at once

Exit codes: 0 it ended as asked; 1 it did not start; 2 wrong usage.")]
pub(crate) struct Args {
    #[command(flatten)]
    nats: NatsArgs,
    /// Jobs at a time [default: the processors].
    #[arg(long, value_name = "N", env = "SIDETONE_JOBS", hide_env_values = true, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// A tenant whose jobs are done here, and its quota: toys:frames=2000,cpu=0.5,memory=32M,sessions=2. Again for each.
    #[arg(long = "tenant", value_name = "NAME", env = "SIDETONE_TENANTS", hide_env_values = true, value_delimiter = ' ', value_parser = Tenant::parse)]
    tenants: Vec<Tenant>,
    /// Folder of keys, for jobs that seal anew.
    #[arg(long, value_name = "DIR", env = "SIDETONE_KEYS", hide_env_values = true)]
    keys: Option<PathBuf>,
    /// Name of this worker in reports [default: machine and process].
    #[arg(long, value_name = "NAME", env = "SIDETONE_WORKER_NAME", hide_env_values = true)]
    name: Option<String>,
    /// A job that is silent for so long goes to another worker. Changes the queue, which otherwise stays as it is; a new
    /// one has 30s.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    ack_wait: Option<Duration>,
    /// Longest time of a job.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    job_limit: Duration,
    /// How long jobs may go on when the worker is told to end.
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration)]
    drain: Duration,
    /// Folder for files from the object store [default: that for temporary files].
    #[arg(long, value_name = "DIR", env = "SIDETONE_SCRATCH", hide_env_values = true)]
    scratch: Option<PathBuf>,
    /// What to log: error, warn, info or debug; or by module: info,async_nats=debug.
    #[arg(long, value_name = "LEVEL", env = "SIDETONE_LOG_LEVEL", hide_env_values = true, default_value = "info")]
    log_level: String,
}

pub(crate) fn main(args: &Args) -> Result<ExitCode> {
    let url = args.nats.nats.as_deref().ok_or_else(|| {
        anyhow!(
            "a worker takes its jobs from NATS: --nats nats://HOST:4222; without NATS `sidetone batch` does them itself"
        )
    })?;
    let access = args.nats.access(url)?;
    crate::interrupt::survive_file_limit()?;
    // Its client says little that the worker does not say itself.
    let plain = !args.log_level.contains([',', '=']);
    Log::start(&log::plain(&if plain {
        format!("{},async_nats=warn", args.log_level)
    } else {
        args.log_level.clone()
    }))?;
    let jobs = args.jobs.map_or_else(processors, usize::from);
    let fittings =
        Fittings { jobs, tenants: args.tenants.clone(), root: args.nats.root()?, keys: args.keys.clone().map(Keys) };
    let workshop = Arc::new(Workshop::new(fittings).context("the component does not start")?);
    let worker = Worker {
        name: args.name.clone().unwrap_or_else(|| format!("{}-{}", host(), std::process::id())),
        queue: args.nats.queue.clone(),
        jobs,
        ack_wait: args.ack_wait,
        limit: args.job_limit,
        drain: args.drain,
        scratch: args.scratch.clone().unwrap_or_else(std::env::temp_dir),
    };
    let runtime = Runtime::new().context("the system gives no threads")?;
    let banner = format!(
        "Worker {} of queue {}: {jobs} at a time, component {}. Working until Ctrl-C.\n",
        shown::text(&worker.name),
        worker.queue,
        short(sidetone_artifact::COMPONENT_SHA256)
    );
    let outcome = runtime.block_on(async {
        let mut signals = Signals::new()?;
        let (tell, end) = watch::channel(false);
        tokio::spawn(async move {
            let asked = signals.end().await;
            tracing::info!(signal = asked.name(), "ending: no more jobs");
            // The worker may have ended by itself.
            let _ = tell.send(true);
            let again = signals.end().await;
            std::process::exit(again.code());
        });
        // Where nobody reads it, the work goes on.
        let ready = || drop(print(&banner));
        anyhow::Ok(worker.work(&access, workshop, end, ready).await?)
    });
    runtime.shutdown_timeout(LEFTOVERS);
    let stats = outcome?;
    let [done, given_back, dead] = [&stats.done, &stats.given_back, &stats.dead].map(|count| count.load(Relaxed));
    tracing::info!(done, given_back, dead, "ended");
    Ok(ExitCode::SUCCESS)
}

/// Name of this machine.
fn host() -> String {
    let named = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    named.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "worker".to_owned())
}
