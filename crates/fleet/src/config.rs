//! What a fleet is to do.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use sidetone_protocol::credential::SignatureKey;
use sidetone_protocol::device;
use sidetone_protocol::message::ListenMode;
use sidetone_protocol::topic::Dialect;

use crate::Error;
use crate::hostile::Hostile;
use crate::impairment::Impairment;

/// The most devices of one fleet: what a MAC address numbers here.
pub const MOST_DEVICES: u32 = 1_000_000;

/// What kind of devices they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Firmware of 2026-08.
    #[default]
    Firmware,
    /// Firmware of 2025-09: plays duplicates, looks at no length, answers a goodbye.
    Firmware2025,
    /// What firmware could be: timestamps that count, concealment, reconnects that are scattered.
    Improved,
}

impl Kind {
    pub(crate) fn machine(self) -> device::Config {
        match self {
            Self::Firmware => device::Config::firmware(),
            Self::Firmware2025 => device::Config::firmware_2025(),
            Self::Improved => device::Config::improved(),
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Firmware => "firmware",
            Self::Firmware2025 => "firmware-2025",
            Self::Improved => "improved",
        })
    }
}

/// What devices do once they are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Nothing: no hello.
    Idle,
    /// Calls in this mode.
    Calls(ListenMode),
}

/// Everything a fleet is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where MQTT is spoken: `mqtt://`, `mqtts://`, `ws://` or `wss://`, host and port.
    pub gateway: String,
    /// Where audio is sent; `None`: where each hello reply says.
    pub udp: Option<SocketAddr>,
    /// PEM file with the certificates to trust; the system's without.
    pub certificates: Option<PathBuf>,
    /// The key that makes the devices' passwords; without it they send none.
    pub signature_key: Option<SignatureKey>,
    /// First part of the client ids.
    pub group: String,
    /// Number of the first device. Two fleets at one gateway need numbers that do not overlap.
    pub first: u32,
    /// How many devices.
    pub devices: u32,
    /// What kind.
    pub kind: Kind,
    /// The topics they use.
    pub dialect: Dialect,
    /// Whether they subscribe to their topic. Firmware does not.
    pub subscribe: bool,
    /// What they do.
    pub pattern: Pattern,
    /// WAV files, or folders of such; the embedded clip where empty.
    pub speech: Vec<PathBuf>,
    /// Calls of each device; `None`: one after the other until the end.
    pub calls: Option<u32>,
    /// How long a call lasts; `None`: until the end.
    pub call_length: Option<Duration>,
    /// Mean pause between two calls of a device, and between an answer and what the user says next. Each pause is drawn
    /// from half of it to one and a half.
    pub pause: Duration,
    /// Devices that connect in a second.
    pub ramp: f64,
    /// How long the run lasts from its start; goodbyes come after it.
    pub duration: Duration,
    /// How many devices, from the first, listen for marks (realtime mode); `None`: all.
    pub listeners: Option<u32>,
    /// The way to the gateway.
    pub uplink: Impairment,
    /// The way from the gateway.
    pub downlink: Impairment,
    /// After how much of a call its device gets another port (and again after as much).
    pub rebind: Option<Duration>,
    /// How long after the hello reply the first packet is sent.
    pub late_start: Duration,
    /// So many UDP ports for all calls, which then share them; `None`: each has its own, as real devices do. Fewer
    /// sockets, but a gateway that goes by source address sees few devices; after a rebind a call has its own.
    pub shared_sockets: Option<NonZeroU16>,
    /// Attacks beside all this.
    pub hostile: Vec<Hostile>,
    /// Everything random is drawn from this.
    pub seed: u64,
}

impl Default for Config {
    /// One firmware device in realtime mode for 30 s, against a gateway on this machine.
    fn default() -> Self {
        Self {
            gateway: "mqtt://127.0.0.1:1883".into(),
            udp: None,
            certificates: None,
            signature_key: None,
            group: "GID_fleet".into(),
            first: 0,
            devices: 1,
            kind: Kind::Firmware,
            dialect: Dialect::Mac,
            subscribe: false,
            pattern: Pattern::Calls(ListenMode::Realtime),
            speech: Vec::new(),
            calls: None,
            call_length: None,
            pause: Duration::from_secs(1),
            ramp: 100.0,
            duration: Duration::from_secs(30),
            listeners: None,
            uplink: Impairment::default(),
            downlink: Impairment::default(),
            rebind: None,
            late_start: Duration::ZERO,
            shared_sockets: None,
            hostile: Vec::new(),
            seed: 1,
        }
    }
}

impl Config {
    /// Refuses what cannot be.
    ///
    /// # Errors
    /// [`Error::Config`], which names the value and the remedy.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let fault = |text: String| Err(Error::Config(text));
        let attackers = self.hostile.len() as u32;
        let last = self.first.checked_add(self.devices).and_then(|last| last.checked_add(attackers));
        if last.is_none_or(|last| last > MOST_DEVICES) {
            return fault(format!("{} devices from {} on: numbers go up to {MOST_DEVICES}", self.devices, self.first));
        }
        if self.devices == 0 && self.hostile.is_empty() {
            return fault("no devices: give 1 or more".into());
        }
        if !(0.1..=100_000.0).contains(&self.ramp) {
            return fault(format!("{} devices a second: give 0.1 to 100000", self.ramp));
        }
        if self.duration.is_zero() || self.call_length.is_some_and(|length| length.is_zero()) {
            return fault("a run and its calls last longer than 0 s".into());
        }
        if self.rebind.is_some_and(|after| after < Duration::from_secs(1)) {
            return fault("another port more often than once a second is not what NATs do".into());
        }
        for (name, way) in [("uplink", self.uplink), ("downlink", self.downlink)] {
            if let Some(text) = way.fault() {
                return fault(format!("{name}: {text}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_with_its_value() {
        assert!(Config::default().check().is_ok());
        let cases = [
            (Config { devices: 0, ..Config::default() }, "no devices"),
            (Config { first: 999_999, devices: 2, ..Config::default() }, "2 devices from 999999 on"),
            (Config { ramp: 0.0, ..Config::default() }, "0 devices a second"),
            (Config { duration: Duration::ZERO, ..Config::default() }, "longer than 0 s"),
            (Config { call_length: Some(Duration::ZERO), ..Config::default() }, "longer than 0 s"),
            (Config { rebind: Some(Duration::from_millis(10)), ..Config::default() }, "another port"),
            (
                Config { uplink: Impairment { loss: 2.0, ..Impairment::default() }, ..Config::default() },
                "uplink: loss of 200 %",
            ),
        ];
        for (config, expected) in cases {
            let error = config.check().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
