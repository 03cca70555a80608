//! What the pool tells of besides answers.

use super::{CloseReason, RestartCause, SessionId};
use sidetone_session::Quality;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Something that happened in a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A session's or codec's instance failed; a fresh one takes its place. The call that died says the same to its caller.
    Restarted {
        /// Which session or codec.
        session: SessionId,
        /// Whose.
        tenant: Arc<str>,
        /// What ended the instance.
        cause: RestartCause,
        /// Frames lost by it.
        lost_frames: u32,
    },
    /// A session codes at another quality from its next frame on.
    Quality {
        /// Which session or codec.
        session: SessionId,
        /// Whose.
        tenant: Arc<str>,
        /// Before.
        from: Quality,
        /// After.
        to: Quality,
    },
    /// A worker took a step of the ladder. Sessions without a pin follow with their next frame.
    Ladder {
        /// Which worker.
        worker: usize,
        /// Its level now.
        level: Quality,
        /// Average latency of the last frames (queue and guest), which made it do so.
        average: Duration,
    },
    /// A session was closed, but not by its owner.
    Closed {
        /// Which session or codec.
        session: SessionId,
        /// Whose.
        tenant: Arc<str>,
        /// Why.
        reason: CloseReason,
    },
    /// A worker's thread panicked and was replaced.
    WorkerReplaced {
        /// Which worker.
        worker: usize,
    },
}

/// Takes events, on the worker's thread: return at once. (A panic here is a panic of the worker: survived, and
/// reported, at the price of one frame.)
#[derive(Clone)]
pub(crate) struct Sink(pub(crate) Arc<dyn Fn(&Event) + Send + Sync>);

impl Sink {
    pub(crate) fn tell(&self, event: &Event) {
        (self.0)(event);
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}
