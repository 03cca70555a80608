//! Sealed datagrams over WebTransport: what a browser has that comes nearest to UDP.

use super::certificate::{Certificate, RENEWAL};
use super::door::{Door, MEDIA};
use super::traffic::Traffic;
use crate::error::StartError;
use crate::media::Path;
use crate::protect::Place;
use crate::shared::Shared;
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use wtransport::config::QuicTransportConfig;
use wtransport::endpoint::IncomingSession;
use wtransport::endpoint::endpoint_side::Server;
use wtransport::error::{ConnectionError, SendDatagramError};
use wtransport::{Connection, Endpoint, Identity, ServerConfig, VarInt};

/// How long the handshakes may take together, of QUIC, HTTP/3 and WebTransport.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Handshakes that wait to be taken up.
const WAITING: usize = 256;

/// Silence after which a peer is asked whether it is there, and after which it is not.
const PING: Duration = Duration::from_secs(10);
const DEAD: Duration = Duration::from_secs(30);

/// When a renewal that failed is tried again.
const AGAIN: Duration = Duration::from_secs(3600);

/// Streams of either kind that a peer may open: HTTP/3 needs three one way and one both ways.
const STREAMS: u32 = 8;

/// Bytes of streams that wait: requests and settings, no more.
const STREAM_BYTES: u32 = 16 << 10;

/// Bytes of datagrams that wait to be sent: a second of speech. The oldest go first.
const UNSENT: usize = 8 << 10;

/// Bytes of datagrams that wait to be taken in.
const UNREAD: usize = 64 << 10;

/// How a page finds WebTransport.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WebTransportInfo {
    /// Where it listens (UDP). The path is `/media`.
    pub address: SocketAddr,
    /// SHA-256 of the certificate, in hexadecimal, for `serverCertificateHashes`: it changes every few days. `None`:
    /// the certificate is a configured one, and pages trust it as they trust that of any site.
    pub sha256: Option<String>,
}

/// A bound port.
pub(crate) struct WebTransport {
    endpoint: Endpoint<Server>,
    address: SocketAddr,
    /// When the first certificate is made anew, where it is one of ours.
    renewal: Option<Duration>,
}

impl WebTransport {
    pub(crate) async fn bind(shared: &Shared, address: SocketAddr) -> Result<Self, StartError> {
        let listen = |error| StartError::Listen { what: "web.transport_listen", address, error };
        let Certificate { identity, sha256 } = Certificate::of(&shared.config()).await?;
        let endpoint = Endpoint::server(server_config(address, identity)).map_err(listen)?;
        let address = endpoint.local_addr().map_err(listen)?;
        let renewal = sha256.is_some().then_some(RENEWAL);
        shared.set_web_transport(WebTransportInfo { address, sha256 });
        Ok(Self { endpoint, address, renewal })
    }

    pub(crate) const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Takes sessions in, without an end. Where it is dropped, they end too.
    pub(crate) async fn serve(self, door: Arc<Door>) {
        let mut sessions = JoinSet::new();
        let mut renewal = self.renewal.map(|after| Instant::now() + after);
        let mut configured = door.shared.tls.watch();
        loop {
            let incoming = tokio::select! {
                incoming = self.endpoint.accept() => incoming,
                Some(_) = sessions.join_next() => continue,
                Ok(()) = configured.changed() => {
                    renewal = self.renew(&door.shared).await.map(|after| Instant::now() + after);
                    continue;
                }
                () = sleep_until(renewal.unwrap_or_else(Instant::now)), if renewal.is_some() => {
                    renewal = self.renew(&door.shared).await.map(|after| Instant::now() + after);
                    continue;
                }
            };
            // Who cannot be reached where it says it is costs no handshake, and no place.
            if !incoming.remote_address_validated() {
                incoming.retry();
                continue;
            }
            match door.take_place(incoming.remote_address().ip()) {
                Some(place) => drop(sessions.spawn(session(door.clone(), incoming, place))),
                None => incoming.refuse(),
            }
        }
    }

    /// Shows a new certificate to whoever comes from now on. When to do so again, where it is one of ours.
    async fn renew(&self, shared: &Shared) -> Option<Duration> {
        let renewed =
            Certificate::of(&shared.config()).await.map_err(|error| error.to_string()).and_then(|certificate| {
                let config = server_config(self.address, certificate.identity);
                self.endpoint.reload_config(config, false).map_err(|error| error.to_string())?;
                Ok(certificate.sha256)
            });
        match renewed {
            Ok(sha256) => {
                tracing::info!("WebTransport shows a new certificate");
                let renewal = sha256.is_some().then_some(RENEWAL);
                shared.set_web_transport(WebTransportInfo { address: self.address, sha256 });
                renewal
            }
            Err(why) => {
                tracing::error!(why, "the certificate of WebTransport cannot be renewed");
                Some(AGAIN)
            }
        }
    }
}

