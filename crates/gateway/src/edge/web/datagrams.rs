//! Sealed datagrams in the binary frames of a WebSocket: for browsers and networks that have nothing better. What holds
//! for UDP holds here: unknown calls get no answer, and what cannot be sent now is lost.

use super::socket::{CLOSE, DEAD, PING, SEND, Stream, is_offence};
use super::traffic::Traffic;
use crate::media::Path;
use crate::shared::Shared;
use futures_util::{Sink, SinkExt, Stream as Messages, StreamExt};
use std::net::IpAddr;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

/// The largest frame: larger than any datagram, so that what is too large is counted as such.
pub(super) const LARGEST: usize = 2048;

/// Carries datagrams both ways until the peer goes, breaks a rule, or has carried none for long.
pub(super) async fn carry<S: Stream>(shared: &Shared, socket: WebSocketStream<S>, peer: IpAddr) {
    let (path, out) = Path::connection(peer);
    let traffic = Traffic::new();
    let (mut sink, mut stream) = socket.split();
    let why = tokio::select! {
        why = inward(shared, &mut stream, &path, &traffic) => why,
        why = outward(shared, &mut sink, out, &traffic) => why,
        () = traffic.over() => CloseCode::Away,
    };
    let close = Message::Close(Some(CloseFrame { code: why, reason: Default::default() }));
    // Who does not take it has gone, or will.
    let _ = timeout(CLOSE, sink.send(close)).await;
}

async fn inward(
    shared: &Shared,
    stream: &mut (impl Messages<Item = Result<Message, Error>> + Unpin),
    path: &Path,
    traffic: &Traffic,
) -> CloseCode {
    let offences = &shared.counters.totals.connections_broken;
    loop {
        match timeout(DEAD, stream.next()).await {
            Ok(Some(Ok(Message::Binary(datagram)))) => {
                traffic.carried();
                shared.media.deliver(&datagram, path);
            }
            Ok(Some(Ok(Message::Text(_)))) => {
                offences.add(1);
                return CloseCode::Unsupported;
            }
            Ok(Some(Ok(Message::Close(_))) | None) => return CloseCode::Normal,
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(error))) => {
                offences.add(u64::from(is_offence(&error)));
                tracing::debug!(%path, %error, "a connection of datagrams failed");
                return CloseCode::Protocol;
            }
            Err(_) => {
                offences.add(1);
                return CloseCode::Away;
            }
        }
    }
}

async fn outward(
    shared: &Shared,
    sink: &mut (impl Sink<Message, Error = Error> + Unpin),
    mut out: mpsc::Receiver<Vec<u8>>,
    traffic: &Traffic,
) -> CloseCode {
    loop {
        let message = tokio::select! {
            Some(datagram) = out.recv() => {
                traffic.carried();
                Message::binary(datagram)
            }
            () = sleep(PING) => Message::Ping(Default::default()),
        };
        match timeout(SEND, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return CloseCode::Normal,
            Err(_) => {
                shared.counters.totals.connections_broken.add(1);
                return CloseCode::Policy;
            }
        }
    }
}
