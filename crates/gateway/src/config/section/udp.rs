//! `[udp]`: where devices send their audio.

use super::super::Listen;
use serde::{Deserialize, Serialize};

/// UDP.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Udp {
    /// Where packets come in.
    pub listen: Listen,
    /// Host name or address that devices are told to send to; by default the one that they reached over MQTT.
    pub public_host: Option<String>,
    /// Port that devices are told; by default the one listened on.
    pub public_port: Option<u16>,
    /// Receive buffer that the system is asked for.
    pub receive_buffer: usize,
}

impl Default for Udp {
    fn default() -> Self {
        Self { listen: Listen::loopback(8884), public_host: None, public_port: None, receive_buffer: 4 << 20 }
    }
}
