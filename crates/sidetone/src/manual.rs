//! `sidetone man` and `sidetone completions`: what the command line knows of itself, for `man` and for shells. Made from the
//! same table that parses the arguments.

use crate::cli::Cli;
use crate::{interrupt, report};
use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use sidetone_audio::output::AtomicFile;
use sidetone_audio::shown;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Print the manual page, or write one for each subcommand to a folder.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  sidetone man | man -l -
  sidetone man --out ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Folder to write sidetone.1, sidetone-serve.1, … to.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Print the completions of a shell.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  source <(sidetone completions bash)
  sidetone completions fish > ~/.config/fish/completions/sidetone.fish")]
pub(crate) struct CompletionsArgs {
    /// Which shell.
    shell: Shell,
}

pub(crate) fn man(args: &ManArgs) -> Result<ExitCode> {
    let mut command = Cli::command();
    command.build();
    match &args.out {
        None => report::print(&page(command)?)?,
        Some(folder) => {
            fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", shown::path(folder)))?;
            for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
                let name = format!("sidetone-{}", sub.get_name());
                write(folder, &name, sub.clone())?;
            }
            write(folder, "sidetone", command)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn completions(args: &CompletionsArgs) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sidetone", &mut script);
    report::print(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}

fn page(command: Command) -> Result<String> {
    let mut roff = Vec::new();
    // No date: the page is the same whenever it is made. The version is of the program alone, without what is inside.
    let man = clap_mangen::Man::new(command.version(env!("CARGO_PKG_VERSION"))).manual("Sidetone").date("");
    man.render(&mut roff)?;
    Ok(String::from_utf8(roff)?)
}

fn write(folder: &Path, name: &str, command: Command) -> Result<()> {
    let text = page(command)?;
    interrupt::whole(|| {
        let mut file = AtomicFile::create(folder.join(format!("{name}.1")))?;
        file.write_bytes(text.as_bytes())?;
        Ok(file.commit()?)
    })
}
