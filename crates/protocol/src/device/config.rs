//! What kind of device it is.

use core::time::Duration;

use super::{ReceiveRules, Reconnect};
use crate::message::{DeviceHello, Features};

/// How a device behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What it says of itself.
    pub hello: DeviceHello,
    /// How long it waits for a connection, and for the answer to its hello.
    pub hello_timeout: Duration,
    /// How long it waits for any sign of the gateway before it takes the session for dead.
    pub gateway_silence: Duration,
    /// How it comes back after the connection broke.
    pub reconnect: Reconnect,
    /// Whether it reconnects while a session goes on over UDP. Firmware does so only when idle.
    pub reconnect_in_session: bool,
    /// Whether it answers a goodbye with one. Firmware of 2025 does, later firmware does not.
    pub answers_goodbye: bool,
    /// Which packets it plays.
    pub receive: ReceiveRules,
}

impl Config {
    /// Firmware of 2026-08 ("FW").
    #[must_use]
    pub fn firmware() -> Self {
        Self {
            hello: DeviceHello::default(),
            hello_timeout: Duration::from_secs(10),
            gateway_silence: Duration::from_secs(120),
            reconnect: Reconnect::FIRMWARE,
            reconnect_in_session: false,
            answers_goodbye: false,
            receive: ReceiveRules::FIRMWARE,
        }
    }

    /// Firmware of 2025-09 ("FW25").
    #[must_use]
    pub fn firmware_2025() -> Self {
        Self { answers_goodbye: true, receive: ReceiveRules::FIRMWARE_2025, ..Self::firmware() }
    }

    /// A build with echo cancellation by the server, for realtime mode.
    #[must_use]
    pub fn with_server_aec(mut self) -> Self {
        self.hello.features = Features { aec: true, ..self.hello.features };
        self
    }

    /// What a device could do: comes back soon and scattered, also while it talks.
    #[must_use]
    pub fn improved() -> Self {
        Self { reconnect: Reconnect::JITTERED, reconnect_in_session: true, ..Self::firmware() }
    }
}
