//! A Mosquitto of one test's own.

use crate::certificates::Certificates;
use crate::find;
use crate::server::{Configured, Server, free_port};
use anyhow::{Result, bail};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::Command;

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

/// A running Mosquitto: a [`Server`]. Dropped, it is killed.
#[derive(Debug)]
pub struct Broker {
    server: Server,
    ports: Ports,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    tcp: SocketAddr,
    tls: SocketAddr,
    websocket: SocketAddr,
}

impl Broker {
    /// Starts a broker; `None` where Mosquitto is not installed.
    ///
    /// # Errors
    /// It is installed and does not start: what it said.
    pub fn start(setup: &Setup<'_>) -> Result<Option<Self>> {
        let started = Server::start("mosquitto", |folder| {
            let ports = Ports { tcp: free_port()?, tls: free_port()?, websocket: free_port()? };
            let mut listens_on = vec![ports.tcp, ports.websocket];
            listens_on.extend(setup.tls.map(|_| ports.tls));
            Ok(Configured { text: configuration(setup, folder, ports)?, listens_on, ports })
        })?;
        Ok(started.map(|(server, ports)| Self { server, ports }))
    }

    /// The plain port.
    pub fn tcp(&self) -> SocketAddr {
        self.ports.tcp
    }

    /// The TLS port, if there is one.
    pub fn tls(&self) -> SocketAddr {
        self.ports.tls
    }

    /// The WebSocket port.
    pub fn websocket(&self) -> SocketAddr {
        self.ports.websocket
    }
}

impl Deref for Broker {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl DerefMut for Broker {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.server
    }
}

fn configuration(setup: &Setup<'_>, folder: &Path, ports: Ports) -> Result<String> {
    let mut config = format!("persistence false\nlog_dest stderr\nlog_type all\n{}\n", setup.more);
    // Started by root, it would become a user that may not read our files.
    config += "user root\n";
    match setup.user {
        None => config += "allow_anonymous true\n",
        Some((user, password)) => {
            let Some(tool) = find("mosquitto_passwd") else { bail!("mosquitto has no mosquitto_passwd beside it") };
            let file = folder.join("passwords");
            let status = Command::new(tool).args(["-c", "-b"]).arg(&file).args([user, password]).status()?;
            if !status.success() {
                bail!("mosquitto_passwd failed: {status}");
            }
            writeln!(config, "allow_anonymous false\npassword_file {}", file.display())?;
        }
    }
    writeln!(config, "listener {} 127.0.0.1", ports.tcp.port())?;
    writeln!(config, "listener {} 127.0.0.1\nprotocol websockets", ports.websocket.port())?;
    if let Some(certificates) = setup.tls {
        writeln!(
            config,
            "listener {} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true",
            ports.tls.port(),
            certificates.ca().display(),
            certificates.server().display(),
            certificates.server_key().display()
        )?;
    }
    Ok(config)
}
