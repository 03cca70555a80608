//! A NATS server with its MQTT listener, of one test's own.

use crate::broker::{ATTEMPTS, START, free_port, local};
use crate::find;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;

const PROGRAM: &str = "nats-server";

/// A running NATS server. Dropped, it is killed.
#[derive(Debug)]
pub struct Nats {
    child: Child,
    mqtt: u16,
    _folder: TempDir,
}

impl Nats {
    /// Starts a server with JetStream, which MQTT needs; `None` where it is not installed.
    ///
    /// # Errors
    /// It is installed and does not start: what it said.
    pub fn start() -> Result<Option<Self>> {
        let Some(program) = find(PROGRAM) else { return Ok(None) };
        for _ in 0..ATTEMPTS {
            let folder = tempfile::tempdir().context("no temporary folder")?;
            let (own, mqtt) = (free_port()?, free_port()?);
            let config = format!(
                "server_name: test\nhost: \"127.0.0.1\"\nport: {own}\njetstream {{ store_dir: {:?} }}\n\
                 mqtt {{ host: \"127.0.0.1\", port: {mqtt} }}\n",
                folder.path().join("jetstream")
            );
            let (file, log) = (folder.path().join("nats.conf"), folder.path().join("log"));
            fs::write(&file, config).context("cannot write nats.conf")?;
            let said = File::create(&log).context("cannot write the log")?;
            let mut command = Command::new(&program);
            command.arg("-c").arg(&file).stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
            let child = command.spawn().context("nats-server does not start")?;
            let mut server = Self { child, mqtt, _folder: folder };
            if server.listens()? {
                return Ok(Some(server));
            }
            let said = fs::read_to_string(&log).unwrap_or_default();
            if !said.contains("address already in use") {
                bail!("nats-server does not listen; it said:\n{said}");
            }
        }
        bail!("nats-server found its ports taken {ATTEMPTS} times");
    }

    fn listens(&mut self) -> Result<bool> {
        let start = Instant::now();
        while start.elapsed() < START && self.child.try_wait()?.is_none() {
            if TcpStream::connect(local(self.mqtt)).is_ok() {
                return Ok(true);
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Ok(false)
    }

    /// Where it speaks MQTT.
    pub fn mqtt(&self) -> SocketAddr {
        local(self.mqtt)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
