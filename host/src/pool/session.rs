//! A session of a pool, as its owner holds it.

use super::handle::{Handle, show};
use super::reply::{Answer, Reply};
use super::tenant::Tenant;
use super::work::{StreamWork, Work};
use super::{CloseReason, PoolError, Shed};
use crate::{Error, Received, SendError, Stats};
use sidetone_opus::FrameDuration;
use sidetone_session::{Config, Quality, State};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A number for a session or codec, never used twice in a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}", self.0)
    }
}

/// What a session has done. The host's counts are of its whole life, the guest's since its last restart.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SessionStats {
    /// Counted in the guest.
    pub guest: Stats,
    /// Counted by the host.
    pub counts: SessionCounts,
    /// Quality in force.
    pub quality: Quality,
}

/// What the host counts of a session.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SessionCounts {
    /// Work that the guest was given and did.
    pub frames: u64,
    /// Work that the guest refused with a value.
    pub errors: u64,
    /// Frames made up for packets that never came.
    pub concealed: u64,
    /// Packets that shared keystream with another one.
    pub keystream_overlaps: u64,
    /// Average time of a frame in queue and guest, in ms.
    pub avg_ms: f64,
    /// Longest time of a frame in queue and guest, in ms.
    pub max_ms: f64,
    /// Instances that failed.
    pub restarts: u32,
    /// Frames lost by that.
    pub lost_frames: u64,
    /// Frames given up in the queue.
    pub shed: u64,
    /// Linear memory of the instance, in bytes.
    pub memory: u64,
}

/// The host's counts of a session, to be read at any time and without asking its worker; they outlive the session.
#[derive(Clone)]
pub struct SessionMeters(Arc<Meta>);

impl SessionMeters {
    /// Reads them.
    #[must_use]
    pub fn read(&self) -> SessionCounts {
        self.0.counts()
    }
}

impl fmt::Debug for SessionMeters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "meters of {}", self.0.id)
    }
}

/// What is known of the frames of something before it is opened.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// How long one may wait: in, out.
    pub(crate) worth: [Duration; 2],
    /// Samples of one to be sent, of all channels.
    pub(crate) samples: usize,
    /// Samples of a second to be sent, of all channels.
    pub(crate) second: usize,
}

impl Shape {
    pub(crate) const fn of(config: &Config) -> Self {
        let Config { incoming, outgoing, .. } = config;
        Self {
            worth: [lasts(incoming.frame), lasts(outgoing.frame)],
            samples: outgoing.frame_samples(),
            second: outgoing.rate.hz() as usize * outgoing.channels.count(),
        }
    }
}

const fn lasts(frame: FrameDuration) -> Duration {
    Duration::from_micros(frame.micros() as u64)
}

/// What a session or codec is known by on both sides of the queue.
pub(crate) struct Meta {
    pub(crate) id: SessionId,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) lane: usize,
    pub(crate) shape: Shape,
    pin: AtomicU8,
    /// Closed by the pool.
    pub(crate) ended: AtomicBool,
    pub(crate) restarts: AtomicU32,
    pub(crate) lost_frames: AtomicU64,
    pub(crate) shed: AtomicU64,
    pub(crate) memory: AtomicU64,
    pub(crate) frames: AtomicU64,
    pub(crate) errors: AtomicU64,
    pub(crate) concealed: AtomicU64,
    pub(crate) overlaps: AtomicU64,
    timed: AtomicU64,
    sum_nanos: AtomicU64,
    max_nanos: AtomicU64,
}

impl Meta {
    pub(crate) fn new(id: SessionId, tenant: Arc<Tenant>, lane: usize, shape: Shape) -> Self {
        Self {
            id,
            tenant,
            lane,
            shape,
            pin: AtomicU8::new(0),
            ended: AtomicBool::new(false),
            restarts: AtomicU32::new(0),
            lost_frames: AtomicU64::new(0),
            shed: AtomicU64::new(0),
            memory: AtomicU64::new(0),
            frames: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            concealed: AtomicU64::new(0),
            overlaps: AtomicU64::new(0),
            timed: AtomicU64::new(0),
            sum_nanos: AtomicU64::new(0),
            max_nanos: AtomicU64::new(0),
        }
    }

    /// What a frame took, queue and guest. Called by one thread at a time.
    pub(crate) fn record(&self, latency: Duration) {
        let nanos = latency.as_nanos() as u64;
        self.timed.store(self.timed.load(Relaxed) + 1, Relaxed);
        self.sum_nanos.store(self.sum_nanos.load(Relaxed).wrapping_add(nanos), Relaxed);
        if nanos > self.max_nanos.load(Relaxed) {
            self.max_nanos.store(nanos, Relaxed);
        }
    }

