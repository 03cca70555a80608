//! Memory of a device that is connected and silent, and of one that talks.

use crate::child::Served;
use crate::run::{self, fleet};
use anyhow::{Context, Result, ensure};
use sidetone_bench::Report;
use sidetone_fleet::{Config, Pattern};
use std::time::Duration;

const IDLE: u32 = 10_000;
const TALKING: u32 = 100;

pub(crate) fn memory(report: &mut Report) -> Result<()> {
    let served = Served::start("c0")?;
    let before = served.resident()?;
    let ramp = 1_000.0;
    let connected = Duration::from_secs_f64(f64::from(IDLE) / ramp) + Duration::from_secs(4);
    let config = Config {
        gateway: served.url.clone(),
        devices: IDLE,
        pattern: Pattern::Idle,
        ramp,
        duration: connected + Duration::from_secs(2),
        ..Config::default()
    };
    let mut during = None;
    let seen = fleet(config, connected, || during = served.resident().ok())?;
    let peak = seen.counts.connected_peak;
    ensure!(peak == u64::from(IDLE), "only {peak} of {IDLE} devices were connected: raise `ulimit -n`");
    report.figure("rss_idle_kib", (during.context("the fleet ended early")? - before) / f64::from(IDLE));
    drop(served);

    let served = Served::start("c0")?;
    let before = served.resident()?;
    let mut during = None;
    let length = Duration::from_secs(5);
    fleet(run::calls(&served, TALKING, length), length, || during = served.resident().ok())?;
    report.figure("rss_call_kib", (during.context("the fleet ended early")? - before) / f64::from(TALKING));
    Ok(())
}
