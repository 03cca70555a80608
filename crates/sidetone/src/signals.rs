//! What the system asks of a running service.

use anyhow::{Context, Result};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Read the configuration anew.
    Reload,
    /// End: Ctrl-C.
    Interrupt,
    /// End: a polite kill.
    Terminate,
}

impl Asked {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Reload => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }

    /// The exit code where it is obeyed at once, as shells have it.
    pub(crate) const fn code(self) -> i32 {
        match self {
            Self::Reload => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// The signals of this process.
#[cfg(unix)]
pub(crate) struct Signals {
    hangup: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let take = |kind| signal(kind).context("cannot take charge of signals");
        Ok(Self {
            hangup: take(SignalKind::hangup())?,
            interrupt: take(SignalKind::interrupt())?,
            terminate: take(SignalKind::terminate())?,
        })
    }

    /// The next signal. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.hangup.recv() => Asked::Reload,
            _ = self.interrupt.recv() => Asked::Interrupt,
            _ = self.terminate.recv() => Asked::Terminate,
        }
    }
}

/// Where there is nothing but Ctrl-C.
#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self)
    }

    /// The next Ctrl-C. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Asked {
        if let Err(error) = tokio::signal::ctrl_c().await.context("cannot take charge of Ctrl-C") {
            tracing::error!("{error:#}");
            std::future::pending::<()>().await;
        }
        Asked::Interrupt
    }
}

impl Signals {
    /// The next signal that asks for the end. Cancel-safe.
    pub(crate) async fn end(&mut self) -> Asked {
        loop {
            match self.next().await {
                Asked::Reload => {}
                asked => return asked,
            }
        }
    }
}
