//! `[broker]`: an external broker.

use super::super::Secret;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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
