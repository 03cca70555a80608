//! `cargo xtask bench web`: native libopus, and in a page of Chromium the module, the browser's own Opus and @evan/opus;
//! then what a call costs in the page.

fn main() -> anyhow::Result<()> {
    let passes = std::env::args().nth(1).map_or(Ok(9), |passes| passes.parse())?;
    sidetone_bench::beside::run("web", "page.mjs", passes)
}
