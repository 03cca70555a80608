//! The ports that a gateway listens on.

use crate::config::Listen;
use crate::edge::mqtt::endpoint;
use crate::edge::{Door, ServerTls, Web, WebTransport};
use crate::error::StartError;
use crate::shared::Shared;
use sidetone_mqtt::{Listener, ListenerOptions, Transport, tls};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Where a gateway listens: what was asked for, with the ports that the system chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Addresses {
    /// MQTT over TCP.
    pub mqtt: Option<SocketAddr>,
    /// MQTT over TLS.
    pub mqtt_tls: Option<SocketAddr>,
    /// UDP.
    pub udp: Option<SocketAddr>,
    /// WebSocket.
    pub web: Option<SocketAddr>,
    /// WebSocket over TLS.
    pub web_tls: Option<SocketAddr>,
    /// WebTransport.
    pub web_transport: Option<SocketAddr>,
    /// HTTP for operators.
    pub http: Option<SocketAddr>,
}

/// A port that [`loopback_mqtt`](crate::Gateway::loopback_mqtt) opened. Dropped, it is closed; connections that were made stay.
#[derive(Debug)]
pub struct LoopbackMqtt {
    /// Where it listens.
    pub address: SocketAddr,
    pub(crate) _task: JoinSet<()>,
}

pub(crate) async fn listen_mqtt(
    shared: &Arc<Shared>,
    edges: &mut JoinSet<()>,
    what: &'static str,
    listen: Listen,
    tls: Option<Arc<tls::ServerConfig>>,
) -> Result<Option<SocketAddr>, StartError> {
    let Some(address) = listen.address() else { return Ok(None) };
    let listener = bind_mqtt(what, address, tls.map_or(Transport::Tcp, Transport::Tls)).await?;
    let bound = listener.local_addr();
    let listening = shared.edges.listening(what, bound);
    edges.spawn(listening.while_serving(endpoint::serve(shared.clone(), listener)));
    Ok(Some(bound))
}

pub(crate) async fn bind_mqtt(
    what: &'static str,
    address: SocketAddr,
    transport: Transport,
) -> Result<Listener, StartError> {
    let listener = Listener::bind(address, transport, ListenerOptions::default()).await;
    listener.map_err(|error| StartError::Listen { what, address, error: error.source })
}

/// WebSocket and WebTransport.
pub(crate) async fn listen_web(
    shared: &Arc<Shared>,
    edges: &mut JoinSet<()>,
    addresses: &mut Addresses,
) -> Result<(), StartError> {
    let config = shared.config();
    let web = &config.web;
    let door = Door::new(shared.clone());
    if let Some(address) = web.listen.address() {
        let bind = |error| StartError::Listen { what: "web.listen", address, error };
        let listener = Web::bind(address, None).await.map_err(bind)?;
        let bound = listener.local_addr().map_err(bind)?;
        addresses.web = Some(bound);
        let listening = shared.edges.listening("web.listen", bound);
        edges.spawn(listening.while_serving(listener.serve(door.clone())));
    }
    if let Some(address) = web.tls_listen.address() {
        let bind = |error| StartError::Listen { what: "web.tls_listen", address, error };
        server_tls(shared)?;
        let listener = Web::bind(address, Some(shared.tls.watch())).await.map_err(bind)?;
        let bound = listener.local_addr().map_err(bind)?;
        addresses.web_tls = Some(bound);
        let listening = shared.edges.listening("web.tls_listen", bound);
        edges.spawn(listening.while_serving(listener.serve(door.clone())));
    }
    if let Some(address) = web.transport_listen.address() {
        let transport = WebTransport::bind(shared, address).await?;
        addresses.web_transport = Some(transport.local_addr());
        let listening = shared.edges.listening("web.transport_listen", transport.local_addr());
        edges.spawn(listening.while_serving(transport.serve(door)));
    }
    Ok(())
}

/// The certificate that devices see, which TLS cannot do without.
pub(crate) fn server_tls(shared: &Shared) -> Result<ServerTls, StartError> {
    shared.tls.watch().borrow().clone().ok_or_else(|| {
        let why = "TLS needs a certificate: set mqtt.certificate and mqtt.key to PEM files".into();
        StartError::Setting { name: "mqtt.certificate", why }
    })
}
