//! Everything that can be configured, as a file of TOML has it. Each setting has a default that is safe.

mod certificates;
mod file;
mod kind;
mod listen;
mod load;
mod nearest;
mod print;
mod problem;
mod reload;
mod secret;
mod settings;
mod validate;

pub use certificates::{CertificateError, certified_key};
pub use kind::Kind;
pub use listen::Listen;
pub use load::{Loaded, Sources};
pub use print::reference;
pub use problem::{ConfigError, Origin, Problem};
pub use reload::Change;
pub use secret::Secret;
pub use settings::{Applies, SECTIONS, SETTINGS, Setting, TENANT_SETTINGS};

use serde::{Deserialize, Serialize};
use sidetone_protocol::topic::{DEVICE_SERVER, Dialect};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The whole configuration. Durations are in the unit of their name, sizes in bytes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `[mqtt]`: the endpoint that devices connect to.
    pub mqtt: Mqtt,
    /// `[broker]`: an external broker, where there is one.
    pub broker: Broker,
    /// `[udp]`: where devices send their audio.
    pub udp: Udp,
    /// `[web]`: WebSocket and WebTransport, for devices that use them and for browsers.
    pub web: Web,
    /// `[http]`: health, metrics and the operator's pages.
    pub http: Http,
    /// `[bridge]`: where speech goes.
    pub bridge: BridgeConfig,
    /// `[audio]`: what the device hears.
    pub audio: Audio,
    /// `[pool]`: the workers that run the component.
    pub pool: PoolConfig,
    /// `[limits]`: what one gateway takes.
    pub limits: Limits,
    /// `[session]`: how long anything may take.
    pub session: Session,
    /// `[log]`: what is told of it on stderr.
    pub log: Log,
    /// `[tenants.NAME]`: quotas. Devices belong to the tenant named like the group of their client id, or to `default`.
    pub tenants: BTreeMap<String, Tenant>,
}

/// The MQTT endpoint.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mqtt {
    /// MQTT over TCP. 0 as port: the system's choice, printed.
    pub listen: Listen,
    /// MQTT over TLS; needs `certificate` and `key`.
    pub tls_listen: Listen,
    /// PEM file of the certificate chain, for TLS here and in `[web]`.
    pub certificate: Option<PathBuf>,
    /// PEM file of its private key.
    pub key: Option<PathBuf>,
    /// PEM file of the authorities that device certificates must be signed by. Without it none is asked for.
    pub client_ca: Option<PathBuf>,
    /// What devices' passwords are made with. Without it anybody may connect, and so all that devices reach listens on
    /// loopback only.
    pub signature_key: Option<Secret>,
    /// Listen beyond loopback though there is no signature key.
    pub allow_anonymous: bool,
    /// How devices that publish to the shared topic are answered: `mac` or `client-id`.
    pub dialect: DialectName,
    /// The topic that devices publish to.
    pub shared_topic: String,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            listen: Listen::loopback(1883),
            tls_listen: Listen::OFF,
            certificate: None,
            key: None,
            client_ca: None,
            signature_key: None,
            allow_anonymous: false,
            dialect: DialectName::default(),
            shared_topic: DEVICE_SERVER.into(),
        }
    }
}

/// A dialect of topics, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DialectName {
    /// Answers go to the MAC address.
    #[default]
    Mac,
    /// Answers go to the whole client id.
    ClientId,
    /// Devices publish to topics of their own.
    PerDevice,
}

impl From<DialectName> for Dialect {
    fn from(name: DialectName) -> Self {
        match name {
            DialectName::Mac => Self::Mac,
            DialectName::ClientId => Self::ClientId,
            DialectName::PerDevice => Self::PerDevice,
        }
    }
}

