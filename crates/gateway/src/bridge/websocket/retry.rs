//! When to try again, and when no more. Sans-IO.

use sidetone_protocol::device::Reconnect;
use std::time::Duration;

/// Waits between attempts.
const WAITS: Reconnect = Reconnect { first: Duration::from_millis(250), most: Duration::from_secs(4), jitter: true };

/// How long a connection must last for the failures before it to be forgotten.
const STABLE: Duration = Duration::from_secs(30);

/// Connections that a call may lose in a row, each before it was stable.
const LOSSES: u32 = 6;

/// How long a call waits for a server that never answered, and for one that did before.
const PATIENCE: [Duration; 2] = [Duration::from_secs(6), Duration::from_secs(15)];

/// How long a server may be away before the user is told.
const UNNOTICED: Duration = Duration::from_secs(2);

/// One call's patience. Times are since any fixed moment.
#[derive(Debug)]
pub(super) struct Retry {
    /// Since when there is no server.
    away_since: Duration,
    answered_at: Option<Duration>,
    attempts: u32,
    losses: u32,
}

impl Retry {
    pub(super) const fn new(now: Duration) -> Self {
        Self { away_since: now, answered_at: None, attempts: 0, losses: 0 }
    }

    /// The server answered our hello.
    pub(super) fn answered(&mut self, now: Duration) {
        self.answered_at = Some(now);
        self.attempts = 0;
    }

    /// The connection is gone.
    pub(super) fn lost(&mut self, now: Duration) {
        if let Some(at) = self.answered_at
            && at >= self.away_since
        {
            self.losses = if now.saturating_sub(at) >= STABLE { 1 } else { self.losses + 1 };
            self.away_since = now;
        }
    }

    /// How long to wait before the next attempt; `None`: give up. `random` scatters the calls of a server that went.
    pub(super) fn wait(&mut self, now: Duration, random: u64) -> Option<Duration> {
        let patience = PATIENCE[usize::from(self.answered_at.is_some())];
        if self.losses > LOSSES || now >= self.away_since + patience {
            return None;
        }
        self.attempts = self.attempts.saturating_add(1);
        Some(WAITS.delay(self.attempts, random).min(self.away_since + patience - now))
    }

    /// When the user is to be told that the server is away.
    pub(super) fn tell_at(&self) -> Duration {
        self.away_since + UNNOTICED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn waits_double_up_to_a_bound_and_end() {
        let mut retry = Retry::new(at(0));
        let waits: Vec<_> = (0..6).map(|_| retry.wait(at(0), u64::MAX).unwrap()).collect();
        assert_eq!(waits, [250, 500, 1_000, 2_000, 4_000, 4_000].map(at));
        assert_eq!(Retry::new(at(0)).wait(at(0), 0), Some(at(125)));
        assert_eq!(retry.wait(at(5_990), u64::MAX), Some(at(10)), "the last attempt is at the end of patience");
        assert_eq!(retry.wait(at(6_000), 0), None);
    }

    #[test]
    fn a_server_that_answered_is_waited_for_longer() {
        let mut retry = Retry::new(at(0));
        retry.answered(at(100));
        retry.lost(at(60_000));
        assert_eq!(retry.tell_at(), at(62_000));
        assert_eq!(retry.wait(at(60_000), u64::MAX), Some(at(250)));
        retry.lost(at(61_000));
        assert_eq!(retry.tell_at(), at(62_000), "a connection without an answer changes nothing");
        assert!(retry.wait(at(74_999), 0).is_some());
        assert_eq!(retry.wait(at(75_000), 0), None);
    }

    #[test]
    fn a_server_that_drops_everything_at_once_is_given_up() {
        let mut retry = Retry::new(at(0));
        let drop_after = |retry: &mut Retry, from: u64, lasting: u64| {
            retry.answered(at(from));
            retry.lost(at(from + lasting));
            retry.wait(at(from + lasting), 0).is_some()
        };
        assert!((0..6).all(|n| drop_after(&mut retry, n * 1_000, 1_000)));
        assert!(!drop_after(&mut retry, 6_000, 1_000));
        let mut retry = Retry::new(at(0));
        assert!((0..20).all(|n| drop_after(&mut retry, n * 30_000, 30_000)), "half a minute of service is service");
    }
}
