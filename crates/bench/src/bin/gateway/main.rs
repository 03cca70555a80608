//! `cargo xtask bench gateway`: what a gateway holds, with the fleet that calls it on the same machine.
//!
//! It has parts; `cargo xtask bench gateway -- --help` lists them. The gateway is a process of its own, so that its memory is
//! its own.

mod calls;
mod child;
mod memory;
mod run;

use anyhow::Result;
use sidetone_bench::options::{Part, Wanted};
use std::time::Duration;

const ABOUT: &str = "What a gateway holds: memory of a device, delay at 200 calls, and the most full-duplex calls, with the fleet that \
calls it on the same machine. All of it takes six to eight minutes.";

const PARTS: [Part<Duration>; 5] = [
    ("memory", |report, _| memory::memory(report)),
    ("latency", calls::latency),
    ("c0", calls::most_at_c0),
    ("c5", calls::most_at_c5),
    ("passthrough", calls::most_passed_through),
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, kind] = &arguments[..]
        && flag == child::FLAG
    {
        return child::serve(kind);
    }
    let wanted = Wanted::parse("gateway", ABOUT, &PARTS, "5");
    wanted.run("gateway", &PARTS, &wanted.time)
}
