//! The sections of the configuration, a file each: what may stand in them, and safe defaults.

mod audio;
mod bridge;
mod broker;
mod http;
mod limits;
mod log;
mod mqtt;
mod pool;
mod session;
mod tenant;
mod udp;
mod web;

pub use audio::{ApplicationName, Audio, QualityName};
pub use bridge::{BridgeConfig, BridgeKind, FramingName};
pub use broker::{Broker, BrokerProtocol};
pub use http::Http;
pub use limits::Limits;
pub use log::{Log, LogFormat};
pub use mqtt::{DialectName, Mqtt};
pub use pool::PoolConfig;
pub use session::Session;
pub use tenant::Tenant;
pub use udp::Udp;
pub use web::Web;