/// A broker that devices are connected to, beside or instead of the endpoint.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Broker {
    /// `mqtt://host:port` or `mqtts://…`; none: no external broker.
    pub url: Option<String>,
    /// MQTT version: `3.1.1` or `5`.
    pub protocol: BrokerProtocol,
    /// Our client id; made up where there is none.
    pub client_id: Option<String>,
    /// User name.
    pub username: Option<String>,
    /// Password.
    pub password: Option<Secret>,
    /// PEM file of the authorities the broker's certificate must be signed by; the system's where there is none.
    pub ca: Option<PathBuf>,
    /// PEM file of our certificate chain, for brokers that ask for one.
    pub certificate: Option<PathBuf>,
    /// PEM file of its private key.
    pub key: Option<PathBuf>,
    /// Gateways of one group share what devices say: each hello is answered by one of them. Empty: no sharing.
    pub group: String,
    /// The topic on which a rule of the broker republishes what devices say, with their client id. None: there is no
    /// such rule, and devices publish to topics of their own.
    pub envelope_topic: Option<String>,
}

impl Default for Broker {
    fn default() -> Self {
        Self {
            url: None,
            protocol: BrokerProtocol::default(),
            client_id: None,
            username: None,
            password: None,
            ca: None,
            certificate: None,
            key: None,
            group: "sidetone".into(),
            envelope_topic: None,
        }
    }
}

/// MQTT version that the broker is spoken to in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum BrokerProtocol {
    /// 3.1.1.
    #[default]
    #[serde(rename = "3.1.1")]
    V311,
    /// 5.
    #[serde(rename = "5")]
    V5,
}

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

/// WebSocket and WebTransport.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// WebSocket for devices (path `/xiaozhi/v1/`), MQTT over WebSocket (`/mqtt`) and sealed datagrams in binary frames
    /// (`/media`).
    pub listen: Listen,
    /// The same over TLS, with `[mqtt]`'s certificate.
    pub tls_listen: Listen,
    /// Sealed datagrams over WebTransport (HTTP/3, UDP).
    pub transport_listen: Listen,
    /// Pages that may open WebTransport and WebSockets, as `https://host`. None: any, where there is a signature key or
    /// anybody may connect; else those of this machine.
    pub origins: Vec<String>,
    /// Connections at a time, of all kinds.
    pub connections: usize,
    /// The same from one source: an address of IPv4, a network of 64 bits of IPv6. A proxy is one source.
    pub source_connections: usize,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: Listen::loopback(8000),
            tls_listen: Listen::OFF,
            transport_listen: Listen::loopback(8443),
            origins: Vec::new(),
            connections: 20_000,
            source_connections: 1_024,
        }
    }
}

/// HTTP for operators.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where it listens.
    pub listen: Listen,
    /// What callers must present (`Authorization: Bearer …`). Needed to listen beyond loopback.
    pub token: Option<Secret>,
    /// Folder of a dashboard that is served at `/` instead of the one that is built in.
    pub dashboard_page: Option<PathBuf>,
    /// Folder of a device page that is served at `/device/` instead of the one that is built in.
    pub device_page: Option<PathBuf>,
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: Listen::loopback(8080), token: None, dashboard_page: None, device_page: None }
    }
}

/// Which back end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BridgeKind {
    /// Speaks back what it heard.
    #[default]
    Echo,
    /// A speech server on WebSocket (xiaozhi-server).
    Websocket,
    /// Writes what it hears to files.
    Record,
}

/// The back end.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BridgeConfig {
    /// Which.
    pub kind: BridgeKind,
    /// `websocket`: `ws://…` or `wss://…`.
    pub url: Option<String>,
    /// `websocket`: what is sent as `Authorization: Bearer …`.
    pub token: Option<Secret>,
    /// `websocket`: PEM file of the authorities that the server's certificate must be signed by; the system's where there
    /// is none.
    pub ca: Option<PathBuf>,
    /// `websocket`: how audio is laid into binary frames: `gateway` (16 bytes before the Opus), `plain` (bare Opus), or
    /// `auto`: `gateway` where the URL ends in `?from=mqtt_gateway`, `plain` otherwise. What comes back may be either.
    pub framing: FramingName,
    /// `websocket`: have the server's and the device's Opus packets decoded and coded anew even where they could pass.
    pub transcode: bool,
    /// Any kind: record all calls too, as `record` does.
    pub record: bool,
    /// `record`: the directory; made where it is missing.
    pub directory: PathBuf,
    /// `record`: most bytes a session.
    pub most_bytes: u64,
}

