//! A server's process: killed when it is dropped.

use crate::find;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts a program on a configuration file, with its words in a log.
    pub(crate) fn start(program: &str, config: &Path, log: &Path) -> Result<Self> {
        let Some(found) = find(program) else { bail!("{program} is gone") };
        let said = File::options().create(true).append(true).open(log).context("cannot write the log")?;
        let child = Command::new(found)
            .arg("-c")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said)
            .spawn()
            .with_context(|| format!("{program} does not start"))?;
        Ok(Self(child))
    }

    /// Waits until it listens everywhere, or has ended.
    pub(crate) fn listens(&mut self, addresses: &[SocketAddr]) -> Result<bool> {
        let mut waiting = addresses.to_vec();
        let start = Instant::now();
        while start.elapsed() < START {
            if self.0.try_wait()?.is_some() {
                return Ok(false);
            }
            waiting.retain(|address| TcpStream::connect(address).is_err());
            if waiting.is_empty() {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(false)
    }

    /// Kills it, as a crash would.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
