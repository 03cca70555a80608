//! `[limits]`: what one gateway takes.

use serde::{Deserialize, Serialize};

/// What one gateway takes. Over a limit a device is told that the gateway is busy.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Devices connected.
    pub devices: usize,
    /// Calls at a time; the pool is made for as many.
    pub calls: u32,
    /// Hellos a second, all devices together; bursts of as many pass.
    pub hellos_per_second: u32,
    /// Messages a second from one device; bursts of five times as many pass.
    pub messages_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { devices: 20_000, calls: 1_000, hellos_per_second: 500, messages_per_second: 20 }
    }
}
