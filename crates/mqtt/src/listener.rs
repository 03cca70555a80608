//! A listening socket: what connects comes out as a [`Stream`], once its TLS and WebSocket handshakes are done.

use crate::crowd::Crowd;
use crate::error::ListenError;
use crate::stream::Stream;
use crate::tls::ServerConfig;
use crate::websocket;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::{TlsAcceptor, TlsStream};
use tracing::{debug, warn};

/// What is spoken below MQTT.
#[derive(Clone)]
pub enum Transport {
    /// Plain TCP (port 1883).
    Tcp,
    /// TLS (port 8883).
    Tls(Arc<ServerConfig>),
    /// WebSocket (port 8083, say).
    WebSocket,
    /// WebSocket over TLS (port 8084, say).
    WebSocketTls(Arc<ServerConfig>),
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme())
    }
}

impl Transport {
    /// The scheme of a client's URL: `mqtt`, `mqtts`, `ws` or `wss`.
    pub fn scheme(&self) -> &'static str {
        match self {
            Self::Tcp => "mqtt",
            Self::Tls(_) => "mqtts",
            Self::WebSocket => "ws",
            Self::WebSocketTls(_) => "wss",
        }
    }
}

/// Bounds of a [`Listener`].
#[derive(Debug, Clone)]
pub struct ListenerOptions {
    /// Time for the TLS and WebSocket handshakes together. Default: 10 s.
    pub handshake_timeout: Duration,
    /// Handshakes under way at once; one more ends the oldest of the source that has most. Default: 256.
    pub max_handshakes: usize,
    /// The only path at which a WebSocket is let in, `/mqtt` say. Default: any.
    pub path: Option<String>,
    /// The largest WebSocket message, in bytes. Default: 128 KiB.
    pub max_message: usize,
}

impl Default for ListenerOptions {
    fn default() -> Self {
        Self { handshake_timeout: Duration::from_secs(10), max_handshakes: 256, path: None, max_message: 128 << 10 }
    }
}

/// How long no connection is taken after the system had no descriptor or memory for one.
const PAUSE: Duration = Duration::from_millis(100);

/// A listening socket.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    transport: Transport,
    options: Arc<ListenerOptions>,
    handshakes: JoinSet<Option<Stream>>,
    strangers: Arc<Crowd>,
    trouble: Trouble,
}

/// Errors of accepting, which come by the thousand when they come.
#[derive(Debug, Default)]
struct Trouble {
    pause_until: Option<Instant>,
    said: Option<Instant>,
    unsaid: u64,
    total: u64,
}

impl Listener {
    /// Listens on `address`; port 0 is the system's choice.
    ///
    /// # Errors
    /// The address is taken, not of this machine, or not allowed.
    pub async fn bind(
        address: SocketAddr,
        transport: Transport,
        options: ListenerOptions,
    ) -> Result<Self, ListenError> {
        let bind = async {
            let socket = TcpListener::bind(address).await?;
            let bound = socket.local_addr()?;
            io::Result::Ok((socket, bound))
        };
        let (socket, bound) = bind.await.map_err(|source| ListenError { address, source })?;
        let strangers = Crowd::new(options.max_handshakes);
        let (options, handshakes, trouble) = (Arc::new(options), JoinSet::new(), Trouble::default());
        Ok(Self { socket, address: bound, transport, options, handshakes, strangers, trouble })
    }

    /// The address it listens on, with the real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What it speaks.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Replaces certificate and key for the connections to come. Of no effect on a listener without TLS.
    pub fn set_tls(&mut self, config: Arc<ServerConfig>) {
        if let Transport::Tls(current) | Transport::WebSocketTls(current) = &mut self.transport {
            *current = config;
        }
    }

    /// How often the system had no connection for us although there was one (no file descriptor left, say).
    pub fn accept_errors(&self) -> u64 {
        self.trouble.total
    }

