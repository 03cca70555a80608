//! Doing something so many times a second.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The most that is done without letting others have their turn.
const MOST: u64 = 500;

/// Keeps to a rate. What was missed is not made up for beyond [`MOST`] at a time.
pub(super) struct Pace {
    rate: u64,
    since: Instant,
    done: u64,
}

impl Pace {
    pub(super) fn new(rate: u32) -> Self {
        Self { rate: rate.into(), since: Instant::now(), done: 0 }
    }

    /// Waits until it is time again; returns how many are due.
    pub(super) async fn due(&mut self) -> u64 {
        loop {
            let owed = (self.since.elapsed().as_micros() as u64).saturating_mul(self.rate) / 1_000_000;
            let due = owed.saturating_sub(self.done);
            if due > 0 {
                self.done = owed;
                return due.min(MOST);
            }
            let next = (self.done + 1) * 1_000_000 / self.rate;
            let wait = Duration::from_micros(next).saturating_sub(self.since.elapsed());
            sleep(wait.max(Duration::from_millis(1))).await;
        }
    }
}
