//! How long a hello takes, what the gateway adds to the way from mouth to ear, and how many calls it holds.

use crate::child::{CALLS, Served};
use crate::run::{self, fleet};
use anyhow::{Context, Result};
use sidetone_bench::Report;
use sidetone_bench::levels::{Found, Look, Outcome, Search};
use sidetone_bench::plot::{Line, svg};
use sidetone_bench::report::{folder, write_file};
use std::time::Duration;

/// p99 of the latency that the gateway adds, in ms. So that all three searches take five minutes together, each begins
/// where two cores were last seen to end.
const SEARCH: Search = Search { most: CALLS, fine: 10, limit: 20.0, time: Duration::from_secs(75) };

/// How long the level that was found has to hold.
const CONFIRMATION: Duration = Duration::from_secs(20);

/// Two hundred calls, in the quality that the load allows.
pub(crate) fn latency(report: &mut Report, time: &Duration) -> Result<()> {
    let served = Served::start("c0")?;
    let time = (*time).max(Duration::from_secs(20));
    let seen = fleet(run::calls(&served, 200, time), time, || ())?;
    report.figure("hello_ms_p50", seen.times.hello.p50_ms.context("no hello was answered")?);
    report.figure("added_latency_ms_p99_at_200", seen.times.added.p99_ms.context("no mark was heard")?);
    Ok(())
}

pub(crate) fn most_at_c0(report: &mut Report, time: &Duration) -> Result<()> {
    most(report, *time, "c0", "calls_c0", 400)
}

pub(crate) fn most_at_c5(report: &mut Report, time: &Duration) -> Result<()> {
    most(report, *time, "c5", "calls_c5", 220)
}

pub(crate) fn most_passed_through(report: &mut Report, time: &Duration) -> Result<()> {
    most(report, *time, "passthrough", "calls_passthrough", 1500)
}

/// The most calls without a late frame, and a plot of what was tried.
fn most(report: &mut Report, time: Duration, kind: &str, figure: &'static str, guess: u32) -> Result<()> {
    let Found { held, points } = SEARCH.highest(kind, guess, |calls, look| {
        let time = if look == Look::Long { time.max(CONFIRMATION) } else { time };
        try_out(kind, calls, time)
    })?;
    report.figure(figure, f64::from(held));
    let lines = [Line { name: kind.to_owned(), points }];
    let plot = svg("p99 of the latency added", ("full-duplex calls", "ms"), SEARCH.limit, &lines);
    write_file(&folder().join(format!("gateway_{figure}.svg")), &plot)
}

fn try_out(kind: &str, calls: u32, time: Duration) -> Result<Outcome> {
    let mut served = Served::start(kind)?;
    let seen = fleet(run::calls(&served, calls, time), time, || ())?;
    let counts = served.counts()?;
    let count = |name: &str| counts[name].as_u64().unwrap_or_default();
    // A frame that was late, or lost for it, on either way; a call that did not come about or did not last.
    let late = count("downlink_late") + count("dropped.pool") + count("dropped.inbox") + count("downlink_unsent");
    let lost = seen.counts.calls_failed + seen.counts.calls_lost;
    let p99 = seen.times.added.p99_ms.unwrap_or(f64::INFINITY);
    Ok(Outcome { p99: if lost == 0 { p99 } else { f64::INFINITY }, late })
}
