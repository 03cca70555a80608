//! Instruction counts: those of the component by wasmtime's fuel, those of native parts by callgrind.

use crate::setup::{self, Need};
use crate::sh::cargo;
use anyhow::Result;

/// Compare the instructions that the component and native parts take with those kept in the repository.
///
/// The counts are in tests/golden, for each pair of compilers; what takes more than 3 % more fails, here and in `cargo
/// xtask test`. For compilers without counts the present ones are told, and nothing is compared.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Keep the present counts, for the compilers that are here.
    #[arg(long)]
    save: bool,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(&[Need::Build])?;
    if let Err(error) = setup::ensure(&[Need::Counts]) {
        println!("no valgrind, instructions of the native parts are not counted: {error:#}");
    }
    let run = cargo().args(["test", "--workspace", "--test", "all", "instruction_counts", "--", "--nocapture"]);
    if args.save { run.env("SIDETONE_SAVE_COUNTS", "1") } else { run }.run()
}
