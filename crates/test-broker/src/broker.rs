//! A Mosquitto of one test's own.

use crate::certificates::Certificates;
use crate::find;
use crate::process::Process;
use anyhow::{Context, Result, bail};
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;
use tempfile::TempDir;

const PROGRAM: &str = "mosquitto";

/// Free ports may be taken before Mosquitto takes them.
pub(crate) const ATTEMPTS: usize = 5;

/// What kind of broker.
#[derive(Debug, Default)]
pub struct Setup<'s> {
    /// User and password of the only user; anonymous clients are let in if there is none.
    pub user: Option<(&'s str, &'s str)>,
    /// A TLS port that lets in clients with a certificate of the same CA only.
    pub tls: Option<&'s Certificates>,
    /// More lines of `mosquitto.conf`.
    pub more: &'s str,
}

/// A running Mosquitto. Dropped, it is killed.
#[derive(Debug)]
pub struct Broker {
    process: Process,
    folder: TempDir,
    ports: Ports,
    encrypted: bool,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    tcp: u16,
    tls: u16,
    websocket: u16,
}

impl Broker {
    /// Starts a broker; `None` where Mosquitto is not installed.
    ///
    /// # Errors
    /// It is installed and does not start: what it said.
    pub fn start(setup: &Setup<'_>) -> Result<Option<Self>> {
        if find(PROGRAM).is_none() {
            return Ok(None);
        }
        for _ in 0..ATTEMPTS {
            let folder = tempfile::tempdir().context("no temporary folder")?;
            let ports = Ports { tcp: free_port()?, tls: free_port()?, websocket: free_port()? };
            let config = folder.path().join("mosquitto.conf");
            fs::write(&config, configuration(setup, &folder, ports)?).context("cannot write mosquitto.conf")?;
            let process = spawn(&folder)?;
            let mut broker = Self { process, folder, ports, encrypted: setup.tls.is_some() };
            if broker.listens()? {
                return Ok(Some(broker));
            }
            let said = broker.said();
            if !said.contains("Address already in use") {
                bail!("mosquitto does not listen; it said:\n{said}");
            }
        }
        bail!("mosquitto found its ports taken {ATTEMPTS} times");
    }

    /// Waits until it listens, or has ended.
    fn listens(&mut self) -> Result<bool> {
        let mut ports = vec![local(self.ports.tcp), local(self.ports.websocket)];
        ports.extend(self.encrypted.then_some(local(self.ports.tls)));
        self.process.listens(&ports)
    }

    /// Kills it, as a crash would.
    pub fn stop(&mut self) {
        self.process.kill();
    }

    /// Starts it again, on the same ports.
    ///
    /// # Errors
    /// It does not start, or its ports are taken now.
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        self.process = spawn(&self.folder)?;
        if !self.listens()? {
            bail!("mosquitto does not listen again; it said:\n{}", self.said());
        }
        Ok(())
    }

    /// The plain port.
    pub fn tcp(&self) -> SocketAddr {
        local(self.ports.tcp)
    }

    /// The TLS port, if there is one.
    pub fn tls(&self) -> SocketAddr {
        local(self.ports.tls)
    }

    /// The WebSocket port.
    pub fn websocket(&self) -> SocketAddr {
        local(self.ports.websocket)
    }

    /// What it has written to its log so far.
    pub fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_else(|error| error.to_string())
    }
}

/// Starts it on the configuration in its folder.
fn spawn(folder: &TempDir) -> Result<Process> {
    Process::start(PROGRAM, &folder.path().join("mosquitto.conf"), &folder.path().join("log"))
}

fn configuration(setup: &Setup<'_>, folder: &TempDir, ports: Ports) -> Result<String> {
    let mut config = format!("persistence false\nlog_dest stderr\nlog_type all\n{}\n", setup.more);
    // Started by root, it would become a user that may not read our files.
    config += "user root\n";
    match setup.user {
        None => config += "allow_anonymous true\n",
        Some((user, password)) => {
            let Some(tool) = find("mosquitto_passwd") else { bail!("mosquitto has no mosquitto_passwd beside it") };
            let file = folder.path().join("passwords");
            let status = Command::new(tool).args(["-c", "-b"]).arg(&file).args([user, password]).status()?;
            if !status.success() {
                bail!("mosquitto_passwd failed: {status}");
            }
            writeln!(config, "allow_anonymous false\npassword_file {}", file.display())?;
        }
    }
    writeln!(config, "listener {} 127.0.0.1", ports.tcp)?;
    writeln!(config, "listener {} 127.0.0.1\nprotocol websockets", ports.websocket)?;
    if let Some(certificates) = setup.tls {
        writeln!(
            config,
            "listener {} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true",
            ports.tls,
            certificates.ca().display(),
            certificates.server().display(),
            certificates.server_key().display()
        )?;
    }
    Ok(config)
}

pub(crate) fn free_port() -> Result<u16> {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(socket.local_addr()?.port())
}

pub(crate) fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
