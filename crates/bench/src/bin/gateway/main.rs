//! `cargo xtask bench gateway`: what a gateway holds, with the fleet that calls it on the same machine.
//!
//! `cargo xtask bench gateway -- [PART] [SECONDS]`: only one part of it (the figures of the others stay as they were),
//! and seconds for each short look at a level of calls (5). All of it takes six to eight minutes. The gateway is a process of
//! its own, so that its memory is its own.

mod calls;
mod child;
mod memory;
mod run;

use anyhow::{Context, Result, bail};
use sidetone_bench::Report;
use std::time::{Duration, Instant};

type Part = fn(&mut Report, Duration) -> Result<()>;

const PARTS: [(&str, Part); 5] = [
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
    let (mut only, mut seconds) = (None, 5);
    for argument in arguments {
        match argument.parse() {
            Ok(number) => seconds = number,
            Err(_) => only = Some(argument),
        }
    }
    let chosen: Vec<_> =
        PARTS.into_iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name)).collect();
    if chosen.is_empty() {
        let names = PARTS.map(|part| part.0).join(", ");
        bail!("there is no part {:?}; there are: {names}", only.unwrap_or_default());
    }
    let mut report = Report::new("gateway");
    if only.is_some() {
        report.continue_earlier()?;
    }
    let (start, count) = (Instant::now(), chosen.len());
    for (number, (name, part)) in (1..).zip(chosen) {
        eprintln!("part {number} of {count}: {name} ({} s so far)", start.elapsed().as_secs());
        part(&mut report, Duration::from_secs(seconds)).with_context(|| format!("part {name}"))?;
        report.write()?;
    }
    report.finish()
}
