//! When a session that failed may be opened again. A state machine; time and randomness are arguments.

use std::collections::VecDeque;
use std::time::Duration;

/// How often a session may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartPolicy {
    /// Wait before the second restart of a window; doubles with each further one. The first comes at once.
    pub base: Duration,
    /// Longest wait.
    pub cap: Duration,
    /// Failures within `window` at which the session is closed. At least 1.
    pub limit: u32,
    /// How long a failure counts.
    pub window: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self { base: Duration::from_millis(20), cap: Duration::from_secs(2), limit: 8, window: Duration::from_secs(10) }
    }
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Now,
    At(Duration),
    GiveUp { restarts: u32 },
}

/// The failures of one session.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: VecDeque<Duration>,
}

impl Backoff {
    /// Takes note of a failure at `now`. `random` picks a wait between half and the whole of what the policy says.
    pub(crate) fn failed(&mut self, policy: &RestartPolicy, now: Duration, random: u64) -> Verdict {
        while self.failures.front().is_some_and(|&at| now.saturating_sub(at) > policy.window) {
            self.failures.pop_front();
        }
        self.failures.push_back(now);
        let count = self.failures.len() as u32;
        if count >= policy.limit.max(1) {
            return Verdict::GiveUp { restarts: count };
        }
        let Some(doublings) = count.checked_sub(2) else { return Verdict::Now };
        let whole = policy.base.saturating_mul(1u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(policy.cap);
        let half = whole / 2;
        let share = (random >> 32) as f64 / f64::from(u32::MAX);
        Verdict::At(now.saturating_add(half).saturating_add(half.mul_f64(share)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RestartPolicy = RestartPolicy {
        base: Duration::from_millis(20),
        cap: Duration::from_millis(50),
        limit: 6,
        window: Duration::from_secs(10),
    };

    fn verdicts(random: u64) -> Vec<Verdict> {
        let mut backoff = Backoff::default();
        (0..6).map(|_| backoff.failed(&POLICY, Duration::from_secs(1), random)).collect()
    }

    #[test]
    fn waits_double_up_to_the_cap_and_then_it_ends() {
        let at = |ms: u64| Verdict::At(Duration::from_millis(1000 + ms));
        assert_eq!(verdicts(u64::MAX), [Verdict::Now, at(20), at(40), at(50), at(50), Verdict::GiveUp { restarts: 6 }]);
        assert_eq!(verdicts(0)[1..4], [at(10), at(20), at(25)]);
    }

    #[test]
    fn an_old_failure_is_forgotten_and_a_jumping_clock_harms_nothing() {
        let mut backoff = Backoff::default();
        for seconds in [0, 11, 22, 3600 * 5, 3, 3600 * 9] {
            assert!(!matches!(backoff.failed(&POLICY, Duration::from_secs(seconds), 0), Verdict::GiveUp { .. }));
        }
        assert_eq!(backoff.failed(&POLICY, Duration::from_secs(3600 * 20), 0), Verdict::Now);
    }
}
