//! For tests: a real Mosquitto or nats-server on free loopback ports, Mosquitto's command-line clients, and throw-away
//! certificates.
//!
//! Where a server is not installed, [`Broker::start`] or [`Nats::start`] gives `None`, having said so; a test then has
//! nothing to check.

mod broker;
mod certificates;
mod clients;
mod nats;
mod process;
mod server;

pub use broker::{Broker, Setup};
pub use certificates::Certificates;
pub use clients::{Foreign, publisher, subscriber};
pub use nats::{Nats, NatsSetup};
pub use server::Server;

use std::path::PathBuf;

/// Where a program is: in the path, or where Debian puts servers.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let mut files = folders.map(|folder| folder.join(program));
    let found = files.find(|file| file.is_file());
    if found.is_none() {
        let packages = match program {
            "nats-server" => "nats-server",
            "promtool" => "prometheus",
            _ => "mosquitto mosquitto-clients",
        };
        println!("skipped: {program} is not installed (Debian: apt-get install {packages})");
    }
    found
}
