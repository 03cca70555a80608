//! What speaks to `[web]`: WebSockets, WebTransport, and the codec of a device whose audio is not sealed.

use super::{BITRATE, PATIENCE, config};
use futures_util::{SinkExt, StreamExt};
use sidetone_gateway::config::Listen;
use sidetone_gateway::{Config, Gateway};
use sidetone_opus::Application;
use sidetone_packet::{Direction, HEADER_LEN, KeySchedule, Sealer, open_with};
use sidetone_session::{Libopus, Quality, Session};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use wtransport::endpoint::ConnectOptions;
use wtransport::error::ConnectingError;
use wtransport::tls::Sha256Digest;
use wtransport::{ClientConfig, Connection, Endpoint};

pub(crate) type Socket = WebSocketStream<TcpStream>;

/// A gateway that listens for WebSocket and WebTransport too.
pub(crate) fn with_web() -> Config {
    let mut config = config();
    config.web.listen = Listen::loopback(0);
    config.web.transport_listen = Listen::loopback(0);
    config
}

/// Opens a WebSocket. The status, where it is refused.
pub(crate) async fn open(gateway: &Gateway, path: &str, headers: &[(&str, &str)]) -> Result<Socket, u16> {
    let address = gateway.addresses().web.expect("WebSocket listens");
    let stream = TcpStream::connect(address).await.expect("loopback");
    open_on(stream, address, path, headers).await
}

/// The same, of a peer whose system takes little that it has not read.
pub(crate) async fn open_narrow(gateway: &Gateway, path: &str, headers: &[(&str, &str)]) -> Result<Socket, u16> {
    let address = gateway.addresses().web.expect("WebSocket listens");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("it may be small");
    let stream = socket.connect(address).await.expect("loopback");
    open_on(stream, address, path, headers).await
}

async fn open_on(stream: TcpStream, address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Socket, u16> {
    let mut request = format!("ws://{address}{path}").into_client_request().expect("a request");
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        request.headers_mut().append(name, HeaderValue::from_str(value).expect("a value"));
    }
    match client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("no answer: {error}"),
    }
}

/// What comes next on a WebSocket that is no ping; `None`: it has ended.
pub(crate) async fn next(socket: &mut Socket) -> Option<Message> {
    loop {
        match timeout(PATIENCE, socket.next()).await.expect("something comes") {
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(message)) => return Some(message),
            Some(Err(_)) | None => return None,
        }
    }
}

/// Waits for the end of a WebSocket.
pub(crate) async fn ended(socket: &mut Socket) {
    while !matches!(next(socket).await, Some(Message::Close(_)) | None) {}
}

/// A way for sealed datagrams.
pub(crate) enum Road {
    WebSocket(Box<Socket>),
    WebTransport(Connection),
}

impl Road {
    pub(crate) async fn send(&mut self, datagram: &[u8]) {
        match self {
            Self::WebSocket(socket) => socket.send(Message::binary(datagram.to_vec())).await.expect("it is taken"),
            Self::WebTransport(connection) => connection.send_datagram(datagram).expect("it is taken"),
        }
    }

    /// What comes within so long.
    pub(crate) async fn receive(&mut self, within: Duration) -> Option<Vec<u8>> {
        match self {
            Self::WebSocket(socket) => loop {
                match timeout(within, socket.next()).await.ok()?? {
                    Ok(Message::Binary(datagram)) => return Some(datagram.to_vec()),
                    Ok(Message::Ping(_)) => {}
                    other => panic!("no datagram: {other:?}"),
                }
            },
            Self::WebTransport(connection) => {
                let datagram = timeout(within, connection.receive_datagram()).await.ok()?;
                Some(datagram.expect("the session stands").payload().to_vec())
            }
        }
    }
}

/// Opens WebTransport as a page does: pinning the certificate, from an origin.
pub(crate) async fn web_transport(
    gateway: &Gateway,
    sha256: &str,
    path: &str,
    origin: Option<&str>,
) -> Result<Connection, ConnectingError> {
    let byte = |at| u8::from_str_radix(&sha256[at..at + 2], 16).expect("hexadecimal");
    let hash = Sha256Digest::new(std::array::from_fn(|n| byte(n * 2)));
    let config = ClientConfig::builder().with_bind_default().with_server_certificate_hashes([hash]).build();
    let client = Endpoint::client(config).expect("loopback has ports");
    let port = gateway.addresses().web_transport.expect("WebTransport listens").port();
    let mut options = ConnectOptions::builder(format!("https://127.0.0.1:{port}{path}"));
    if let Some(origin) = origin {
        options = options.add_header("origin", origin);
    }
    timeout(PATIENCE, client.connect(options.build())).await.expect("an answer")
}

/// Codes and decodes bare Opus as firmware does, at a rate that keeps speech comparable.
pub(crate) struct Codec {
    session: Session<Libopus>,
    sealer: Sealer,
}

impl Codec {
    const KEY: [u8; 16] = [9; 16];
    const ID: u32 = 7;

    pub(crate) fn new() -> Self {
        let mut config = sidetone_session::Config::device(Self::ID);
        config.outgoing.bitrate = BITRATE;
        config.outgoing.application = Application::Audio;
        config.quality = Quality::Full;
        let session = Session::new(&Self::KEY, &config).expect("a usual session");
        Self { session, sealer: Sealer::new(&Self::KEY, Self::ID, Direction::Downlink) }
    }

    pub(crate) fn encode(&mut self, pcm: &[i16]) -> Vec<Vec<u8>> {
        let (schedule, mut packets) = (KeySchedule::new(&Self::KEY), Vec::new());
        let open = |datagram: &[u8]| {
            let mut payload = vec![0; datagram.len() - HEADER_LEN];
            open_with(&schedule, datagram, &mut payload).expect("its own packet");
            packets.push(payload);
        };
        self.session.send(pcm, 0, open).expect("it encodes");
        packets
    }

    pub(crate) fn decode(&mut self, payload: &[u8]) -> Vec<i16> {
        let mut datagram = vec![0; HEADER_LEN + payload.len()];
        self.sealer.seal(0, payload, &mut datagram).expect("it fits");
        self.session.receive(&datagram).expect("a good packet").samples.to_vec()
    }
}
