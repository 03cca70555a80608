//! One connection to the server: what comes is read as it is wanted, what goes is written by a task of its own, so that
//! a server that does not read never keeps us from hearing it.

use super::dial::Socket;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Messages that wait to be written. More wait in the leg, which drops the oldest audio.
const WRITING: usize = 4;

/// How long one message may take to be written.
const WRITE: Duration = Duration::from_secs(5);

/// How often a server that says nothing is asked whether it is there.
const PING: Duration = Duration::from_secs(20);

/// How long it may take to say anything at all.
const SILENCE: Duration = Duration::from_secs(50);

pub(super) struct Connection {
    from: SplitStream<Socket>,
    to: mpsc::Sender<Message>,
    heard_at: Instant,
    pinged_at: Instant,
}

/// What came from a server.
#[derive(Debug)]
pub(super) enum Came {
    Text(tokio_tungstenite::tungstenite::Utf8Bytes),
    Binary(tokio_tungstenite::tungstenite::Bytes),
    /// A sign of life.
    Nothing,
    /// It ended the conversation in good order.
    Finished,
    /// It is gone.
    Lost(String),
}

impl Connection {
    pub(super) fn new(socket: Socket) -> Self {
        let (sink, from) = socket.split();
        let (to, waiting) = mpsc::channel(WRITING);
        tokio::spawn(write(sink, waiting));
        let now = Instant::now();
        Self { from, to, heard_at: now, pinged_at: now }
    }

    /// Where to put what the server is to be told. Closed: it does not read.
    pub(super) fn to(&self) -> mpsc::Sender<Message> {
        self.to.clone()
    }

    /// The next thing from the server. Cancel-safe.
    pub(super) async fn next(&mut self) -> Came {
        let came = match self.from.next().await {
            Some(Ok(Message::Text(text))) => Came::Text(text),
            Some(Ok(Message::Binary(bytes))) => Came::Binary(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Came::Nothing,
            Some(Ok(Message::Close(frame))) => closed(frame.as_ref()),
            Some(Err(Error::Capacity(error))) => Came::Lost(format!("a frame or message is too large: {error}")),
            Some(Err(error)) => Came::Lost(error.to_string()),
            None => Came::Lost("the connection ended without a close".into()),
        };
        self.heard_at = Instant::now();
        came
    }

    /// When to [`check`](Self::check) next.
    pub(super) fn check_at(&self) -> Instant {
        let ping = self.heard_at.max(self.pinged_at) + PING;
        ping.min(self.heard_at + SILENCE)
    }

    /// Asks a silent server whether it is there. `false`: it has not been for too long.
    pub(super) fn check(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.heard_at + SILENCE {
            return false;
        }
        if now >= self.heard_at.max(self.pinged_at) + PING {
            self.pinged_at = now;
            // No room to write: then it is the writer that gives up on the server.
            drop(self.to.try_send(Message::Ping(Default::default())));
        }
        true
    }

    /// Nothing is read while the device plays what was said: silence is ours then.
    pub(super) fn excuse(&mut self) {
        self.heard_at = Instant::now();
    }
}

/// A server that closes with 1000 ends the call, as it does after "goodbye"; any other code is a fault of its own.
fn closed(frame: Option<&CloseFrame>) -> Came {
    match frame {
        Some(CloseFrame { code: CloseCode::Normal, .. }) => Came::Finished,
        Some(CloseFrame { code, reason }) => Came::Lost(format!("it closed the connection: {code} {reason}")),
        None => Came::Lost("it closed the connection without a reason".into()),
    }
}

async fn write(mut sink: SplitSink<Socket, Message>, mut waiting: mpsc::Receiver<Message>) {
    while let Some(message) = waiting.recv().await {
        match timeout(WRITE, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return tracing::debug!(%error, "the speech server cannot be told"),
            Err(_) => return tracing::debug!("the speech server does not read"),
        }
    }
    let close = CloseFrame { code: CloseCode::Normal, reason: Default::default() };
    // The call is over: one that does not take leave is left.
    let _ = timeout(WRITE, sink.send(Message::Close(Some(close)))).await;
}
