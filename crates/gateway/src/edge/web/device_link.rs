//! A device that speaks WebSocket: messages as text, audio as binary frames, on one connection.

use super::socket::{CLOSE, DEAD, PING, SEND, Stream, is_offence};
use crate::counters::Counters;
use crate::link::{Carrier, Gone, Link, Said};
use crate::protect::Bucket;
use futures_util::{FutureExt, SinkExt, StreamExt};
use serde::Deserialize;
use sidetone_protocol::message::{DeviceBody, DeviceMessage, GatewayBody, GatewayMessage, MAX_MESSAGE};
use sidetone_protocol::websocket::{Frame, Kind, Version};
use std::sync::Arc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// The largest message: JSON in a frame of version 2.
pub(super) const LARGEST: usize = MAX_MESSAGE + Version::V2.header_len();

/// Frames of audio a second, and at once: twice what the shortest frames come to.
const AUDIO: (f64, f64) = (100.0, 200.0);

/// The connection.
pub(super) struct DeviceLink<S> {
    socket: WebSocketStream<S>,
    /// `None`: to be said by the hello.
    version: Option<Version>,
    audio: Bucket,
    since: Instant,
    heard: Instant,
    pinged: bool,
    /// Goodbye was said. Firmware takes no notice of the word, but of the end of the connection.
    over: bool,
    counters: Arc<Counters>,
}

impl<S: Stream> DeviceLink<S> {
    pub(super) fn new(socket: WebSocketStream<S>, version: Option<Version>, counters: Arc<Counters>) -> Self {
        let (since, (rate, burst)) = (Instant::now(), AUDIO);
        let audio = Bucket::new(rate, burst, since.elapsed());
        Self { socket, version, audio, since, heard: since, pinged: false, over: false, counters }
    }

    fn text(&mut self, text: &[u8]) -> Said {
        match DeviceMessage::parse(text) {
            Ok(message) => {
                if matches!(message.body, DeviceBody::Hello(_)) && self.version.is_none() {
                    self.version = Some(stated_version(text));
                }
                Said::Message(message)
            }
            Err(error) => Said::Malformed(error),
        }
    }

    /// What a binary frame says; `None`: nothing that is wanted.
    fn binary(&mut self, bytes: &[u8]) -> Option<Said> {
        match Frame::decode(self.version.unwrap_or_default(), bytes) {
            Ok(Frame { kind: Kind::Json, payload, .. }) => Some(self.text(payload)),
            Ok(Frame { kind: Kind::Opus, payload, .. }) if self.audio.take(self.since.elapsed()) => {
                Some(Said::Audio { payload: payload.to_vec() })
            }
            Ok(_) => {
                self.counters.dropped.rate.add(1);
                None
            }
            Err(error) => {
                self.counters.dropped.malformed.add(1);
                tracing::debug!(%error, "a binary frame is not understood");
                None
            }
        }
    }

    /// Asks whether the peer is there. Whatever of the question cannot be written now goes with the next message; who
    /// takes nothing does not answer either.
    fn ping(&mut self) {
        self.pinged = true;
        let ping = Message::Ping(Default::default());
        if let Some(Ok(())) = self.socket.feed(ping).now_or_never() {
            let _ = self.socket.flush().now_or_never();
        }
    }

    async fn put(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(SEND, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Gone),
            Err(_) => {
                self.counters.totals.connections_broken.add(1);
                tracing::info!("a device that does not read is given up");
                Err(Gone)
            }
        }
    }
}

/// The version of binary frames that a hello names; 1, as firmware has it, where it names none.
fn stated_version(hello: &[u8]) -> Version {
    #[derive(Deserialize)]
    struct Stated {
        version: u32,
    }
    let stated = serde_json::from_slice(hello).ok();
    stated.and_then(|Stated { version }| Version::from_number(version)).unwrap_or_default()
}

impl<S: Stream> Link for DeviceLink<S> {
    fn carrier(&self) -> Carrier {
        Carrier::Link
    }

    async fn receive(&mut self) -> Option<Said> {
        loop {
            if self.over {
                return None;
            }
            let due = self.heard + if self.pinged { DEAD } else { PING };
            let message = tokio::select! {
                message = self.socket.next() => message?,
                () = sleep_until(due) => {
                    if self.pinged {
                        self.counters.totals.connections_broken.add(1);
                        return None;
                    }
                    self.ping();
                    continue;
                }
            };
            (self.heard, self.pinged) = (Instant::now(), false);
            let said = match message {
                Ok(Message::Text(text)) => Some(self.text(text.as_bytes())),
                Ok(Message::Binary(bytes)) => self.binary(&bytes),
                Ok(Message::Close(_)) => return None,
                Ok(_) => None,
                Err(error) => {
                    self.counters.totals.connections_broken.add(u64::from(is_offence(&error)));
                    tracing::debug!(%error, "a device's connection failed");
                    return None;
                }
            };
            if said.is_some() {
                return said;
            }
        }
    }

    async fn send(&mut self, message: &GatewayMessage) -> Result<(), Gone> {
        self.over |= message.body == GatewayBody::Goodbye;
        self.put(Message::text(message.to_json().as_str())).await
    }

    async fn send_audio(&mut self, timestamp: u32, payload: &[u8]) -> Result<(), Gone> {
        let frame = Frame { kind: Kind::Opus, timestamp, payload };
        match frame.encode(self.version.unwrap_or_default()) {
            Ok(bytes) => self.put(Message::binary(bytes)).await,
            Err(error) => {
                tracing::warn!(%error, "a packet fits no frame");
                Ok(())
            }
        }
    }

    async fn close(mut self) {
        // Who does not take it has gone, or will.
        let _ = timeout(CLOSE, self.socket.close(None)).await;
    }
}
