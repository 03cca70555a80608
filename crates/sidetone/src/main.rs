//! `sidetone`: the command line. This file is the way from arguments to an exit code; each subcommand has a file.
//!
//! Nothing here codes or encrypts: all of that happens in the component, inside wasmtime, behind `sidetone-host`. (The
//! fleet's devices are native, as real ones are; they live in `sidetone-fleet`.)
#![forbid(unsafe_code)]

mod batch;
mod cli;
mod conformance;
mod inspect;
mod interrupt;
mod log;
mod manual;
mod metrics;
mod progress;
mod report;
mod sandbox;
mod serve;
mod signals;
mod transcode;
mod usage;
mod values;
mod worker;

use clap::Parser;
use interrupt::Interrupted;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match cli::Cli::try_parse() {
        Ok(cli) => cli.command.run(),
        Err(error) => usage::tell(error),
    };
    outcome.unwrap_or_else(|error| match error.downcast_ref::<Interrupted>() {
        Some(interrupted) => ExitCode::from(interrupted.code()),
        None => {
            report::complain("error", &format!("{error:#}"));
            ExitCode::FAILURE
        }
    })
}
