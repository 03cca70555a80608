//! A stream of bytes of whatever kind: TCP, TLS, MQTT over WebSocket, or one of the caller's.

use crate::messages::{Frame, Messages};
use bytes::Bytes;
use futures_util::{Sink, Stream as Messaging};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

/// What can be read from and written to.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A stream of bytes that MQTT is spoken over.
pub struct Stream {
    kind: Kind,
    peer: Option<SocketAddr>,
    local: Option<SocketAddr>,
}

enum Kind {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    WebSocket(Box<dyn Duplex>),
    Other(Box<dyn Duplex>),
}

impl Stream {
    /// Any other stream of bytes.
    pub fn new(stream: impl Duplex + 'static) -> Self {
        Self { kind: Kind::Other(Box::new(stream)), peer: None, local: None }
    }

    /// A WebSocket that has been upgraded already, by any library.
    ///
    /// `open` says what a message of that library is, `wrap` makes a binary message. The caller has seen to it that the
    /// subprotocol `mqtt` was agreed, and that messages are bounded in size and buffers small. With axum:
    ///
    /// ```ignore
    /// upgrade.protocols(["mqtt"]).max_message_size(256 << 10).read_buffer_size(4096).write_buffer_size(0)
    ///     .on_upgrade(|socket| async move {
    ///         let stream = Stream::from_websocket(socket, |message| match message {
    ///             Message::Binary(bytes) => Frame::Binary(bytes),
    ///             Message::Text(_) => Frame::Text,
    ///             Message::Ping(_) | Message::Pong(_) => Frame::Control,
    ///             Message::Close(_) => Frame::Close,
    ///         }, Message::Binary);
    ///     })
    /// ```
    pub fn from_websocket<S, M, E>(socket: S, open: fn(M) -> Frame, wrap: fn(Bytes) -> M) -> Self
    where
        S: Messaging<Item = Result<M, E>> + Sink<M, Error = E> + Send + Unpin + 'static,
        M: 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        Self::websocket(Messages::new(socket, open, wrap, |error: E| io::Error::other(error)))
    }

    pub(crate) fn websocket(messages: impl Duplex + 'static) -> Self {
        Self { kind: Kind::WebSocket(Box::new(messages)), peer: None, local: None }
    }

    /// The same stream, with the peer's address to show.
    #[must_use]
    pub fn with_peer(mut self, peer: Option<SocketAddr>) -> Self {
        self.peer = peer;
        self
    }

    /// The same stream, with the address of ours that the peer reached.
    #[must_use]
    pub fn with_local(mut self, local: Option<SocketAddr>) -> Self {
        self.local = local;
        self
    }

    /// The address of ours that the peer reached, where it is known.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local
    }

    /// The peer's address, where it is known.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// What it goes over: `tcp`, `tls`, `websocket` or `other`.
    pub fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Tcp(_) => "tcp",
            Kind::Tls(_) => "tls",
            Kind::WebSocket(_) => "websocket",
            Kind::Other(_) => "other",
        }
    }

    fn inner(&mut self) -> Pin<&mut dyn Duplex> {
        match &mut self.kind {
            Kind::Tcp(stream) => Pin::new(stream),
            Kind::Tls(stream) => Pin::new(&mut **stream),
            Kind::WebSocket(stream) | Kind::Other(stream) => Pin::new(&mut **stream),
        }
    }
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        // Only of use when it can be shown; a socket that has gone meanwhile has none.
        let (peer, local) = (stream.peer_addr().ok(), stream.local_addr().ok());
        Self { kind: Kind::Tcp(stream), peer, local }
    }
}

impl From<TlsStream<TcpStream>> for Stream {
    fn from(stream: TlsStream<TcpStream>) -> Self {
        let tcp = stream.get_ref().0;
        let (peer, local) = (tcp.peer_addr().ok(), tcp.local_addr().ok());
        Self { kind: Kind::Tls(Box::new(stream)), peer, local }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("kind", &self.kind()).field("peer", &self.peer).finish()
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.get_mut().inner().poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().inner().poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().inner().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().inner().poll_shutdown(cx)
    }
}
