//! Formatting, clippy and rustdoc, with warnings as errors.

use crate::setup::{self, Need};
use crate::sh::cargo;
use anyhow::Result;

/// Check formatting, clippy and rustdoc, with warnings as errors.
///
/// The same checks as in `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Mend what cargo fmt and clippy can mend by themselves, instead of only checking.
    #[arg(long)]
    fix: bool,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(&[Need::Build])?;
    if args.fix {
        cargo().args(["clippy", "--workspace", "--all-targets", "--fix", "--allow-dirty", "--allow-staged"]).run()?;
        cargo().args(["fmt", "--all"]).run()?;
        cargo().args(["fmt", "--manifest-path", "fuzz/Cargo.toml"]).run()?;
    }
    format()?;
    clippy()?;
    doc()
}

pub(crate) fn format() -> Result<()> {
    let remedy = "run `cargo xtask lint --fix`";
    cargo().args(["fmt", "--all", "--check"]).remedy(remedy).run()?;
    cargo().args(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]).remedy(remedy).run()
}

pub(crate) fn clippy() -> Result<()> {
    cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).run()
}

pub(crate) fn doc() -> Result<()> {
    cargo().args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-Dwarnings").run()
}
