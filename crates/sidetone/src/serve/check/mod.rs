//! The self-check: a virtual device calls the gateway, speaks, and listens to what the echo says.
//!
//! The device's end of the audio runs in the component as well, in an instance of its own.

mod call;
mod control;
mod measure;

pub(super) use measure::Measured;

use anyhow::{Context, Result, bail};
use sidetone_gateway::Gateway;
use std::time::Duration;
use tokio::time::timeout;

/// Longest time of the whole check: the clip, and patience for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How alike what came back must be to what was spoken.
const ALIKE: f64 = 0.9;

/// Makes the call.
pub(super) async fn run(gateway: &mut Gateway) -> Result<Measured> {
    let control = control::connect(gateway).await?;
    let clip = measure::clip()?;
    let taken = timeout(PATIENCE, call::call(control, &clip)).await;
    let measured = taken.with_context(|| format!("the call took longer than {} s", PATIENCE.as_secs()))??;
    if measured.correlation < ALIKE {
        bail!("what came back is not what was spoken: correlation {:.3}, less than {ALIKE}", measured.correlation);
    }
    Ok(measured)
}
