//! What a tenant may use, and the token buckets that count it.

use sidetone_session::Quality;
use std::time::Duration;

/// What a tenant may use. `None` and 0 mean: as much as the pool has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quota {
    /// Sessions open at a time; codecs count as such, and so does each instance that the packet functions keep (at most
    /// one a worker).
    pub sessions: Option<u32>,
    /// Frames, packets and jobs a second, all sessions together; bursts of one second's worth pass.
    pub frames_per_second: Option<u32>,
    /// Time of guests in a second of time, all workers together. Measured as the time a call takes on its worker's
    /// thread: on an overloaded machine that is more than CPU time.
    pub cpu_per_second: Option<Duration>,
    /// Memory of an instance, in bytes; the pool's slot size bounds it besides.
    pub memory: Option<usize>,
    /// Longest time of an operation.
    pub deadline: Option<Duration>,
    /// Longest time of opening a session.
    pub init_deadline: Option<Duration>,
    /// Quality of all sessions, whatever the load.
    pub pin: Option<Quality>,
}

impl Quota {
    /// No bounds but the pool's.
    pub const UNLIMITED: Self = Self {
        sessions: None,
        frames_per_second: None,
        cpu_per_second: None,
        memory: None,
        deadline: None,
        init_deadline: None,
        pin: None,
    };
}

/// Tokens that come back at `rate` a second, at most one second's worth of them.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: f64,
    tokens: f64,
    at: Duration,
}

impl Bucket {
    pub(crate) const fn new(rate: f64, now: Duration) -> Self {
        Self { rate, tokens: rate, at: now }
    }

    fn refill(&mut self, now: Duration) {
        // A clock that went back gives nothing; one that leapt forward no more than a second's worth.
        self.tokens = (self.tokens + now.saturating_sub(self.at).as_secs_f64() * self.rate).min(self.rate);
        self.at = now;
    }

    /// Takes one token, if there is one.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        self.refill(now);
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }

    /// Whether there is anything left.
    pub(crate) fn has_any(&mut self, now: Duration) -> bool {
        self.refill(now);
        self.tokens > 0.0
    }

    /// Takes tokens that were used; more than there were is a debt of at most one second.
    pub(crate) fn charge(&mut self, tokens: f64) {
        self.tokens = (self.tokens - tokens).max(-self.rate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holds_the_rate_and_no_more() {
        let mut bucket = Bucket::new(50.0, Duration::ZERO);
        assert_eq!((0..2500).filter(|_| bucket.take(Duration::ZERO)).count(), 50);
        assert_eq!((0..2500).filter(|_| bucket.take(Duration::from_millis(500))).count(), 25);
        let hour = Duration::from_secs(3600);
        assert_eq!((0..2500).filter(|_| bucket.take(hour)).count(), 50, "nothing is saved up");
        assert!(!bucket.take(Duration::ZERO), "a clock that goes back gives nothing");
    }

    #[test]
    fn a_debt_is_paid_before_there_is_more() {
        let mut bucket = Bucket::new(0.1, Duration::ZERO);
        bucket.charge(0.15);
        assert!(!bucket.has_any(Duration::from_millis(400)));
        assert!(bucket.has_any(Duration::from_millis(600)));
    }
}
