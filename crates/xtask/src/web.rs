//! The device page: built, and tested in Chromium.

use crate::npm::{self, npm};
use crate::setup::{self, Need};
use crate::sh::{Cmd, cargo, root};
use crate::{component, run};
use anyhow::Result;

/// The device in Rust, a workspace of its own.
const DEVICE: &str = "web/device";

/// The page.
const EMULATOR: &str = "web/emulator";

/// Build the device page, as static files for any web server, to web/emulator/dist.
///
/// `sidetone serve` serves it at /device/ where http.device_page names that folder. Needs Node.js; installs wasm-pack and
/// wasm-bindgen (cargo install) and npm packages (npm ci), all of pinned versions, saying so first.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn main(_: &Args) -> Result<()> {
    setup::ensure(&[Need::Build, Need::Node, Need::Web])?;
    build()?;
    println!("\ndevice page: {}", root().join(EMULATOR).join("dist").display());
    Ok(())
}

fn build() -> Result<()> {
    component::package()?;
    wasm_pack().args(["build", "--target", "web", "--mode", "no-install"]).run()?;
    npm::install(EMULATOR)?;
    npm(EMULATOR).args(["run", "--silent", "build"]).run()
}

/// Checks and tests the device, natively and through its bindings, and the page in Chromium with a gateway.
pub(crate) fn test() -> Result<()> {
    setup::ensure(&[Need::Web])?;
    // Where it cannot be installed, the tests say what they leave out.
    if let Err(error) = setup::ensure(&[Need::Browser]) {
        println!("no Chromium, the page is not tested: {error:#}");
    }
    cargo().args(["fmt", "--check"]).dir(DEVICE).remedy("run `cargo fmt` there").run()?;
    cargo().args(["clippy", "--locked", "--all-targets", "--", "-D", "warnings"]).dir(DEVICE).run()?;
    cargo().args(["test", "--locked"]).dir(DEVICE).run()?;
    wasm_pack().args(["test", "--node", "--mode", "no-install", "--test", "web"]).run()?;
    build()?;
    npm(EMULATOR).arg("test").env("SIDETONE_BINARY", run::file("sidetone")?).run()
}

fn wasm_pack() -> Cmd {
    Cmd::new("wasm-pack").dir(DEVICE)
}
