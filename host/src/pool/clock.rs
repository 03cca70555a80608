//! Where the pool's time and randomness come from: injected, so that tests decide both.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A source of time. Never asked for the time of day: a clock that is set back or forward moves nothing here.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Clock {
    /// The machine's monotonic clock.
    #[must_use]
    pub fn monotonic() -> Self {
        let start = Instant::now();
        Self::new(move || start.elapsed())
    }

    /// A clock of the caller's: time since any fixed moment. Read two or three times a frame.
    pub fn new(now: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> Duration {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// A source of jitter. Nothing secret is made from it.
#[derive(Clone)]
pub struct Jitter(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Jitter {
    /// Random, from the keys of the standard library's hash maps.
    #[must_use]
    pub fn random() -> Self {
        let state = RandomState::new();
        let count = std::sync::atomic::AtomicU64::new(0);
        Self::new(move || state.hash_one(count.fetch_add(1, std::sync::atomic::Ordering::Relaxed)))
    }

    /// Numbers of the caller's; all 64 bits are used.
    pub fn new(next: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(next))
    }

    pub(crate) fn next(&self) -> u64 {
        (self.0)()
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jitter")
    }
}
