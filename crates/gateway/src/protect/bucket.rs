//! A token bucket.

use std::time::Duration;

/// Tokens that come back at a rate, up to a burst.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    rate: f64,
    burst: f64,
    tokens: f64,
    at: Duration,
}

impl Bucket {
    /// A full bucket; `rate` in tokens a second.
    pub(crate) fn new(rate: f64, burst: f64, now: Duration) -> Self {
        Self { rate, burst, tokens: burst, at: now }
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        let gained = now.saturating_sub(self.at).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + gained).min(self.burst);
        self.at = self.at.max(now);
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate() {
        let mut bucket = Bucket::new(40.0, 120.0, Duration::ZERO);
        let mut passed = |at: u64| (0..1000).filter(|_| bucket.take(Duration::from_millis(at))).count();
        assert_eq!(passed(0), 120);
        assert_eq!(passed(500), 20);
        assert_eq!(passed(400), 0, "a clock that goes back gives nothing");
        assert_eq!(passed(3_600_000), 120, "nothing is saved up beyond the burst");
    }
}
