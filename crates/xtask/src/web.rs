//! The pages: built, and tested in Chromium. The device's here, the dashboard's in [`pages`].

use crate::npm::{self, npm};
use crate::setup::{self, Need};
use crate::sh::{Cmd, cargo, root, target_dir};
use crate::{component, pages, release, run};
use anyhow::Result;
use std::path::Path;

/// The device in Rust.
const DEVICE: &str = "web/device";

/// The module beside other codecs.
const BENCH: &str = "web/bench";

/// The page.
pub(crate) const EMULATOR: &str = "web/emulator";

/// Build the pages: the dashboard, to web/dashboard/dist, and the device, to web/emulator/dist.
///
/// `sidetone serve` serves them at / and /device/ when it has been built after them; the device's are static files for any
/// web server as well. Needs Node.js 20.19 or newer; installs wasm-pack and wasm-bindgen (cargo install) and npm packages (npm ci), all of pinned versions, saying so first.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Test them too, as `cargo xtask test` does: the device through its bindings in Node, and the pages in Chromium with a
    /// gateway.
    #[arg(long)]
    test: bool,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(&[Need::Build, Need::Node, Need::Web])?;
    setup::ensure_node_for_page()?;
    if args.test {
        page()?;
        pages::test_dashboard()?;
    } else {
        build(&run::file("sidetone")?)?;
    }
    for page in [pages::DASHBOARD, EMULATOR] {
        println!("\npage: {}", root().join(page).join("dist").display());
    }
    Ok(())
}

/// Builds both pages, the device's around the module of a program.
pub(crate) fn build(sidetone: &Path) -> Result<()> {
    pages::dashboard()?;
    build_device_page(sidetone)
}

/// Builds the device page.
pub(crate) fn build_device_page(sidetone: &Path) -> Result<()> {
    component::package(sidetone)?;
    wasm_pack()?.args(["build", "--target", "web", "--profile", "device", "--mode", "no-install"]).run()?;
    npm::install(EMULATOR)?;
    npm(EMULATOR).args(["run", "--silent", "build"]).run()
}

/// Builds the page, and tests it: the device's bindings in Node, all of it in Chromium with a gateway. What is lacking
/// on this machine is left out, and said.
pub(crate) fn page() -> Result<()> {
    if let Err(error) = setup::ensure_node_for_page() {
        println!("\n*** SKIPPED: the device page is neither built nor tested: {error:#}\n");
        return Ok(());
    }
    setup::ensure(&[Need::Web])?;
    wasm_pack()?.args(["test", "--node", "--release", "--mode", "no-install", "--test", "web"]).run()?;
    let sidetone = run::file_built_once("sidetone")?;
    build_device_page(&sidetone)?;
    if let Err(error) = setup::ensure(&[Need::Browser]) {
        println!("\n*** SKIPPED: the device page is not tested, for there is no Chromium: {error:#}\n");
        return Ok(());
    }
    // As `cargo test` has built it: by itself its package would be compiled with other features.
    cargo().args(["build", "--workspace", "--example", "packets"]).run()?;
    let packets = target_dir().join("debug/examples/packets");
    npm(EMULATOR)
        .arg("test")
        .env("SIDETONE_PACKETS", packets.with_extension(std::env::consts::EXE_EXTENSION))
        .env("SIDETONE_BINARY", sidetone)
        .run()
}

/// Makes ready what `cargo xtask bench peers` and `web` measure: the module, the other codecs, and for `web` the page.
pub(crate) fn ready_to_measure(page: bool) -> Result<()> {
    setup::ensure(&[Need::Node])?;
    if page {
        setup::ensure_node_for_page()?;
        setup::ensure(&[Need::Web, Need::Browser])?;
        build_device_page(&run::file("sidetone")?)?;
    } else {
        component::package(&run::file("sidetone")?)?;
    }
    npm::install(BENCH)?;
    // Not by `npm ci`, which would run the scripts of all packages; where it fails the codec is left out, and said.
    if let Err(error) = npm(BENCH).args(["rebuild", "@discordjs/opus"]).run() {
        println!("{error:#}");
    }
    Ok(())
}

/// What it builds is the same wherever that is.
fn wasm_pack() -> Result<Cmd> {
    Ok(Cmd::new("wasm-pack").dir(DEVICE).quiet_env("CARGO_ENCODED_RUSTFLAGS", release::rustflags()?))
}
