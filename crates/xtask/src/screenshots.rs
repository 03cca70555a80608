//! Pictures of the pages, to be looked at.

use crate::npm::npm;
use crate::setup::{self, Need};
use crate::sh::{os, root};
use crate::{pages, run, web};
use anyhow::Result;

/// Make pictures of the dashboard and the device page, light and dark, wide and as wide as a phone, to out/screenshots.
///
/// With a gateway, virtual devices that call it, and a call from the page itself. Builds the pages first.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Minutes that the devices call before, so that graphs show something.
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
    /// Make those of the README anew as well: docs/dashboard.webp and docs/device.webp.
    #[arg(long)]
    docs: bool,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(&[Need::Build, Need::Node, Need::Web, Need::Browser])?;
    web::build(&run::file("sidetone")?)?;
    let (folder, docs) = (root().join("out/screenshots"), root().join("docs"));
    npm(pages::DASHBOARD)
        .args(os(&[&"run", &"--silent", &"screenshots", &"--", &folder, &args.minutes.to_string()]))
        .args(args.docs.then_some(docs))
        .env("SIDETONE_BINARY", run::file("sidetone")?)
        .run()
}
