//! `cargo xtask`: what one does with this repository, in one place. This file is the table of commands; each has a
//! module. Nothing here is part of the product, and nothing needs an installed tool beyond Rust and a C compiler:
//! what else is missing, [`setup`] installs, saying so first.

mod bench;
mod component;
mod counts;
mod dist;
mod folder;
mod fuzz;
mod hosts;
mod lint;
mod node;
mod npm;
mod package;
mod pages;
mod python;
mod quality;
mod release;
mod run;
mod sbom;
mod screenshots;
mod seeds;
mod setup;
mod sh;
mod test;
mod web;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Set-up, tests, benchmarks and builds of Sidetone.
///
/// A fresh checkout needs `cargo xtask run` and nothing before it: every command first looks for the tools it needs and
/// installs what is missing.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Setup(setup::Args),
    Run(run::Args),
    Test(test::Args),
    Lint(lint::Args),
    Bench(bench::Args),
    Counts(counts::Args),
    Quality(quality::Args),
    Component(component::Args),
    Web(web::Args),
    Screenshots(screenshots::Args),
    Dist(dist::Args),
    Package(package::Args),
    Fuzz(fuzz::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Setup(args) => setup::main(&args),
        Command::Run(args) => run::main(&args),
        Command::Test(args) => test::main(&args),
        Command::Lint(args) => lint::main(&args),
        Command::Bench(args) => bench::main(&args),
        Command::Counts(args) => counts::main(&args),
        Command::Quality(args) => quality::main(&args),
        Command::Component(args) => component::main(&args),
        Command::Web(args) => web::main(&args),
        Command::Screenshots(args) => screenshots::main(&args),
        Command::Dist(args) => dist::main(&args),
        Command::Package(args) => package::main(&args),
        Command::Fuzz(args) => fuzz::main(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
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
