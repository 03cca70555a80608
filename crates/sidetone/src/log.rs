//! The log, on stderr: stdout is for what was asked for.

use anyhow::{Context, Result};
use sidetone_gateway::config::{self, LogFormat};
use std::io::{IsTerminal, stderr};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

/// The log of this process.
pub(crate) struct Log(reload::Handle<Targets, Registry>);

impl Log {
    /// Starts it. Once a process.
    pub(crate) fn start(config: &config::Log) -> Result<Self> {
        let (filter, handle) = reload::Layer::new(targets(config)?);
        let lines = match config.format {
            LogFormat::Text => {
                let colours = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
                fmt::layer().with_writer(stderr).with_ansi(colours).boxed()
            }
            LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(stderr).boxed(),
        };
        tracing_subscriber::registry().with(filter).with(lines).try_init().context("the log cannot be started")?;
        Ok(Self(handle))
    }

    /// Another level from now on.
    pub(crate) fn set_level(&self, config: &config::Log) -> Result<()> {
        self.0.reload(targets(config)?).context("the log's level cannot be changed")
    }
}

/// Settings of a log of lines for people.
pub(crate) fn plain(level: &str) -> config::Log {
    config::Log { level: level.to_owned(), format: LogFormat::Text }
}

fn targets(config: &config::Log) -> Result<Targets> {
    config.level.parse().with_context(|| format!("log.level = {:?} is not understood", config.level))
}
