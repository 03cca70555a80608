//! `cargo xtask bench web`: native libopus, and in a page of Chromium the module, the browser's own Opus and @evan/opus;
//! then what a call costs in the page.

use sidetone_bench::{beside, options};

const ABOUT: &str = "Microseconds a frame in a page of Chromium, of the module, the browser's own Opus and @evan/opus, beside \
native libopus; then what a call costs in the page.";

fn main() -> anyhow::Result<()> {
    let passes = options::passes("web", ABOUT, "9");
    beside::run("web", "page.mjs", passes)
}
