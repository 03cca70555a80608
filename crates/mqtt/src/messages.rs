//! Binary messages as a stream of bytes: MQTT over WebSocket cuts its bytes into messages wherever it likes.

use bytes::{Buf, Bytes};
use futures_util::{Sink, Stream};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes put into one message.
pub(crate) const MAX_MESSAGE_OUT: usize = 16 << 10;

/// What a message of a WebSocket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Bytes of MQTT.
    Binary(Bytes),
    /// Text, which MQTT may not be in: an error.
    Text,
    /// Ping or pong: passed over.
    Control,
    /// The peer closes.
    Close,
}

/// A sink and stream of messages `M`, as bytes.
pub(crate) struct Messages<S, M, E> {
    socket: S,
    open: fn(M) -> Frame,
    wrap: fn(Bytes) -> M,
    fault: fn(E) -> io::Error,
    /// What is left of the last message.
    rest: Bytes,
    closed: bool,
}

impl<S, M, E> Messages<S, M, E> {
    pub(crate) fn new(socket: S, open: fn(M) -> Frame, wrap: fn(Bytes) -> M, fault: fn(E) -> io::Error) -> Self {
        Self { socket, open, wrap, fault, rest: Bytes::new(), closed: false }
    }
}

impl<S: Stream<Item = Result<M, E>> + Unpin, M, E> AsyncRead for Messages<S, M, E> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.rest.is_empty() && !self.closed {
            match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                None => self.closed = true,
                Some(Err(error)) => return Poll::Ready(Err((self.fault)(error))),
                Some(Ok(message)) => match (self.open)(message) {
                    Frame::Binary(bytes) => self.rest = bytes,
                    Frame::Control => {}
                    Frame::Close => self.closed = true,
                    Frame::Text => {
                        let why = "a text message came over the WebSocket: MQTT goes in binary ones";
                        return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
                    }
                },
            }
        }
        let length = self.rest.len().min(buf.remaining());
        buf.put_slice(&self.rest[..length]);
        self.rest.advance(length);
        if self.rest.is_empty() {
            // Even an empty remainder would hold on to the message's memory.
            self.rest = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Sink<M, Error = E> + Unpin, M, E> AsyncWrite for Messages<S, M, E> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(Pin::new(&mut this.socket).poll_ready(cx)).map_err(this.fault)?;
        let length = bytes.len().min(MAX_MESSAGE_OUT);
        let message = (this.wrap)(Bytes::copy_from_slice(&bytes[..length]));
        Pin::new(&mut this.socket).start_send(message).map_err(this.fault)?;
        Poll::Ready(Ok(length))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        Pin::new(&mut this.socket).poll_flush(cx).map_err(this.fault)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        Pin::new(&mut this.socket).poll_close(cx).map_err(this.fault)
    }
}