impl Default for BridgeConfig {
    fn default() -> Self {
        Self {
            kind: BridgeKind::Echo,
            url: None,
            token: None,
            ca: None,
            framing: FramingName::default(),
            transcode: false,
            record: false,
            directory: "recordings".into(),
            most_bytes: 256 << 20,
        }
    }
}

/// A layout of binary frames, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FramingName {
    /// By the URL.
    #[default]
    Auto,
    /// With the header of gateways.
    Gateway,
    /// Bare Opus.
    Plain,
}

/// What the device hears.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Audio {
    /// Hz: 8000, 12000, 16000, 24000 or 48000.
    pub rate: u32,
    /// Milliseconds a packet: 20, 40 or 60.
    pub frame: u32,
    /// What is coded: `voip` (speech: a high-pass, formants first) or `audio` (music too: true to the waveform).
    pub application: ApplicationName,
    /// Bits a second; none: as libopus thinks best.
    pub bitrate: Option<u32>,
    /// Best quality: `full` (complexity 10), `medium` (5) or `minimal` (0). The ladder goes below it under load.
    pub quality: QualityName,
    /// In-band FEC.
    pub fec: bool,
    /// Loss to prepare for, in percent.
    pub expected_loss: u8,
    /// Frames that a device may hold ahead of what it plays.
    pub lead: u32,
}

impl Default for Audio {
    fn default() -> Self {
        Self {
            rate: 24_000,
            frame: 60,
            application: ApplicationName::Voip,
            bitrate: None,
            quality: QualityName::Full,
            fec: false,
            expected_loss: 0,
            lead: 3,
        }
    }
}

/// What Opus is told that it codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApplicationName {
    /// Speech.
    #[default]
    Voip,
    /// Anything.
    Audio,
}

impl From<ApplicationName> for sidetone_opus::Application {
    fn from(name: ApplicationName) -> Self {
        match name {
            ApplicationName::Voip => Self::Voip,
            ApplicationName::Audio => Self::Audio,
        }
    }
}

/// A step of the quality ladder, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QualityName {
    /// Complexity 10.
    #[default]
    Full,
    /// Complexity 5.
    Medium,
    /// Complexity 0.
    Minimal,
}

impl From<QualityName> for sidetone_session::Quality {
    fn from(name: QualityName) -> Self {
        match name {
            QualityName::Full => Self::Full,
            QualityName::Medium => Self::Medium,
            QualityName::Minimal => Self::Minimal,
        }
    }
}

/// The pool.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolConfig {
    /// Worker threads; none: one a processor.
    pub workers: Option<usize>,
    /// A component file to run instead of the one built in.
    pub component: Option<PathBuf>,
}

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

/// How long anything may take.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Session {
    /// Seconds in which nobody says anything, after which a call ends.
    pub inactivity: u64,
    /// Seconds in which nothing comes from an open microphone, after which a call ends.
    pub device_silence: u64,
    /// Milliseconds that the tail of speech is given to arrive before the device is told to stop playing.
    pub tail: u64,
    /// Seconds to finish in when the gateway is told to stop.
    pub drain: u64,
}

impl Default for Session {
    fn default() -> Self {
        Self { inactivity: 60, device_silence: 120, tail: 150, drain: 4 }
    }
}

/// Log lines.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace` or `off`, for all or by module: `info,sidetone_gateway=debug`.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What a tenant may use. What is left out is not limited.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenant {
    /// Calls at a time.
    pub calls: Option<u32>,
    /// Frames a second, both directions.
    pub frames_per_second: Option<u32>,
    /// Milliseconds of guests' time a second.
    pub cpu_ms_per_second: Option<u64>,
    /// Quality, whatever the load.
    pub quality: Option<QualityName>,
}

impl From<&Tenant> for sidetone_host::Quota {
    fn from(tenant: &Tenant) -> Self {
        Self {
            sessions: tenant.calls,
            frames_per_second: tenant.frames_per_second,
            cpu_per_second: tenant.cpu_ms_per_second.map(std::time::Duration::from_millis),
            pin: tenant.quality.map(Into::into),
            ..Self::UNLIMITED
        }
    }
}
