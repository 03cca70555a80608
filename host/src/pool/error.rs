//! What the pool refuses, sheds or lost.

use crate::{Cause, Error};
use std::time::Duration;
use thiserror::Error;

/// Why a call on a pool, or on a session or codec of it, failed. Only [`Closed`](Self::Closed) ends the session.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PoolError {
    /// The tenant is over its quota. The work was not queued; the session is as it was.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nobody told the pool of this tenant.
    #[error("tenant {0:?} is unknown: name it with Builder::tenant or Pool::set_quota")]
    UnknownTenant(String),
    /// Every slot of the pool is taken.
    #[error("all {instances} instances of the pool are in use")]
    Busy {
        /// Slots of the pool.
        instances: u32,
    },
    /// The machine does not give what a further instance needs: memory, or memory maps.
    #[error("the machine has no room for a further instance (memory, or vm.max_map_count): {why}")]
    Exhausted {
        /// In wasmtime's words.
        why: String,
    },
    /// The work was given up before it reached the guest; the session is as it was.
    #[error("shed after {waited:?} in the queue: {why}")]
    Shed {
        /// Time in the queue.
        waited: Duration,
        /// What made it go.
        why: Shed,
    },
    /// The session's instance failed and was, or is being, replaced by a fresh one, with the same key, nonces and replay
    /// window. What this call should have done is lost. The next call finds the session open.
    #[error("the session was restarted: {cause}; {lost_frames} frame(s) lost")]
    Restarted {
        /// What ended the instance.
        cause: RestartCause,
        /// Frames that this session lost by it.
        lost_frames: u32,
    },
    /// The session fails again and again, and waits before it is opened anew.
    #[error("the session restarts too often; it is opened again in {retry_in:?}")]
    BackingOff {
        /// Time until the next attempt.
        retry_in: Duration,
    },
    /// The session is over.
    #[error("the session is closed: {0}")]
    Closed(CloseReason),
    /// A value from the guest: a datagram it dropped, a setting it refused. Harms nothing.
    #[error(transparent)]
    Guest(#[from] Error),
    /// The worker failed while it held this call; see [`RestartCause::HostPanic`].
    #[error("the worker failed while it held this call")]
    Lost,
    /// The pool could not be built.
    #[error("the pool does not start: {0}")]
    Start(String),
}

impl PoolError {
    /// Whether the session takes no further calls.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

/// A quota that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Sessions.
    #[error("the tenant has its {limit} sessions open")]
    Sessions {
        /// The quota.
        limit: u32,
    },
    /// Frames.
    #[error("the tenant is above its {limit} frames/s")]
    Frames {
        /// The quota, in frames a second.
        limit: u32,
    },
    /// CPU.
    #[error("the tenant's guests took more than {limit:?} of CPU a second")]
    Cpu {
        /// The quota, in time a second.
        limit: Duration,
    },
}

impl Refusal {
    /// All its words.
    pub const LABELS: [&'static str; 3] = ["sessions", "frames", "cpu"];

    /// A word for it, for metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Sessions { .. } => "sessions",
            Self::Frames { .. } => "frames",
            Self::Cpu { .. } => "cpu",
        }
    }
}

/// Why work was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Shed {
    /// It waited longer than its frame is worth.
    #[error("its frame is too old to be of use")]
    Stale,
    /// The session's queue was full, and this was the oldest.
    #[error("the session's queue is full")]
    SessionQueue,
    /// The worker's queue was full, and this was the oldest of the tenant that fills it most.
    #[error("the worker's queue is full")]
    WorkerQueue,
    /// The speaker was interrupted.
    #[error("it was discarded")]
    Discarded,
}

impl Shed {
    /// All its words.
    pub const LABELS: [&'static str; 4] = ["stale", "session_queue", "worker_queue", "discarded"];

    /// A word for it, for metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::SessionQueue => "session_queue",
            Self::WorkerQueue => "worker_queue",
            Self::Discarded => "discarded",
        }
    }
}

/// What ended an instance.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RestartCause {
    /// The guest did.
    #[error("{0}")]
    Guest(#[from] Cause),
    /// The host panicked on the session's worker while it served this session.
    #[error("the host panicked")]
    HostPanic,
}

impl RestartCause {
    /// A word for it, for metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Guest(Cause::Deadline(_)) => "deadline",
            Self::Guest(Cause::Memory { .. }) => "memory",
            Self::Guest(Cause::StackOverflow) => "stack_overflow",
            Self::Guest(Cause::Trap(_)) => "trap",
            Self::Guest(Cause::BrokenReturn(_)) => "broken_return",
            Self::HostPanic => "host_panic",
        }
    }
}

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// Its owner closed it.
    #[error("by its owner")]
    Asked,
    /// It failed again and again; this is the last cause.
    #[error("it restarted {restarts} times in a short time, last because {cause}")]
    Storm {
        /// What ended the last instance.
        cause: RestartCause,
        /// Failures within the window of the policy.
        restarts: u32,
    },
    /// The guest refused to open it again.
    #[error("it could not be opened again: {0}")]
    Refused(Error),
    /// The pool was shut down.
    #[error("the pool was shut down")]
    ShutDown,
}

impl CloseReason {
    /// A word for it, for metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Storm { .. } => "storm",
            Self::Refused(_) => "refused",
            Self::ShutDown => "shut_down",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_among_all_words() {
        let refusals =
            [Refusal::Sessions { limit: 1 }, Refusal::Frames { limit: 1 }, Refusal::Cpu { limit: Duration::ZERO }];
        assert_eq!(refusals.map(|refusal| refusal.label()), Refusal::LABELS);
        let sheds = [Shed::Stale, Shed::SessionQueue, Shed::WorkerQueue, Shed::Discarded];
        assert_eq!(sheds.map(|shed| shed.label()), Shed::LABELS);
    }
}
