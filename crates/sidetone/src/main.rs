//! `sidetone`: the command line. This file is the way from arguments to an exit code; each subcommand has a file.
//!
//! Nothing here codes or encrypts: all of that happens in the component, inside wasmtime, behind `sidetone-host`. (The
//! fleet's devices are native, as real ones are; they live in `sidetone-fleet`.)
#![forbid(unsafe_code)]

mod cli;
mod conformance;
mod inspect;
mod interrupt;
mod progress;
mod report;
mod sandbox;
mod serve;
mod transcode;
mod values;

use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let outcome = cli.command.run();
    outcome.unwrap_or_else(|error| {
        // `eprintln!` would panic where nobody can be told.
        let _ = writeln!(std::io::stderr(), "error: {error:#}");
        cli.command.failure()
    })
}
