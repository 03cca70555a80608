//! The component in wasmtime, as every subcommand opens it.

use anyhow::{Context, Result, anyhow};
use sidetone_host::{
    Component, Decoder, Encoder, EncoderConfig, Engine, EngineConfig, Error, Key, Opener, Sealer, Session,
};
use sidetone_opus::{Channels, SampleRate};
use sidetone_packet::Direction;
use std::time::Duration;

/// Instances at a time: every stage of a job ends before the next begins. Each reserves 4 GiB of address space.
const INSTANCES: u32 = 1;

/// Longest time a call may take. A gateway must be strict; here nobody waits, and other programs may have the CPU. An
/// endless loop in the guest still ends.
const DEADLINE: Duration = Duration::from_secs(10);

/// The embedded component, compiled.
pub(crate) struct Sandbox(Component);

impl Sandbox {
    /// Compiles the embedded component: 0.3-0.4 s.
    pub(crate) fn new() -> Result<Self> {
        engine()?.compile(sidetone_artifact::COMPONENT).map(Self).context("the embedded component does not load")
    }

    pub(crate) fn encoder(&self, config: &EncoderConfig) -> Result<Encoder> {
        Ok(Encoder::open(self.0.instantiate()?, config)?)
    }

    pub(crate) fn decoder(&self, rate: SampleRate, channels: Channels) -> Result<Decoder> {
        Ok(Decoder::open(self.0.instantiate()?, rate, channels)?)
    }

    pub(crate) fn session(&self, key: &Key, config: &sidetone_session::Config) -> Result<Session> {
        Ok(self.0.open(key, config)?)
    }

    pub(crate) fn sealer(&self, key: &Key, connection: u32, direction: Direction) -> Result<Sealer> {
        Ok(Sealer::open(self.0.instantiate()?, key, connection, direction)?)
    }

    pub(crate) fn opener(&self, key: &Key, connection: u32, direction: Direction) -> Result<Opener> {
        Ok(Opener::open(self.0.instantiate()?, key, connection, direction)?)
    }
}

/// An engine for a program that runs one job.
pub(crate) fn engine() -> Result<Engine> {
    let config = EngineConfig {
        instances: INSTANCES,
        deadline: DEADLINE,
        init_deadline: DEADLINE,
        // Deadlines this long need no fine clock.
        tick: Duration::from_millis(100),
        ..EngineConfig::default()
    };
    Engine::new(&config).map_err(|error| match error {
        Error::Engine(why) if why.contains("mmap") || why.contains("memory") => anyhow!(
            "no room for the sandbox: it reserves some 5 GiB of addresses, of which it uses a few MiB; raise the limit of \
             address space (ulimit -v) ({why})"
        ),
        error => anyhow::Error::new(error).context("wasmtime does not start on this machine"),
    })
}