    pub(crate) fn counts(&self) -> SessionCounts {
        let timed = self.timed.load(Relaxed).max(1) as f64;
        SessionCounts {
            frames: self.frames.load(Relaxed),
            errors: self.errors.load(Relaxed),
            concealed: self.concealed.load(Relaxed),
            keystream_overlaps: self.overlaps.load(Relaxed),
            avg_ms: self.sum_nanos.load(Relaxed) as f64 / timed / 1e6,
            max_ms: self.max_nanos.load(Relaxed) as f64 / 1e6,
            restarts: self.restarts.load(Relaxed),
            lost_frames: self.lost_frames.load(Relaxed),
            shed: self.shed.load(Relaxed),
            memory: self.memory.load(Relaxed),
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
        self.tenant.shed.add(why.label());
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
pub struct PoolSession(pub(crate) Handle);

impl PoolSession {
    /// Takes one datagram in. It is dropped by value ([`PoolError::Guest`]) where it is bad.
    pub fn receive(&self, datagram: Vec<u8>) -> Reply<Received> {
        self.frame(|answer| StreamWork::Receive(datagram, answer))
    }

    /// Takes interleaved PCM, at most a second of it ([`SendError::TooLong`]), and returns the datagrams that it filled.
    /// `timestamp` is in ms. A quota counts the frames that it fills.
    pub fn send(&self, pcm: Vec<i16>, timestamp: u32) -> Reply<Vec<Vec<u8>>> {
        match self.frames_of(&pcm) {
            Ok(frames) => self.0.frames(frames, |answer| Work::Stream(StreamWork::Send(pcm, timestamp, answer))),
            Err(error) => Reply::known(Err(error)),
        }
    }

    /// As [`receive`](Self::receive), but blocks until the answer is there, and where nothing else waits for its worker
    /// does the frame on this thread: without the two wake-ups (some 80 µs) that [`Reply::wait`] costs. Not for the
    /// threads of an async runtime. On a thread with less than 768 KiB of stack left the worker does it all the same.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn blocking_receive(&self, datagram: Vec<u8>) -> Result<Received, PoolError> {
        self.0.call(|answer| Work::Stream(StreamWork::Receive(datagram, answer)))
    }

    /// As [`send`](Self::send), on this thread: see [`blocking_receive`](Self::blocking_receive).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn blocking_send(&self, pcm: Vec<i16>, timestamp: u32) -> Result<Vec<Vec<u8>>, PoolError> {
        let frames = self.frames_of(&pcm)?;
        self.0.call_frames(frames, |answer| Work::Stream(StreamWork::Send(pcm, timestamp, answer)))
    }

    /// Seals a payload made elsewhere.
    pub fn send_payload(&self, payload: Vec<u8>, timestamp: u32) -> Reply<Vec<u8>> {
        self.frame(|answer| StreamWork::SendPayload(payload, timestamp, answer))
    }

    /// Ends a talk spurt: returns the datagrams of the tail, filled up with silence.
    pub fn flush(&self, timestamp: u32) -> Reply<Vec<Vec<u8>>> {
        self.submit(|answer| StreamWork::Flush(timestamp, answer))
    }

    /// Drops what waits to be sent, in the queue (answered with [`Shed::Discarded`]) and in the guest: the speaker was
    /// interrupted.
    pub fn discard(&self) -> Reply<()> {
        self.0.worker.discard(&self.0.meta);
        self.submit(StreamWork::Discard)
    }

    /// Pins the quality, from the next frame on; `None` leaves it to the ladder again. The ladder never goes above the
    /// quality that the session was opened with; a pin may.
    pub fn set_quality(&self, pin: Option<Quality>) -> Reply<()> {
        self.submit(|answer| StreamWork::Pin(pin, answer))
    }

    /// Counters.
    pub fn stats(&self) -> Reply<SessionStats> {
        self.submit(StreamWork::Stats)
    }

    /// What the host counts of it, to be read without asking the worker.
    #[must_use]
    pub fn meters(&self) -> SessionMeters {
        SessionMeters(self.0.meta.clone())
    }

    /// What must survive a restart of the whole host: nonces and replay window, without the key. Read outside of the
    /// guest; true of what has left so far.
    pub fn state(&self) -> Reply<State> {
        self.submit(StreamWork::State)
    }

    /// Closes the session once what is queued was done: the guest zeroises its keys, the slot is free. The reply comes
    /// when that is so.
    pub fn close(self) -> Reply<()> {
        self.0.close()
    }

    /// Its number in the pool.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.0.meta.id
    }

    /// Name of its tenant.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.0.meta.tenant.name
    }

    /// The worker it lives on.
    #[must_use]
    pub fn worker(&self) -> usize {
        self.0.worker.index
    }

    /// Frames that PCM fills: at least one. More than a second of it would be a guest's work for longer than others may
    /// wait.
    fn frames_of(&self, pcm: &[i16]) -> Result<u32, PoolError> {
        let Shape { samples, second, .. } = self.0.meta.shape;
        if pcm.len() > second {
            return Err(Error::Send(SendError::TooLong { samples: pcm.len(), most: second }).into());
        }
        Ok(pcm.len().div_ceil(samples.max(1)).max(1) as u32)
    }

    fn frame<T>(&self, work: impl FnOnce(Answer<T>) -> StreamWork) -> Reply<T> {
        self.0.frame(|answer| Work::Stream(work(answer)))
    }

    fn submit<T>(&self, work: impl FnOnce(Answer<T>) -> StreamWork) -> Reply<T> {
        self.0.submit(|answer| Work::Stream(work(answer)))
    }
}

impl fmt::Debug for PoolSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "PoolSession", &self.0)
    }
}

/// What a caller hears of a session whose pool is gone.
pub(crate) const fn shut_down() -> PoolError {
    PoolError::Closed(CloseReason::ShutDown)
}
