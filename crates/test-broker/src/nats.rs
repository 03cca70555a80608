//! A nats-server of one test's own.

use crate::{certificates::Certificates, find, process::Process};
use anyhow::{Context, Result, bail};
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use tempfile::TempDir;

const PROGRAM: &str = "nats-server";

/// Free ports may be taken before the server takes them.
const ATTEMPTS: usize = 5;

/// What kind of server.
#[derive(Debug, Default)]
pub struct NatsSetup<'s> {
    /// Without JetStream.
    pub plain: bool,
    /// User and password of the only user.
    pub user: Option<(&'s str, &'s str)>,
    /// Only with TLS.
    pub tls: Option<&'s Certificates>,
    /// More lines of its configuration.
    pub more: &'s str,
}

/// A running nats-server, with its store in a folder of its own. Dropped, it is killed.
#[derive(Debug)]
pub struct Nats {
    process: Process,
    folder: TempDir,
    address: SocketAddr,
    tls: bool,
}

impl Nats {
    /// Starts a server; `None` where it is not installed.
    ///
    /// # Errors
    /// It is installed and does not start: what it said.
    pub fn start(setup: &NatsSetup<'_>) -> Result<Option<Self>> {
        if find(PROGRAM).is_none() {
            return Ok(None);
        }
        for _ in 0..ATTEMPTS {
            let folder = tempfile::tempdir().context("no temporary folder")?;
            let address = crate::broker::local(crate::broker::free_port()?);
            fs::write(folder.path().join("nats.conf"), configuration(setup, &folder, address)?)?;
            let mut process = spawn(&folder)?;
            if process.listens(&[address])? {
                return Ok(Some(Self { process, folder, address, tls: setup.tls.is_some() }));
            }
            let said = said(&folder);
            if !said.contains("address already in use") {
                bail!("nats-server does not listen; it said:\n{said}");
            }
        }
        bail!("nats-server found its port taken {ATTEMPTS} times");
    }

    /// Kills it, as a crash would.
    pub fn stop(&mut self) {
        self.process.kill();
    }

    /// Starts it again, on the same port and store.
    ///
    /// # Errors
    /// It does not start, or its port is taken now.
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        self.process = spawn(&self.folder)?;
        if !self.process.listens(&[self.address])? {
            bail!("nats-server does not listen again; it said:\n{}", said(&self.folder));
        }
        Ok(())
    }

    /// Its URL.
    pub fn url(&self) -> String {
        if self.tls { format!("tls://localhost:{}", self.address.port()) } else { format!("nats://{}", self.address) }
    }

    /// What it has written to its log so far.
    pub fn said(&self) -> String {
        said(&self.folder)
    }
}

fn said(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("log")).unwrap_or_else(|error| error.to_string())
}

fn spawn(folder: &TempDir) -> Result<Process> {
    Process::start(PROGRAM, &folder.path().join("nats.conf"), &folder.path().join("log"))
}

fn configuration(setup: &NatsSetup<'_>, folder: &TempDir, address: SocketAddr) -> Result<String> {
    let mut config = format!("listen: \"{address}\"\n{}\n", setup.more);
    if !setup.plain {
        writeln!(config, "jetstream {{ store_dir: {:?} }}", folder.path().join("store"))?;
    }
    if let Some((user, password)) = setup.user {
        writeln!(config, "authorization {{ user: {user:?}, password: {password:?} }}")?;
    }
    if let Some(certificates) = setup.tls {
        writeln!(
            config,
            "tls {{ cert_file: {:?}, key_file: {:?} }}",
            certificates.server(),
            certificates.server_key()
        )?;
    }
    Ok(config)
}
