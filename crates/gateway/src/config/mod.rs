//! Everything that can be configured, as a file of TOML has it. Each setting has a default that is safe.

mod alerts;
mod certificates;
mod file;
mod history;
mod kind;
mod listen;
mod load;
mod nearest;
mod print;
mod problem;
mod reload;
mod secret;
mod section;
mod server_url;
mod settings;
mod validate;

pub use alerts::{AlertRule, Alerts};
pub use certificates::{CertificateError, certified_key};
pub use history::History;
pub use kind::Kind;
pub use listen::Listen;
pub use load::{Loaded, Sources};
pub use print::reference;
pub use problem::{ConfigError, Origin, Problem};
pub use reload::Change;
pub use secret::Secret;
pub use section::{
    ApplicationName, Audio, BridgeConfig, BridgeKind, Broker, BrokerProtocol, DialectName, FramingName, Http, Limits,
    Log, LogFormat, Mqtt, PoolConfig, QualityName, Session, Tenant, Udp, Web,
};
pub use server_url::ServerUrl;
pub use settings::{Applies, SECTIONS, SETTINGS, Setting, TENANT_SETTINGS};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// `[history]`: what is kept of numbers and ended calls.
    pub history: History,
    /// `[alerts]`: rules by which something is wrong, and who is told.
    pub alerts: Alerts,
    /// `[log]`: what is told of it on stderr.
    pub log: Log,
    /// `[tenants.NAME]`: quotas. Devices belong to the tenant named like the group of their client id, or to `default`.
    pub tenants: BTreeMap<String, Tenant>,
}
