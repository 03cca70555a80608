//! One end of a connection: the [engine](crate::engine) on a [`Stream`]. Everything here may be cancelled at any await
//! and called again: what is half done is kept in the link, not in the future.

use crate::engine::{End, Engine};
use crate::error::{ConnectionError, Fault};
use crate::packet::Incoming;
use crate::stream::Stream;
use mqtt_protocol_core::mqtt::connection::role::RoleType;
use mqtt_protocol_core::mqtt::packet::Packet;
use mqtt_protocol_core::mqtt::result_code::MqttError;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroize;

/// Bytes taken from the stream at a time. The space is on the stack, so that an idle connection holds none.
const READ: usize = 4096;

/// How long a peer may take to see our last words.
const FAREWELL: Duration = Duration::from_secs(1);

pub(crate) struct Link<R: RoleType> {
    pub(crate) engine: Engine<R>,
    stream: Stream,
    input: Input,
    /// Bytes of the engine's output that the stream has taken.
    written: usize,
    /// Until when all that is to be sent must have been taken; while there is something.
    send_deadline: Option<Instant>,
    send_timeout: Duration,
    /// How long a peer without keep-alive may be silent.
    silence: Option<Duration>,
    heard: Instant,
    end: Option<End>,
}

/// What has been read and not yet taken.
#[derive(Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    taken: usize,
}

impl Input {
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// Gives the memory back with the last byte.
    pub(crate) fn take(&mut self, length: usize) {
        self.taken += length;
        if self.taken >= self.bytes.len() {
            // A CONNECT holds a password.
            self.bytes.zeroize();
            *self = Self::default();
        }
    }

    /// Reads some more; 0 at the end of the stream.
    pub(crate) async fn read(&mut self, stream: &mut Stream) -> io::Result<usize> {
        poll_fn(|cx| {
            let mut space = [const { MaybeUninit::<u8>::uninit() }; READ];
            let mut space = ReadBuf::uninit(&mut space);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut space))?;
            self.bytes.extend_from_slice(space.filled());
            Poll::Ready(Ok(space.filled().len()))
        })
        .await
    }
}

impl<R: RoleType> Link<R> {
    pub(crate) fn new(
        engine: Engine<R>,
        stream: Stream,
        input: Input,
        send_timeout: Duration,
        silence: Option<Duration>,
    ) -> Self {
        let heard = Instant::now();
        Self { engine, stream, input, written: 0, send_deadline: None, send_timeout, silence, heard, end: None }
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The next packet. Whatever is to be sent goes first.
    pub(crate) async fn next(&mut self) -> Result<Incoming, ConnectionError> {
        loop {
            let flushed = self.flush().await;
            if let Some(end) = self.end {
                return Err(match end {
                    End::Fault(fault) => ConnectionError::Fault(fault.into()),
                    End::Silent => ConnectionError::Silent,
                });
            }
            flushed?;
            if !self.input.rest().is_empty() {
                let mut bytes = self.input.rest();
                let before = bytes.len();
                let fed = self.engine.feed(&mut bytes);
                let taken = before - bytes.len();
                self.input.take(taken);
                match fed {
                    Ok(None | Some(Incoming::Nothing)) => {}
                    Ok(Some(packet)) => return Ok(packet),
                    Err(end) => self.end = Some(end),
                }
                continue;
            }
            let idle = self.silence.and_then(|silence| self.heard.checked_add(silence));
            let deadline = self.engine.deadline().or(idle);
            let read = self.input.read(&mut self.stream);
            let read = match deadline {
                // The stream is asked before the clock is.
                Some(deadline) => timeout_at(deadline, read).await,
                None => Ok(read.await),
            };
            match read {
                Ok(Ok(0)) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(Ok(_)) => self.heard = Instant::now(),
                Ok(Err(error)) => return Err(error.into()),
                Err(_) if self.engine.deadline().is_some() => {
                    if let Err(end) = self.engine.tick(Instant::now()) {
                        self.end = Some(end);
                    }
                }
                Err(_) => self.end = Some(End::Silent),
            }
        }
    }

    /// Sends a packet, after what is still to be sent.
    pub(crate) async fn send(&mut self, packet: Packet) -> Result<(), ConnectionError> {
        self.flush().await?;
        self.push(packet)?;
        self.flush().await
    }

    /// Puts a packet into the queue of what is to be sent.
    pub(crate) fn push(&mut self, packet: Packet) -> Result<(), ConnectionError> {
        use mqtt_protocol_core::mqtt::packet::GenericPacketTrait;
        let size = packet.size();
        self.engine.send(packet).map_err(|error| match error {
            MqttError::PacketTooLarge => ConnectionError::TooLarge(size),
            error => Fault::from(error).into(),
        })
    }

    /// Ends the connection for what the peer has done, once what is to be sent has been.
    pub(crate) fn fail(&mut self, error: MqttError) {
        self.end = Some(End::Fault(error));
    }

    /// Sends what is to be sent, within the deadline.
    pub(crate) async fn flush(&mut self) -> Result<(), ConnectionError> {
        if self.engine.out().is_empty() {
            return Ok(());
        }
        let deadline = match self.send_deadline {
            Some(deadline) => deadline,
            None => Instant::now() + self.send_timeout,
        };
        self.send_deadline = Some(deadline);
        match timeout_at(deadline, poll_fn(|cx| self.poll_write(cx))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(ConnectionError::SlowReader(self.send_timeout)),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.engine.out().len() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.engine.out()[self.written..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.engine.sent();
        self.written = 0;
        self.send_deadline = None;
        Poll::Ready(Ok(()))
    }

    /// Sends what is left, closes our direction, and waits a moment for the peer to close its own, so that our last
    /// words are not lost with what it has sent meanwhile.
    pub(crate) async fn close(mut self) {
        let _ = timeout(self.send_timeout, self.flush()).await;
        let farewell = async {
            poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await?;
            let mut rest = Input::default();
            while rest.read(&mut self.stream).await? > 0 {
                rest = Input::default();
            }
            io::Result::Ok(())
        };
        // Whatever goes wrong here, the stream is dropped.
        let _ = timeout(FAREWELL, farewell).await;
    }
}

/// Whether the error says no more than that the peer is gone.
pub(crate) fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | TimedOut | UnexpectedEof)
}
