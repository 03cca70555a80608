//! Trying again: later each time, and not all at once.

use sidetone_protocol::device::Reconnect;
use std::time::Duration;
use tokio::time::sleep;

/// Waits between attempts.
#[derive(Debug)]
pub(crate) struct Retry {
    waits: Reconnect,
    failures: u32,
}

impl Retry {
    /// From half a second up to five: a broker that is restarted is back by then.
    pub(crate) const SOON: Self = Self {
        waits: Reconnect { first: Duration::from_millis(500), most: Duration::from_secs(5), jitter: true },
        failures: 0,
    };

    /// Waits after one more failure.
    pub(crate) async fn wait(&mut self) {
        self.failures = self.failures.saturating_add(1);
        sleep(self.waits.delay(self.failures, random())).await;
    }
}

/// Any number. Without a random source, all wait equally long.
pub(crate) fn random() -> u64 {
    getrandom::u64().unwrap_or(u64::MAX)
}
