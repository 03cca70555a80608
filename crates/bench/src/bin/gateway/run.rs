//! A fleet against a gateway.

use crate::child::Served;
use anyhow::{Context, Result};
use sidetone_fleet::report::Report;
use sidetone_fleet::{Config, Fleet};
use std::time::Duration;

/// Devices that listen to what they hear; the others only receive it.
const LISTENERS: u32 = 8;

/// Realtime calls of `devices` devices.
pub(crate) fn calls(served: &Served, devices: u32, duration: Duration) -> Config {
    let connecting = Duration::from_secs_f64(f64::from(devices) / RAMP);
    Config {
        gateway: served.url.clone(),
        devices,
        listeners: Some(LISTENERS.min(devices)),
        ramp: RAMP,
        duration: duration + connecting,
        ..Config::default()
    }
}

/// Devices that connect in a second.
pub(crate) const RAMP: f64 = 200.0;

/// Runs a fleet to its end. `halfway` is called once, when so much of the run is over.
pub(crate) fn fleet(config: Config, at: Duration, halfway: impl FnOnce()) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let fleet = Fleet::new(config).context("the fleet")?;
    let mut halfway = Some(halfway);
    let progress = |progress: &sidetone_fleet::Progress| {
        if progress.elapsed >= at
            && let Some(halfway) = halfway.take()
        {
            halfway();
        }
    };
    Ok(runtime.block_on(fleet.run(progress, std::future::pending())))
}
