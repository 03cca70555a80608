//! `cargo xtask bench peers`: native libopus, and in Node the module and the other Opus codecs for JavaScript.

fn main() -> anyhow::Result<()> {
    let passes = std::env::args().nth(1).map_or(Ok(9), |passes| passes.parse())?;
    sidetone_bench::beside::run("peers", "node.mjs", passes)
}
