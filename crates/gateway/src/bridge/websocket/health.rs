//! Whether the server was there lately.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Attempts in a row that must fail before the server is taken to be gone.
const FAILURES: u32 = 3;

/// How long a failure is news. After it a call may try again.
const NEWS: Duration = Duration::from_secs(30);

/// How the last attempts to connect went, of all calls.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<Failing>);

#[derive(Debug, Default)]
struct Failing {
    row: u32,
    last: Option<Instant>,
}

impl Health {
    /// A server answered our hello.
    pub(super) fn answered(&self) {
        *self.lock() = Failing::default();
    }

    /// It did not.
    pub(super) fn failed(&self, now: Instant) {
        let mut failing = self.lock();
        failing.row = failing.row.saturating_add(1);
        failing.last = Some(now);
    }

    pub(super) fn is_ready(&self, now: Instant) -> bool {
        let failing = self.lock();
        failing.row < FAILURES || failing.last.is_none_or(|last| now >= last + NEWS)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Failing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_fails_in_a_row_is_not_ready_until_that_is_old() {
        let (health, now) = (Health::default(), Instant::now());
        let later = now + NEWS;
        health.failed(now);
        health.failed(now);
        assert!(health.is_ready(now), "two calls may have bad luck");
        health.failed(now);
        assert!(!health.is_ready(now));
        assert!(health.is_ready(later), "somebody must try");
        health.failed(later);
        assert!(!health.is_ready(later));
        health.answered();
        assert!(health.is_ready(later));
    }
}
