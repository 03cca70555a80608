//! `[mqtt]`: the endpoint that devices connect to, and its dialect.

use super::super::{Listen, Secret};
use serde::{Deserialize, Serialize};
use sidetone_protocol::topic::{DEVICE_SERVER, Dialect};
use std::path::PathBuf;

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
