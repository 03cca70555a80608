//! WebSockets: the handshake, and the bounds that all of them have.

use super::door::{Door, Ends, Refusal, Visit};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

/// How long a peer may take nothing of what is sent to it.
pub(super) const SEND: Duration = Duration::from_secs(5);

/// How long a goodbye may take.
pub(super) const CLOSE: Duration = Duration::from_secs(1);

/// Silence after which a peer is asked whether it is there. Firmware starts a thread for each answer: not often.
pub(super) const PING: Duration = Duration::from_secs(20);

/// Silence after which it is not.
pub(super) const DEAD: Duration = Duration::from_secs(60);

/// Bytes read at a time, which every WebSocket keeps for itself.
const READ: usize = 4096;

/// Bytes that wait to be written, beside those in the system's buffer: pongs that we owe, and a message.
const WRITE: usize = 128 << 10;

/// What is said to whoever comes without a WebSocket.
const UPGRADE: &str = "this port speaks WebSocket: at /xiaozhi/v1/, /mqtt and /media\n";

/// A stream that a WebSocket goes over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// Reads the request and answers it. `None`: the visitor was turned away, and knows why.
pub(super) async fn welcome<S: Stream>(
    door: &Door,
    stream: &mut S,
    ends: Ends,
) -> Result<Result<Visit, Refusal>, Error> {
    let mut outcome = None;
    #[expect(clippy::result_large_err, reason = "the library's choice")]
    let open = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        match door.open(request, response, ends) {
            Ok((response, visit)) => {
                outcome = Some(Ok(visit));
                Ok(response)
            }
            Err((answer, refusal)) => {
                outcome = Some(Err(refusal));
                Err(answer)
            }
        }
    };
    // Nothing of what comes after the request has been read yet: a peer that sends it before it is answered is refused.
    let opened = accept_hdr_async_with_config(&mut *stream, open, Some(config(READ))).await.map(drop);
    match (opened, outcome) {
        (Ok(()), Some(outcome)) | (Err(Error::Http(_)), Some(outcome)) => Ok(outcome),
        (Err(error), _) => {
            if is_plain_http(&error) {
                say_upgrade(stream).await?;
            }
            Err(error)
        }
        (Ok(()), None) => Err(Error::Protocol(ProtocolError::HandshakeIncomplete)),
    }
}

/// A WebSocket whose messages have no more than so many bytes.
pub(super) async fn socket<S: Stream>(stream: S, max_message: usize) -> WebSocketStream<S> {
    WebSocketStream::from_raw_socket(stream, Role::Server, Some(config(max_message))).await
}

fn config(max_message: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message))
}

fn is_plain_http(error: &Error) -> bool {
    matches!(
        error,
        Error::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader
                | ProtocolError::MissingUpgradeWebSocketHeader
                | ProtocolError::MissingSecWebSocketVersionHeader
                | ProtocolError::MissingSecWebSocketKey
                | ProtocolError::WrongHttpMethod
        )
    )
}

async fn say_upgrade<S: Stream>(stream: &mut S) -> io::Result<()> {
    let head =
        "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: close, Upgrade\r\nContent-Type: text/plain";
    let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{UPGRADE}", UPGRADE.len());
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// Whether the peer broke a rule, rather than just went.
pub(super) fn is_offence(error: &Error) -> bool {
    !matches!(
        error,
        Error::Io(_)
            | Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
    )
}
