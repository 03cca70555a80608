//! Workers, as processes of their own.

use anyhow::{Context, Result, bail};
use sidetone_batch::nats::{Access, QueueName, Worker};
use sidetone_batch::{Fittings, Root, Workshop};
use sidetone_test_broker::Nats;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// What this program is called with to be a worker.
pub(crate) const FLAG: &str = "--be-a-worker";

/// Workers of one job at a time. Dropped, they end.
pub(crate) struct Crew(Vec<Child>);

impl Crew {
    /// Starts so many, and waits until they are at work.
    pub(crate) fn start(nats: &Nats, root: &Path, count: usize) -> Result<Self> {
        let mut crew = Self(Vec::new());
        let program = std::env::current_exe().context("this program has no file")?;
        for _ in 0..count {
            let mut command = Command::new(&program);
            command.args([FLAG, &nats.url()]).arg(root).stdout(Stdio::piped());
            crew.0.push(command.spawn().context("a worker does not start")?);
        }
        for worker in &mut crew.0 {
            let mut line = String::new();
            BufReader::new(worker.stdout.as_mut().context("no pipe")?).read_line(&mut line)?;
            if line.is_empty() {
                bail!("a worker ended at its start");
            }
        }
        Ok(crew)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for worker in &mut self.0 {
            // It may be gone already.
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}

/// Is a worker, until it is killed.
pub(crate) fn work(url: &str, root: &Path) -> Result<()> {
    let root = Root::below(root)?;
    let workshop = Workshop::new(Fittings { jobs: 1, tenants: Vec::new(), root, keys: None })?;
    let worker = Worker {
        name: format!("worker-{}", std::process::id()),
        queue: QueueName::parse("sidetone").map_err(anyhow::Error::msg)?,
        jobs: 1,
        ack_wait: None,
        limit: Duration::from_secs(60),
        drain: Duration::ZERO,
        scratch: std::env::temp_dir(),
    };
    let access = Access { url: url.to_owned(), ..Access::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (_tell, end) = tokio::sync::watch::channel(false);
    runtime.block_on(worker.work(&access, Arc::new(workshop), end, || println!("ready")))?;
    Ok(())
}
