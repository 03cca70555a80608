//! Mosquitto's command-line clients: clients that are not ours.

use crate::find;
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// A running client. Dropped, it is killed.
#[derive(Debug)]
pub struct Foreign {
    child: Child,
    said: BufReader<ChildStdout>,
}

/// `mosquitto_pub` to `server`, with these arguments besides; `None` where it is not installed.
///
/// # Errors
/// It is installed and does not start.
pub fn publisher(server: SocketAddr, arguments: &[&str]) -> Result<Option<Foreign>> {
    Foreign::start("mosquitto_pub", server, arguments)
}

/// `mosquitto_sub` to `server`, with these arguments besides; `None` where it is not installed.
///
/// # Errors
/// It is installed and does not start.
pub fn subscriber(server: SocketAddr, arguments: &[&str]) -> Result<Option<Foreign>> {
    Foreign::start("mosquitto_sub", server, arguments)
}

impl Foreign {
    fn start(program: &str, server: SocketAddr, arguments: &[&str]) -> Result<Option<Self>> {
        let Some(found) = find(program) else { return Ok(None) };
        let mut child = Command::new(found)
            .args(["-h", &server.ip().to_string(), "-p", &server.port().to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{program} does not start"))?;
        let said = child.stdout.take().context("it has no output")?;
        Ok(Some(Self { child, said: BufReader::new(said) }))
    }

    /// The next line it prints, without its end; blocks until there is one. Empty at the end.
    ///
    /// # Errors
    /// The pipe broke.
    pub fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// Waits for its end; blocks.
    ///
    /// # Errors
    /// The system cannot tell.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
