//! `cargo xtask bench peers`: native libopus, and in Node the module and the other Opus codecs for JavaScript.

use sidetone_bench::{beside, options};

const ABOUT: &str =
    "Microseconds a frame in Node, of the module and of the other Opus codecs for JavaScript, beside native libopus.";

fn main() -> anyhow::Result<()> {
    let passes = options::passes("peers", ABOUT, "9");
    beside::run("peers", "node.mjs", passes)
}
