//! A server on a configuration in a folder of its own.

use crate::find;
use crate::process::Process;
use anyhow::{Context, Result, bail};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use tempfile::TempDir;

/// Free ports may be taken before the server takes them.
const ATTEMPTS: usize = 5;

/// A running server, with its folder. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    program: &'static str,
    process: Process,
    folder: TempDir,
    listens_on: Vec<SocketAddr>,
}

/// What a server is started on.
pub(crate) struct Configured<P> {
    /// Its configuration file.
    pub(crate) text: String,
    /// Where it listens then.
    pub(crate) listens_on: Vec<SocketAddr>,
    /// The same, by names.
    pub(crate) ports: P,
}

impl Server {
    /// Starts a server on what `configure` makes of a folder, on other ports where those are taken; `None` where it is
    /// not installed.
    pub(crate) fn start<P>(
        program: &'static str,
        configure: impl Fn(&Path) -> Result<Configured<P>>,
    ) -> Result<Option<(Self, P)>> {
        if find(program).is_none() {
            return Ok(None);
        }
        for _ in 0..ATTEMPTS {
            let folder = tempfile::tempdir().context("no temporary folder")?;
            let Configured { text, listens_on, ports } = configure(folder.path())?;
            fs::write(folder.path().join("conf"), text).context("cannot write the configuration")?;
            let process = spawn(program, folder.path())?;
            let mut server = Self { program, process, folder, listens_on };
            if server.listens()? {
                return Ok(Some((server, ports)));
            }
            let said = server.said();
            if !said.to_lowercase().contains("address already in use") {
                bail!("{program} does not listen; it said:\n{said}");
            }
        }
        bail!("{program} found its ports taken {ATTEMPTS} times");
    }

    /// Waits until it listens, or has ended.
    fn listens(&mut self) -> Result<bool> {
        self.process.listens(&self.listens_on)
    }

    /// Kills it, as a crash would.
    pub fn stop(&mut self) {
        self.process.kill();
    }

    /// Starts it again, in the same folder and on the same ports.
    ///
    /// # Errors
    /// It does not start, or its ports are taken now.
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        self.process = spawn(self.program, self.folder.path())?;
        if !self.listens()? {
            bail!("{} does not listen again; it said:\n{}", self.program, self.said());
        }
        Ok(())
    }

    /// What it has written to its log so far.
    pub fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_else(|error| error.to_string())
    }
}

fn spawn(program: &str, folder: &Path) -> Result<Process> {
    Process::start(program, &folder.join("conf"), &folder.join("log"))
}

/// A port of loopback that is free now.
pub(crate) fn free_port() -> Result<SocketAddr> {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(socket.local_addr()?)
}