    /// The next connection. Never ends and never fails: what goes wrong with one connection is that one's end, and where
    /// the system cannot give us one, we wait for better times. May be cancelled: no connection is lost.
    pub async fn accept(&mut self) -> Stream {
        loop {
            // Those that were ended are there until they have noticed.
            let room = self.handshakes.len() < self.options.max_handshakes.max(1) * 2;
            tokio::select! {
                Some(done) = self.handshakes.join_next() => match done {
                    Ok(Some(stream)) => return stream,
                    Ok(None) => {}
                    Err(error) => warn!(%error, "a handshake ended badly"),
                },
                accepted = take(&self.socket, self.trouble.pause_until), if room => match accepted {
                    Ok(tcp) => {
                        self.trouble.pause_until = None;
                        if let Some(stream) = self.greet(tcp) {
                            return stream;
                        }
                    }
                    Err(error) => self.trouble.note(&error, self.address),
                },
            }
        }
    }

    /// The stream at once where there is no handshake; otherwise begins that.
    fn greet(&mut self, tcp: TcpStream) -> Option<Stream> {
        // Small packets that somebody waits for. Where it cannot be set, they only come later.
        if let Err(error) = tcp.set_nodelay(true) {
            debug!(%error, "TCP_NODELAY cannot be set");
        }
        if let Transport::Tcp = self.transport {
            return Some(tcp.into());
        }
        let (transport, options) = (self.transport.clone(), self.options.clone());
        let (peer, local) = (tcp.peer_addr().ok(), tcp.local_addr().ok());
        let mut stranger = self.strangers.enter(peer.map(|peer| peer.ip()));
        self.handshakes.spawn(async move {
            let done = tokio::select! {
                done = timeout(options.handshake_timeout, handshake(tcp, transport, &options)) => done,
                () = stranger.pushed_out() => {
                    debug!(?peer, "handshake ended: too many are under way");
                    return None;
                }
            };
            match done {
                Ok(Ok(stream)) => Some(stream.with_peer(peer).with_local(local)),
                Ok(Err(error)) => {
                    debug!(?peer, %error, "handshake failed");
                    None
                }
                Err(_) => {
                    debug!(?peer, "handshake not done within {:?}", options.handshake_timeout);
                    None
                }
            }
        });
        None
    }
}

async fn take(socket: &TcpListener, pause_until: Option<Instant>) -> io::Result<TcpStream> {
    if let Some(until) = pause_until {
        sleep_until(until).await;
    }
    socket.accept().await.map(|(tcp, _)| tcp)
}

async fn handshake(
    tcp: TcpStream,
    transport: Transport,
    options: &ListenerOptions,
) -> Result<Stream, Box<dyn std::error::Error + Send + Sync>> {
    let tls = match transport {
        Transport::Tcp => return Ok(tcp.into()),
        Transport::WebSocket => {
            return Ok(websocket::accept(tcp, options.path.as_deref(), options.max_message).await?);
        }
        Transport::Tls(ref config) | Transport::WebSocketTls(ref config) => TlsAcceptor::from(config.clone()),
    };
    let stream = TlsStream::from(tls.accept(tcp).await?);
    Ok(match transport {
        Transport::WebSocketTls(_) => websocket::accept(stream, options.path.as_deref(), options.max_message).await?,
        _ => stream.into(),
    })
}

impl Trouble {
    /// Counts an error, says so once a second at most, and waits a little where the system is short of something.
    fn note(&mut self, error: &io::Error, address: SocketAddr) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted) {
            // Of one connection that has gone again.
            return;
        }
        let now = Instant::now();
        self.pause_until = Some(now + PAUSE);
        self.total += 1;
        self.unsaid += 1;
        if self.said.is_none_or(|said| now.duration_since(said) >= Duration::from_secs(1)) {
            warn!(%address, %error, times = self.unsaid, "no connection can be accepted; raise the limit of open files");
            self.said = Some(now);
            self.unsaid = 0;
        }
    }
}
