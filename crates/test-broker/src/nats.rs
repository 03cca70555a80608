//! A nats-server of one test's own.

use crate::certificates::Certificates;
use crate::server::{Configured, Server, free_port};
use anyhow::Result;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::path::Path;

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

/// A running nats-server, with its store: a [`Server`]. Dropped, it is killed.
#[derive(Debug)]
pub struct Nats {
    server: Server,
    ports: Ports,
    tls: bool,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    nats: SocketAddr,
    mqtt: Option<SocketAddr>,
}

impl Nats {
    /// Starts a server; `None` where it is not installed.
    ///
    /// # Errors
    /// It is installed and does not start: what it said.
    pub fn start(setup: &NatsSetup<'_>) -> Result<Option<Self>> {
        let started = Server::start("nats-server", |folder| {
            let ports = Ports { nats: free_port()?, mqtt: setup.mqtt.then(free_port).transpose()? };
            let listens_on = [ports.nats].into_iter().chain(ports.mqtt).collect();
            Ok(Configured { text: configuration(setup, folder, ports)?, listens_on, ports })
        })?;
        Ok(started.map(|(server, ports)| Self { server, ports, tls: setup.tls.is_some() }))
    }

    /// Its URL.
    pub fn url(&self) -> String {
        if self.tls {
            format!("tls://localhost:{}", self.ports.nats.port())
        } else {
            format!("nats://{}", self.ports.nats)
        }
    }

    /// Where it speaks MQTT, if it does.
    pub fn mqtt(&self) -> Option<SocketAddr> {
        self.ports.mqtt
    }
}

impl Deref for Nats {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl DerefMut for Nats {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.server
    }
}

fn configuration(setup: &NatsSetup<'_>, folder: &Path, ports: Ports) -> Result<String> {
    let mut config = format!("server_name: test\nlisten: \"{}\"\n{}\n", ports.nats, setup.more);
    if let Some(mqtt) = ports.mqtt {
        writeln!(config, "mqtt {{ listen: \"{mqtt}\" }}")?;
    }
    if !setup.plain {
        writeln!(config, "jetstream {{ store_dir: {:?} }}", folder.join("store"))?;
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