fn server_config(address: SocketAddr, identity: Identity) -> ServerConfig {
    let mut transport = QuicTransportConfig::default();
    transport
        .max_concurrent_bidi_streams(STREAMS.into())
        .max_concurrent_uni_streams(STREAMS.into())
        .stream_receive_window(STREAM_BYTES.into())
        .receive_window((STREAM_BYTES * 2).into())
        .datagram_receive_buffer_size(Some(UNREAD))
        .datagram_send_buffer_size(UNSENT)
        .keep_alive_interval(Some(PING))
        .max_idle_timeout(Some(wtransport::quinn::VarInt::from_u32(DEAD.as_millis() as u32).into()));
    let builder = ServerConfig::builder().with_bind_address(address);
    let mut config = builder.with_custom_transport(identity, transport).build();
    config.quic_config_mut().max_incoming(WAITING);
    config
}

/// Serves one session. Its place is free again when it ends.
async fn session(door: Arc<Door>, incoming: IncomingSession, place: Place) {
    let peer = incoming.remote_address();
    let opened = timeout(HANDSHAKE, open(&door, incoming)).await;
    match opened.map_err(|_| "no session in time".to_owned()).flatten() {
        Ok(connection) => {
            let (path, out) = Path::connection(peer.ip());
            let traffic = Traffic::new();
            let error = tokio::select! {
                error = inward(&door.shared, &connection, &path, &traffic) => Some(error),
                error = outward(&connection, out, &traffic) => Some(error),
                () = traffic.over() => None,
            };
            tracing::debug!(%path, ?error, "a WebTransport session ended");
            connection.close(VarInt::from_u32(0), b"");
        }
        Err(why) => {
            door.shared.counters.totals.connections_refused.add(1);
            tracing::debug!(%peer, why, "no WebTransport session");
        }
    }
    drop(place);
}

async fn open(door: &Door, incoming: IncomingSession) -> Result<Connection, String> {
    let request = incoming.await.map_err(|error| error.to_string())?;
    let allowed = request.origin().map_or(Ok(()), |origin| door.check_origin(origin));
    if let Err(refusal) = allowed.and_then(|()| door.check_phase()) {
        request.forbidden().await;
        return Err(refusal.why);
    }
    if request.path() != MEDIA {
        let why = format!("nothing is at {:?}", request.path());
        request.not_found().await;
        return Err(why);
    }
    request.accept().await.map_err(|error| error.to_string())
}

async fn inward(shared: &Shared, connection: &Connection, path: &Path, traffic: &Traffic) -> ConnectionError {
    loop {
        match connection.receive_datagram().await {
            Ok(datagram) => {
                traffic.carried();
                shared.media.deliver(&datagram.payload(), path);
            }
            Err(error) => return error,
        }
    }
}

async fn outward(connection: &Connection, mut out: mpsc::Receiver<Vec<u8>>, traffic: &Traffic) -> ConnectionError {
    while let Some(datagram) = out.recv().await {
        traffic.carried();
        match connection.send_datagram(datagram) {
            Ok(()) => {}
            // As on UDP: lost.
            Err(SendDatagramError::TooLarge) => tracing::debug!("a datagram is too large for the way"),
            Err(SendDatagramError::NotConnected | SendDatagramError::UnsupportedByPeer) => break,
        }
    }
    connection.closed().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use wtransport::ClientConfig;
    use wtransport::tls::Sha256Digest;

    fn hash(text: &str) -> Sha256Digest {
        let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        Sha256Digest::new(std::array::from_fn(|n| byte(n * 2)))
    }

    /// Checks what a browser would: the hash, the kind of key, how long it is valid.
    async fn connects(address: SocketAddr, sha256: &str) -> bool {
        let config = ClientConfig::builder().with_bind_default().with_server_certificate_hashes([hash(sha256)]).build();
        let client = Endpoint::client(config).unwrap();
        // A refusal of the session comes after the certificate was accepted.
        match client.connect(format!("https://127.0.0.1:{}/elsewhere", address.port())).await {
            Ok(_) | Err(wtransport::error::ConnectingError::SessionRejected) => true,
            Err(_) => false,
        }
    }

    #[tokio::test]
    async fn a_certificate_that_was_made_anew_is_shown_to_who_comes_then() {
        let config = Config::default();
        let made = || Certificate::made(&config).unwrap();
        let (first, second) = (made(), made());
        let hashes = [&first, &second].map(|made| made.sha256.clone().unwrap());
        assert_ne!(hashes[0], hashes[1]);
        let any = "127.0.0.1:0".parse().unwrap();
        let endpoint = Endpoint::server(server_config(any, first.identity)).unwrap();
        let address = endpoint.local_addr().unwrap();
        let endpoint = Arc::new(endpoint);
        let serving = endpoint.clone();
        let served = tokio::spawn(async move {
            loop {
                let incoming = serving.accept().await;
                tokio::spawn(async move {
                    if let Ok(request) = incoming.await {
                        request.not_found().await;
                    }
                });
            }
        });
        assert!(connects(address, &hashes[0]).await);
        assert!(!connects(address, &hashes[1]).await);
        endpoint.reload_config(server_config(address, second.identity), false).unwrap();
        assert!(connects(address, &hashes[1]).await);
        assert!(!connects(address, &hashes[0]).await);
        served.abort();
    }
}
