//! The port that WebSockets come to, with or without TLS.

use super::door::{Door, Ends, Visit};
use super::socket::{self, Stream};
use super::{datagrams, device_link};
use crate::device;
use crate::edge::ServerTls;
use crate::edge::mqtt::endpoint;
use crate::protect::Seldom;
use device_link::DeviceLink;
use sidetone_mqtt as mqtt;
use socket2::SockRef;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;

/// How long the handshakes may take together, of TLS and of WebSocket.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long after an error of the listener it is asked again.
const PAUSE: Duration = Duration::from_millis(50);

/// Bytes that the system keeps for a peer that does not read: two seconds of speech, no more, since speech gets old.
const UNREAD: usize = 16 << 10;

/// The largest message that carries MQTT: the largest packet, and room for others beside it.
const MQTT_LARGEST: usize = 128 << 10;

static NOT_ACCEPTED: Seldom = Seldom::new();

/// A bound port.
pub(crate) struct Web {
    listener: TcpListener,
    /// `None`: without TLS.
    tls: Option<watch::Receiver<Option<ServerTls>>>,
}

impl Web {
    pub(crate) async fn bind(address: SocketAddr, tls: Option<watch::Receiver<Option<ServerTls>>>) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, tls })
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Takes connections in, without an end. Where it is dropped, they end too.
    pub(crate) async fn serve(self, door: Arc<Door>) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let Some(place) = door.take_place(peer.ip()) else { continue };
                    let door = door.clone();
                    let tls =
                        self.tls.as_ref().and_then(|tls| tls.borrow().clone()).map(|tls| TlsAcceptor::from(tls.config));
                    connections.spawn(async move {
                        let ends = Ends { peer, local: stream.local_addr().ok() };
                        if let Err(error) = connection(&door, stream, tls, ends).await {
                            door.shared.counters.totals.connections_refused.add(1);
                            tracing::debug!(%peer, %error, "no WebSocket");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    if let Some(times) = NOT_ACCEPTED.times() {
                        tracing::warn!(%error, times, "WebSocket connections cannot be accepted");
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Serves a connection. An error: it was not let in.
async fn connection(
    door: &Door,
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    ends: Ends,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    SockRef::from(&stream).set_send_buffer_size(UNREAD)?;
    match tls {
        None => {
            let (visit, stream) = timeout(HANDSHAKE, handshake(door, stream, ends)).await??;
            serve(door, visit, stream, ends).await;
        }
        Some(tls) => {
            let opened = async { handshake(door, tls.accept(stream).await?, ends).await };
            let (visit, stream) = timeout(HANDSHAKE, opened).await??;
            serve(door, visit, stream, ends).await;
        }
    }
    Ok(())
}

async fn handshake<S: Stream>(
    door: &Door,
    mut stream: S,
    ends: Ends,
) -> Result<(Visit, S), Box<dyn Error + Send + Sync>> {
    let visit = socket::welcome(door, &mut stream, ends).await?;
    let visit = visit.map_err(|refusal| format!("{}: {}", refusal.status, refusal.why))?;
    Ok((visit, stream))
}

async fn serve<S: Stream>(door: &Door, visit: Visit, stream: S, ends: Ends) {
    let shared = &door.shared;
    match visit {
        Visit::Device { identity, entered, version } => {
            let socket = socket::socket(stream, device_link::LARGEST).await;
            let link = DeviceLink::new(socket, version, shared.counters.clone());
            device::serve_entered(shared.clone(), identity, entered, link).await;
        }
        Visit::Mqtt => {
            let socket = socket::socket(stream, MQTT_LARGEST).await;
            let stream = mqtt::Stream::from_websocket(socket, frame, Message::Binary);
            endpoint::serve_stream(shared.clone(), stream.with_peer(Some(ends.peer)).with_local(ends.local)).await;
        }
        Visit::Media => {
            let socket = socket::socket(stream, datagrams::LARGEST).await;
            datagrams::carry(shared, socket, ends.peer.ip()).await;
        }
    }
}

fn frame(message: Message) -> mqtt::Frame {
    match message {
        Message::Binary(bytes) => mqtt::Frame::Binary(bytes),
        Message::Text(_) => mqtt::Frame::Text,
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => mqtt::Frame::Control,
        Message::Close(_) => mqtt::Frame::Close,
    }
}
