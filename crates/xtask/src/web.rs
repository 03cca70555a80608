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
pub(crate) struct Args {
    /// Test it too: the device through its bindings in Node, and the page in Chromium with a gateway. Wants a machine
    /// that is otherwise idle; some three minutes.
    #[arg(long)]
    test: bool,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(&[Need::Build, Need::Node, Need::Web])?;
    if args.test {
        // Where it cannot be installed, the tests say what they leave out.
        if let Err(error) = setup::ensure(&[Need::Browser]) {
            println!("no Chromium, the page is not tested: {error:#}");
        }
        test()?;
        wasm_pack().args(["test", "--node", "--mode", "no-install", "--test", "web"]).run()?;
    }
    build()?;
    if args.test {
        npm(EMULATOR).arg("test").env("SIDETONE_BINARY", run::file("sidetone")?).run()?;
    }
    println!("\ndevice page: {}", root().join(EMULATOR).join("dist").display());
    Ok(())
}

fn build() -> Result<()> {
    component::package()?;
    wasm_pack().args(["build", "--target", "web", "--mode", "no-install"]).run()?;
    npm::install(EMULATOR)?;
    npm(EMULATOR).args(["run", "--silent", "build"]).run()
}

/// Checks and tests the device, natively: what needs neither a browser nor its tools.
pub(crate) fn test() -> Result<()> {
    cargo().args(["fmt", "--check"]).dir(DEVICE).remedy("run `cargo fmt` there").run()?;
    cargo().args(["clippy", "--locked", "--all-targets", "--", "-D", "warnings"]).dir(DEVICE).run()?;
    cargo().args(["test", "--locked"]).dir(DEVICE).run()
}

fn wasm_pack() -> Cmd {
    Cmd::new("wasm-pack").dir(DEVICE)
}
