//! `[web]`: WebSocket and WebTransport.

use super::super::Listen;
use serde::{Deserialize, Serialize};

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
