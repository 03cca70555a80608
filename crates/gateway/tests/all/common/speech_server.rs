//! A speech server of the test's own: a real WebSocket server, whose every connection does what the test says.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sidetone_gateway::Config;
use sidetone_gateway::config::{BridgeConfig, BridgeKind};
use sidetone_opus::{Application, Bitrate, Channels, Encoder, SampleRate};
use sidetone_protocol::websocket::{GatewayFrame, ServerFrame};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, http};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

/// A server that is there until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Connections so far.
    pub(crate) connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Serves each connection with `act`.
    pub(crate) async fn start<F, A>(act: A) -> Self
    where
        A: Fn(Peer) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has ports");
        let address = listener.local_addr().expect("it is bound");
        let connections = Arc::new(AtomicUsize::new(0));
        let (act, count) = (Arc::new(act), connections.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (act, count) = (act.clone(), count.clone());
                tokio::spawn(async move {
                    if let Some(peer) = Peer::accept(stream, &count).await {
                        act(peer).await;
                    }
                });
            }
        });
        Self { address, connections, task }
    }

    /// `[bridge]` for this server.
    pub(crate) fn config(&self) -> Config {
        config_for(&format!("ws://{}/xiaozhi/v1/?from=mqtt_gateway", self.address))
    }

    pub(crate) fn count(&self) -> usize {
        self.connections.load(SeqCst)
    }
}

/// A gateway's configuration for a server at a URL.
pub(crate) fn config_for(url: &str) -> Config {
    let bridge = BridgeConfig { kind: BridgeKind::Websocket, url: Some(url.into()), ..BridgeConfig::default() };
    Config { bridge, ..super::config() }
}

/// One connection, the server's end.
pub(crate) struct Peer {
    pub(crate) socket: WebSocketStream<TcpStream>,
    /// Which connection of the server, from 1.
    pub(crate) number: usize,
    pub(crate) headers: http::HeaderMap,
    pub(crate) path: String,
    sequence: u32,
}

/// What a gateway sent.
#[derive(Debug, PartialEq)]
pub(crate) enum Got {
    Json(Value),
    Packet { timestamp: u32, payload: Vec<u8> },
    Closed,
}

struct Seen(Arc<Mutex<Option<(http::HeaderMap, String)>>>);

impl Callback for Seen {
    #[allow(clippy::result_large_err, reason = "the trait has it so")]
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        *self.0.lock().unwrap() = Some((request.headers().clone(), request.uri().to_string()));
        Ok(response)
    }
}

impl Peer {
    async fn accept(stream: TcpStream, count: &AtomicUsize) -> Option<Self> {
        let seen = Arc::new(Mutex::new(None));
        let socket = accept_hdr_async(stream, Seen(seen.clone())).await.ok()?;
        let (headers, path) = seen.lock().unwrap().take()?;
        Some(Self { socket, number: count.fetch_add(1, SeqCst) + 1, headers, path, sequence: 0 })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether this is the call of the device that is meant to suffer.
    pub(crate) fn is_victim(&self) -> bool {
        self.header("device-id").is_some_and(|mac| mac.ends_with(":ff"))
    }

    pub(crate) async fn next(&mut self) -> Got {
        loop {
            return match timeout(super::PATIENCE, self.socket.next()).await.expect("the gateway says something") {
                Some(Ok(Message::Text(text))) => Got::Json(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Binary(bytes))) => match GatewayFrame::decode(&bytes) {
                    Ok(frame) => Got::Packet { timestamp: frame.timestamp, payload: frame.payload.to_vec() },
                    Err(_) => Got::Packet { timestamp: 0, payload: bytes.to_vec() },
                },
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(_)) | Err(_)) | None => Got::Closed,
            };
        }
    }

    /// The next message, whatever audio comes before it.
    pub(crate) async fn next_json(&mut self) -> Value {
        loop {
            match self.next().await {
                Got::Json(json) => return json,
                Got::Packet { .. } => {}
                Got::Closed => return Value::Null,
            }
        }
    }

    /// Answers the gateway's hello, and returns it.
    pub(crate) async fn hello(&mut self) -> Value {
        let hello = self.next_json().await;
        assert_eq!(hello["type"], "hello", "{hello}");
        let audio = json!({ "format": "opus", "sample_rate": 24000, "channels": 1, "frame_duration": 60 });
        let id = format!("server-{}", self.number);
        self.say(json!({ "type": "hello", "transport": "websocket", "session_id": id, "audio_params": audio })).await;
        hello
    }

    pub(crate) async fn say(&mut self, message: Value) -> bool {
        self.socket.send(Message::text(message.to_string())).await.is_ok()
    }

    pub(crate) async fn tts(&mut self, state: &str) -> bool {
        self.say(json!({ "type": "tts", "state": state, "session_id": "server" })).await
    }

    pub(crate) async fn speak(&mut self, packet: &[u8]) -> bool {
        let frame = ServerFrame { sequence: self.sequence, timestamp: self.sequence * 60, payload: packet };
        self.sequence += 1;
        self.send(frame.encode().expect("a usual frame")).await
    }

    pub(crate) async fn send(&mut self, bytes: Vec<u8>) -> bool {
        self.socket.send(Message::binary(bytes)).await.is_ok()
    }

    /// Hears until the user has finished: the packets.
    pub(crate) async fn hear_turn(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        loop {
            match self.next().await {
                Got::Packet { payload, .. } => packets.push(payload),
                Got::Json(json) if json["state"] == "stop" => return packets,
                Got::Json(_) => {}
                Got::Closed => return packets,
            }
        }
    }

    /// Ends the conversation in good order.
    pub(crate) async fn finish(mut self) {
        let close = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let _ = self.socket.close(Some(close)).await;
        while self.socket.next().await.is_some_and(|came| came.is_ok()) {}
    }

    /// Reads on until the gateway is gone.
    pub(crate) async fn listen(&mut self) {
        while self.next().await != Got::Closed {}
    }
}

/// Speech, coded as a server would.
pub(crate) fn packets(pcm: &[i16], rate: SampleRate, millis: usize) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(rate, Channels::Mono, Application::Audio).expect("a usual encoder");
    encoder.set_bitrate(Bitrate::BitsPerSecond(48_000)).expect("a usual bitrate");
    let mut packet = [0; sidetone_opus::MAX_PACKET];
    let frames = pcm.chunks_exact(rate.hz() as usize / 1_000 * millis);
    frames
        .map(|frame| {
            let len = encoder.encode(frame, &mut packet).expect("it encodes");
            packet[..len].to_vec()
        })
        .collect()
}
