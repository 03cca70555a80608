//! The self-check: a device of the fleet calls the gateway, speaks, and listens for what the echo sends back.

use crate::report::Sheet;
use anyhow::{Context, Result, bail};
use sidetone_fleet::report::Report;
use sidetone_fleet::{Fleet, Kind};
use sidetone_gateway::config::BridgeKind;
use sidetone_gateway::{Config, Gateway};
use sidetone_protocol::credential::SignatureKey;
use std::fmt;
use std::future::pending;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// How long the call lasts: two marks in the speech, and what they take to come back.
const CALL: Duration = Duration::from_millis(4_500);

/// Longest time of the whole check, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// First part of the device's name.
const GROUP: &str = "GID_selfcheck";

/// What came of it.
#[derive(Debug)]
pub(super) struct Measured {
    report: Report,
    /// The gateway speaks back what it hears, so that it can be heard.
    echoes: bool,
}

/// Makes the call.
pub(super) async fn run(gateway: &Gateway, config: &Config) -> Result<Measured> {
    let udp = gateway.addresses().udp.map(from_here).context("udp.listen is off, so that no audio can come in")?;
    let own_port = match gateway.addresses().mqtt {
        Some(_) => None,
        None => Some(gateway.loopback_mqtt().await?),
    };
    let mqtt = own_port.as_ref().map(|port| port.address).or(gateway.addresses().mqtt.map(from_here));
    let mqtt = mqtt.context("mqtt.listen is off")?;
    let key = config.mqtt.signature_key.as_ref().map(|key| SignatureKey::new(key.expose().as_bytes())).transpose();
    let fleet = Fleet::new(sidetone_fleet::Config {
        gateway: format!("mqtt://{mqtt}"),
        // What devices are told may be beyond a router.
        udp: Some(udp),
        signature_key: key.context("mqtt.signature_key")?,
        group: GROUP.into(),
        kind: Kind::Improved,
        dialect: config.mqtt.dialect.into(),
        calls: Some(1),
        call_length: Some(CALL),
        duration: PATIENCE,
        ..sidetone_fleet::Config::default()
    })?;
    let report = fleet.run(|_| (), pending()).await;
    let measured = Measured { report, echoes: config.bridge.kind == BridgeKind::Echo };
    match measured.fault(gateway.counts()["uplink_packets"]) {
        None => Ok(measured),
        Some(fault) => bail!("{fault}{}", measured.causes()),
    }
}

impl Measured {
    /// What is not as it should be; `arrived`: packets that the gateway took in.
    fn fault(&self, arrived: u64) -> Option<String> {
        let counts = &self.report.counts;
        if counts.calls_opened == 0 {
            return Some("the hello was not answered".into());
        }
        if counts.calls_completed == 0 {
            return Some("the gateway ended the call".into());
        }
        if arrived == 0 {
            return Some(format!("{} packets were sent, and none arrived", counts.uplink_packets));
        }
        if !self.echoes {
            return None;
        }
        match (counts.downlink_packets, counts.marks_heard) {
            (0, _) => Some(format!("{} packets were sent, and none came back", counts.uplink_packets)),
            (_, 0) => Some(format!(
                "what came back is not what was spoken: none of {} marks in the speech was heard",
                counts.marks_sent
            )),
            _ => None,
        }
    }

    fn causes(&self) -> String {
        let causes: Vec<_> = self.report.causes.keys().map(String::as_str).collect();
        if causes.is_empty() { String::new() } else { format!(" ({})", causes.join("; ")) }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (times, counts) = (&self.report.times, &self.report.counts);
        let ms = |time: Option<f64>| time.map_or_else(|| "not measured".into(), |ms| format!("{ms:.1} ms"));
        let mut sheet = Sheet::default();
        sheet.line("hello answered in", ms(times.hello.p50_ms));
        if self.echoes {
            sheet.line("first audio after", ms(times.first_audio.p50_ms));
            sheet.line("mouth to ear", format!("{}, by marks in the speech", ms(times.mouth_to_ear.p50_ms)));
            sheet.line("of that added", format!("{} by the gateway", ms(times.added.p50_ms)));
            sheet.line("marks", format!("{} of {} heard again", counts.marks_heard, counts.marks_sent));
        }
        sheet.line("packets", format!("{} sent, {} came back", counts.uplink_packets, counts.downlink_packets));
        write!(f, "Self-check passed: one call with a virtual device, through MQTT and UDP\n{sheet}")
    }
}

/// An address to listen on, as this machine reaches it.
fn from_here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
