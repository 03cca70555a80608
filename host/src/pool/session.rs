//! A session of a pool, as its owner holds it.

use super::reply::Reply;
use super::tenant::Tenant;
use super::work::Work;
use super::worker::Worker;
use super::{CloseReason, PoolError, Shed};
use crate::{Received, Stats};
use sidetone_session::{Config, Quality, State};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A number for a session, never used twice in a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}", self.0)
    }
}

/// What a session has done. The host's counts are of its whole life, the guest's since its last restart.
#[derive(Debug, Clone, Copy)]
pub struct SessionStats {
    /// Counted in the guest.
    pub guest: Stats,
    /// Instances that failed.
    pub restarts: u32,
    /// Frames lost by that.
    pub lost_frames: u64,
    /// Frames given up in the queue.
    pub shed: u64,
    /// Linear memory of the instance, in bytes.
    pub memory: u64,
    /// Quality in force.
    pub quality: Quality,
}

/// What a session is known by on both sides of the queue.
pub(crate) struct Meta {
    pub(crate) id: SessionId,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) lane: usize,
    /// How long a frame may wait: in, out.
    pub(crate) worth: [Duration; 2],
    pin: AtomicU8,
    pub(crate) restarts: AtomicU32,
    pub(crate) lost_frames: AtomicU64,
    pub(crate) shed: AtomicU64,
    pub(crate) memory: AtomicU64,
}

impl Meta {
    pub(crate) fn new(
        id: SessionId,
        tenant: Arc<Tenant>,
        lane: usize,
        config: &Config,
        wait: Option<Duration>,
    ) -> Self {
        let worth = |micros: u32| wait.unwrap_or(Duration::from_micros(micros.into()));
        Self {
            id,
            tenant,
            lane,
            worth: [worth(config.incoming.frame.micros()), worth(config.outgoing.frame.micros())],
            pin: AtomicU8::new(0),
            restarts: AtomicU32::new(0),
            lost_frames: AtomicU64::new(0),
            shed: AtomicU64::new(0),
            memory: AtomicU64::new(0),
        }
    }

    pub(crate) fn pin(&self) -> Option<Quality> {
        let place = usize::from(self.pin.load(Relaxed));
        Quality::ALL.get(place.checked_sub(1)?).copied()
    }

    pub(crate) fn set_pin(&self, pin: Option<Quality>) {
        let place = pin.and_then(|pin| Quality::ALL.iter().position(|&quality| quality == pin));
        self.pin.store(place.map_or(0, |place| place as u8 + 1), Relaxed);
    }

    /// Counts a frame that was given up, and says so to its caller.
    pub(crate) fn shed(&self, work: Work, waited: Duration, why: Shed) {
        self.tenant.shed.add(1);
        self.shed.fetch_add(1, Relaxed);
        work.refuse(PoolError::Shed { waited, why });
    }
}

/// One device's voice stream, in an instance of its own on one worker of a pool.
///
/// Every method queues its work at once and returns a [`Reply`]: await it, or [`wait`](Reply::wait) for it. Work of one
/// session is done in the order of the calls. Where the queue is full, its oldest frame is given up.
///
/// A failure of the guest costs the call that met it ([`PoolError::Restarted`]) and nothing else: the next call finds
/// the session open, with its key, nonces, replay window and place in the stream. What is gone with the instance is the
/// codecs' memory of the last frames, which sounds like a short loss, PCM that did not fill a frame, and the guest's
/// counters.
///
/// Dropping it closes the session once what is queued was done.
pub struct PoolSession {
    pub(crate) meta: Arc<Meta>,
    pub(crate) worker: Arc<Worker>,
    pub(crate) closed: bool,
}

impl PoolSession {
    /// Takes one datagram in. It is dropped by value ([`PoolError::Guest`]) where it is bad.
    pub fn receive(&self, datagram: Vec<u8>) -> Reply<Received> {
        self.submit(|answer| Work::Receive(datagram, answer))
    }

    /// Takes interleaved PCM of any length and returns the datagrams that it filled. `timestamp` is in ms.
    pub fn send(&self, pcm: Vec<i16>, timestamp: u32) -> Reply<Vec<Vec<u8>>> {
        self.submit(|answer| Work::Send(pcm, timestamp, answer))
    }

    /// Seals a payload made elsewhere.
    pub fn send_payload(&self, payload: Vec<u8>, timestamp: u32) -> Reply<Vec<u8>> {
        self.submit(|answer| Work::SendPayload(payload, timestamp, answer))
    }

    /// Ends a talk spurt: returns the datagrams of the tail, filled up with silence.
    pub fn flush(&self, timestamp: u32) -> Reply<Vec<Vec<u8>>> {
        self.submit(|answer| Work::Flush(timestamp, answer))
    }

    /// Drops what waits to be sent, in the queue (answered with [`Shed::Discarded`]) and in the guest: the speaker was
    /// interrupted.
    pub fn discard(&self) -> Reply<()> {
        self.worker.discard(&self.meta);
        self.submit(Work::Discard)
    }

    /// Pins the quality, from the next frame on; `None` leaves it to the ladder again. The ladder never goes above the
    /// quality that the session was opened with; a pin may.
    pub fn set_quality(&self, pin: Option<Quality>) -> Reply<()> {
        self.submit(|answer| Work::Pin(pin, answer))
    }

    /// Counters.
    pub fn stats(&self) -> Reply<SessionStats> {
        self.submit(Work::Stats)
    }

    /// What must survive a restart of the whole host: nonces and replay window, without the key. Read outside of the
    /// guest; true of what has left so far.
    pub fn state(&self) -> Reply<State> {
        self.submit(Work::State)
    }

    /// Closes the session once what is queued was done: the guest zeroises its keys, the slot is free. The reply comes
    /// when that is so.
    pub fn close(mut self) -> Reply<()> {
        self.closed = true;
        self.submit(|answer| Work::Close(Some(answer)))
    }

    /// Its number in the pool.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.meta.id
    }

    /// Name of its tenant.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.meta.tenant.name
    }

    /// The worker it lives on.
    #[must_use]
    pub fn worker(&self) -> usize {
        self.worker.index
    }

    fn submit<T>(&self, work: impl FnOnce(super::reply::Answer<T>) -> Work) -> Reply<T> {
        let (answer, reply) = Reply::pair();
        self.worker.submit(&self.meta, work(answer));
        reply
    }
}

impl Drop for PoolSession {
    fn drop(&mut self) {
        if !self.closed {
            self.worker.submit(&self.meta, Work::Close(None));
        }
    }
}

impl fmt::Debug for PoolSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolSession")
            .field("id", &self.meta.id)
            .field("tenant", &self.tenant())
            .field("worker", &self.worker.index)
            .finish_non_exhaustive()
    }
}

/// What a caller hears of a session whose pool is gone.
pub(crate) const fn shut_down() -> PoolError {
    PoolError::Closed(CloseReason::ShutDown)
}
