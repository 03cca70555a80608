//! The self-check: a virtual device calls the gateway, speaks, and listens to what the echo says.
//!
//! The device's end of the audio runs in the component as well, in an instance of its own.

mod call;
mod control;
mod measure;

pub(super) use measure::Measured;

use anyhow::{Context, Result, bail};
use sidetone_gateway::{Config, Gateway};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::time::timeout;

/// Longest time of the whole check: the clip, and patience for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How alike what came back must be to what was spoken.
const ALIKE: f64 = 0.9;

/// Makes the call.
pub(super) async fn run(gateway: &mut Gateway, config: &Config) -> Result<Measured> {
    let udp = gateway.addresses().udp.map(from_here).context("udp.listen is off, so that no audio can come in")?;
    let control = control::connect(gateway, config).await?;
    let clip = measure::clip()?;
    let taken = timeout(PATIENCE, call::call(control, udp, &clip)).await;
    let measured = taken.with_context(|| format!("the call took longer than {} s", PATIENCE.as_secs()))??;
    if measured.correlation < ALIKE {
        bail!("what came back is not what was spoken: correlation {:.3}, less than {ALIKE}", measured.correlation);
    }
    Ok(measured)
}

/// An address to listen on, as this machine reaches it: what devices are told may be beyond a router.
fn from_here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
