//! Whether a connection of datagrams is still of use.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How long a connection that carries nothing in either direction is kept. Longer than a call that carries nothing.
const IDLE: Duration = Duration::from_secs(150);

/// When a connection carried something last.
pub(super) struct Traffic {
    start: Instant,
    /// Milliseconds since then.
    last: AtomicU64,
}

impl Traffic {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), last: AtomicU64::new(0) }
    }

    pub(super) fn carried(&self) {
        self.last.store(self.start.elapsed().as_millis() as u64, Relaxed);
    }

    /// Waits until nothing was carried for long.
    pub(super) async fn over(&self) {
        loop {
            let end = self.start + Duration::from_millis(self.last.load(Relaxed)) + IDLE;
            if end <= Instant::now() {
                return;
            }
            sleep_until(end).await;
        }
    }
}
