//! Connections: how many, and how long each may dawdle.

use super::stopped;
use crate::counters::Counters;
use crate::protect::{Places, Seldom};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// Connections at a time, and of one source: whoever asks whether the gateway lives should not be kept out by another.
/// Who comes beyond is turned away at once, rather than left to wait.
const CONNECTIONS: usize = 128;
const OF_ONE_SOURCE: usize = 96;

/// How long a request's head may take, from the last answer on.
const HEAD: Duration = Duration::from_secs(10);

/// How long a reader may take nothing of an answer.
const STUCK: Duration = Duration::from_secs(20);

/// How long after an error of the listener it is asked again.
const PAUSE: Duration = Duration::from_millis(50);

/// The largest head of a request.
const LARGEST_HEAD: usize = 16 << 10;

static TURNED_AWAY: Seldom = Seldom::new();
static NOT_ACCEPTED: Seldom = Seldom::new();

/// Serves until `stop` says so; then answers what was asked.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    counters: Arc<Counters>,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Places::new(CONNECTIONS, OF_ONE_SOURCE));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, peer)) => match places.take(peer.ip()) {
                Ok(place) => {
                    let (router, stop) = (router.clone(), stop.clone());
                    connections.spawn(async move {
                        connection(stream, router, stop).await;
                        drop(place);
                    });
                }
                Err(full) => {
                    counters.totals.connections_refused.add(1);
                    if let Some(times) = TURNED_AWAY.times() {
                        tracing::warn!(%peer, %full, times, "too many HTTP connections: one was turned away");
                    }
                }
            },
            Err(error) => {
                if let Some(times) = NOT_ACCEPTED.times() {
                    tracing::warn!(%error, times, "HTTP connections cannot be accepted");
                }
                sleep(PAUSE).await;
            }
        }
    }
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: TcpStream, router: Router, mut stop: watch::Receiver<bool>) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(Impatient::new(stream)), TowerToHyperService::new(router));
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = &mut served => ended,
        () = stopped(&mut stop) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection broke");
    }
}

/// A stream that breaks where its peer takes nothing for [`STUCK`].
struct Impatient {
    stream: TcpStream,
    until: Pin<Box<Sleep>>,
    stuck: bool,
}

impl Impatient {
    fn new(stream: TcpStream) -> Self {
        Self { stream, until: Box::pin(sleep_until(Instant::now())), stuck: false }
    }

    fn judge<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stuck = false;
            return written;
        }
        if !self.stuck {
            self.stuck = true;
            self.until.as_mut().reset(Instant::now() + STUCK);
        }
        match self.until.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Impatient {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.judge(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.judge(context, shut)
    }
}
