//! The table of subcommands, and what `--help` and `--version` say.

use crate::interrupt;
use crate::report::short;
use crate::{batch, conformance, inspect, manual, metrics, serve, transcode, worker};
use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use std::sync::LazyLock;

/// Version of this program and of everything that decides what comes out of it.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} (component {}, libopus {}, wasmtime {}, {})",
        env!("CARGO_PKG_VERSION"),
        short(sidetone_artifact::COMPONENT_SHA256),
        sidetone_artifact::LIBOPUS_VERSION,
        env!("SIDETONE_WASMTIME_VERSION"),
        env!("SIDETONE_RUSTC_VERSION"),
    )
});

/// Opus and packet crypto as one sandboxed WebAssembly component.
///
/// Every packet is coded, sealed and opened by the component inside wasmtime, never by native code.
#[derive(Parser)]
#[command(name = "sidetone", version = VERSION.as_str(), max_term_width = 100, after_help = "\
Examples:
  sidetone serve                                                   a gateway on this machine
  sidetone fleet --devices 20 --loss 2                             devices that call it
  sidetone transcode speech.wav heard.wav --seal random --loss 5   as heard on a bad line
  sidetone transcode speech.wav speech.opus --bitrate 24k          for any player
  sidetone batch transcode in/ --to opus --out out                 many files, here or on many machines
  sidetone worker --nats nats://queue:4222                         one of the machines
  sidetone conformance vectors/                                    the official bitstreams
  sidetone inspect                                                 what this program runs
  sidetone metrics --prometheus-rules                              alert rules for Prometheus

Exit codes: 0 done; 1 failed, or a check did not pass; 2 wrong usage; 128 and the number of a
signal that ended it before its work was done (130 for Ctrl-C).")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Serve(Box<serve::Args>),
    Fleet(Box<sidetone_fleet::cli::Args>),
    Transcode(Box<transcode::Args>),
    Batch(Box<batch::Args>),
    Worker(Box<worker::Args>),
    Conformance(conformance::Args),
    Inspect(inspect::Args),
    Metrics(metrics::Args),
    Man(manual::ManArgs),
    Completions(manual::CompletionsArgs),
}

impl Command {
    pub(crate) fn run(&self) -> Result<ExitCode> {
        // What runs for long has its own ways with signals.
        if !matches!(self, Self::Serve(_) | Self::Fleet(_) | Self::Batch(_) | Self::Worker(_)) {
            interrupt::install()?;
        }
        match self {
            Self::Serve(args) => serve::main(args),
            Self::Fleet(args) => Ok(sidetone_fleet::cli::run(args)?),
            Self::Transcode(args) => transcode::main(args),
            Self::Batch(args) => batch::main(args),
            Self::Worker(args) => worker::main(args),
            Self::Conformance(args) => conformance::main(args),
            Self::Inspect(args) => inspect::main(args),
            Self::Metrics(args) => metrics::main(args),
            Self::Man(args) => manual::man(args),
            Self::Completions(args) => manual::completions(args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_table_is_consistent() {
        Cli::command().debug_assert();
    }
}
