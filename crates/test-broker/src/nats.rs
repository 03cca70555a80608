//! A nats-server of one test's own.

use crate::broker::{ATTEMPTS, free_port, local};
use crate::{certificates::Certificates, find, process::Process};
use anyhow::{Context, Result, bail};
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use tempfile::TempDir;

const PROGRAM: &str = "nats-server";

/// What kind of server.
#[derive(Debug, Default)]
pub struct NatsSetup<'s> {
    /// Without JetStream.
    pub plain: bool,
    /// With an MQTT listener, which needs JetStream.
    pub mqtt: bool,
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
    mqtt: Option<SocketAddr>,
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
            let address = local(free_port()?);
            let mqtt = if setup.mqtt { Some(local(free_port()?)) } else { None };
            fs::write(folder.path().join("nats.conf"), configuration(setup, &folder, address, mqtt)?)?;
            let process = spawn(&folder)?;
            let mut nats = Self { process, folder, address, mqtt, tls: setup.tls.is_some() };
            if nats.listens()? {
                return Ok(Some(nats));
            }
            let folder = nats.folder;
            let said = said(&folder);
            if !said.contains("address already in use") {
                bail!("nats-server does not listen; it said:\n{said}");
            }
        }
        bail!("nats-server found its port taken {ATTEMPTS} times");
    }

    fn listens(&mut self) -> Result<bool> {
        let addresses: Vec<_> = [self.address].into_iter().chain(self.mqtt).collect();
        self.process.listens(&addresses)
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
        if !self.listens()? {
            bail!("nats-server does not listen again; it said:\n{}", said(&self.folder));
        }
        Ok(())
    }

    /// Its URL.
    pub fn url(&self) -> String {
        if self.tls { format!("tls://localhost:{}", self.address.port()) } else { format!("nats://{}", self.address) }
    }

    /// Where it speaks MQTT, if it does.
    pub fn mqtt(&self) -> Option<SocketAddr> {
        self.mqtt
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

fn configuration(
    setup: &NatsSetup<'_>,
    folder: &TempDir,
    address: SocketAddr,
    mqtt: Option<SocketAddr>,
) -> Result<String> {
    let mut config = format!("server_name: test\nlisten: \"{address}\"\n{}\n", setup.more);
    if let Some(mqtt) = mqtt {
        writeln!(config, "mqtt {{ listen: \"{mqtt}\" }}")?;
    }
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
