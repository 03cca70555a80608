//! What a tenant may use, and the token buckets that count it.

use sidetone_session::Quality;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What a tenant may use. `None` means: as much as the pool has; 0 means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quota {
    /// Sessions open at a time; codecs count as such, and so does each instance that the packet functions keep (at most
    /// one a worker).
    pub sessions: Option<u32>,
    /// Frames, packets and jobs a second, all sessions together; bursts of one second's worth pass. PCM counts as the
    /// frames that it fills, and at least as one.
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

const SECOND: u64 = 1_000_000_000;

/// Tokens that come back at a rate, at most one second's worth of them. Without a lock: all it holds is when it is full.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// Time in which a token comes back, in ns.
    interval: u64,
    /// When all tokens are back, in ns of the clock.
    full_at: AtomicU64,
}

impl Bucket {
    /// So many tokens a second; of 0 there is never one.
    pub(crate) const fn a_second(rate: u32) -> Self {
        let interval = if rate == 0 { u64::MAX } else { SECOND / rate as u64 };
        Self { interval, full_at: AtomicU64::new(0) }
    }

    /// Takes so many tokens, if there are as many.
    pub(crate) fn take(&self, now: Duration, count: u32) -> bool {
        let (now, taken) = (nanos(now), self.interval.saturating_mul(count.into()));
        let take = |full_at: u64| {
            let after = believed(full_at, now, now + SECOND).saturating_add(taken);
            (after <= now + SECOND).then_some(after)
        };
        self.full_at.fetch_update(Relaxed, Relaxed, take).is_ok()
    }
}

/// Time of guests that comes back at a rate, at most one second's worth of it; what was used beyond is a debt of at most
/// as much.
#[derive(Debug)]
pub(crate) struct TimeBucket {
    /// What comes back in a second, in ns.
    rate: u64,
    /// When all is back, in ns of the clock.
    full_at: AtomicU64,
}

impl TimeBucket {
    pub(crate) fn a_second(time: Duration) -> Self {
        Self { rate: nanos(time), full_at: AtomicU64::new(0) }
    }

    /// Whether there is anything left.
    pub(crate) fn has_any(&self, now: Duration) -> bool {
        let now = nanos(now);
        self.rate > 0 && believed(self.full_at.load(Relaxed), now, now + 2 * SECOND) < now + SECOND
    }

    /// Takes what was used.
    pub(crate) fn charge(&self, now: Duration, used: Duration) {
        let now = nanos(now);
        let comes_back_in = used.as_nanos() * u128::from(SECOND) / u128::from(self.rate.max(1));
        let comes_back_in = u64::try_from(comes_back_in).unwrap_or(u64::MAX);
        let charged = |full_at: u64| {
            let full_at = believed(full_at, now, now + 2 * SECOND);
            Some(full_at.saturating_add(comes_back_in).min(now + 2 * SECOND))
        };
        // It is always some.
        let _ = self.full_at.fetch_update(Relaxed, Relaxed, charged);
    }
}

/// When a bucket is full: at the latest at `last`, as its clock has it. Threads that read the clock at once may be
/// a little behind each other, which gives nothing. One that is behind by more than a second was set back: that gives no
/// more than one second's worth, and shuts nobody out. Neither does one that was set forward.
fn believed(full_at: u64, now: u64, last: u64) -> u64 {
    if full_at > last + SECOND { now } else { full_at.clamp(now, last) }
}

/// 292 years of a clock, and room above for a few seconds more.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).min(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holds_the_rate_and_no_more() {
        let bucket = Bucket::a_second(50);
        assert_eq!((0..2500).filter(|_| bucket.take(Duration::ZERO, 1)).count(), 50);
        assert_eq!((0..2500).filter(|_| bucket.take(Duration::from_millis(500), 1)).count(), 25);
        let hour = Duration::from_secs(3600);
        assert_eq!((0..2500).filter(|_| bucket.take(hour, 1)).count(), 50, "nothing is saved up");
        let a_little_back = hour - Duration::from_millis(999);
        assert!(!bucket.take(a_little_back, 1), "a thread that is behind gets nothing");
        assert_eq!(
            (0..2500).filter(|_| bucket.take(Duration::ZERO, 1)).count(),
            50,
            "a clock set back shuts nobody out"
        );
        assert!(!bucket.take(Duration::ZERO, 1));
    }

    #[test]
    fn many_at_once_are_taken_together_or_not_at_all() {
        let bucket = Bucket::a_second(50);
        assert!(bucket.take(Duration::ZERO, 40) && !bucket.take(Duration::ZERO, 11) && bucket.take(Duration::ZERO, 10));
        assert!(!bucket.take(Duration::from_secs(9), 51), "more than a second's worth is never there");
        assert!(bucket.take(Duration::from_secs(9), 50));
    }

    #[test]
    fn any_rate_passes_exactly_itself_in_a_second_and_none_of_nothing() {
        for rate in [0, 1, 3, 7, 999, 4_000] {
            let bucket = Bucket::a_second(rate);
            assert_eq!((0..5000).filter(|_| bucket.take(Duration::ZERO, 1)).count(), rate as usize, "{rate}");
        }
    }

    #[test]
    fn a_debt_is_paid_before_there_is_more() {
        let bucket = TimeBucket::a_second(Duration::from_millis(100));
        assert!(bucket.has_any(Duration::ZERO));
        bucket.charge(Duration::ZERO, Duration::from_millis(150));
        assert!(!bucket.has_any(Duration::from_millis(400)));
        assert!(bucket.has_any(Duration::from_millis(600)));
        let hour = Duration::from_secs(3600);
        bucket.charge(hour, Duration::from_secs(100));
        assert!(!bucket.has_any(hour + Duration::from_secs(1)), "a debt is a second's worth at most");
        assert!(bucket.has_any(hour + Duration::from_millis(1001)));
        assert!(!TimeBucket::a_second(Duration::ZERO).has_any(hour));
    }

    #[test]
    fn a_clock_that_goes_back_shuts_nobody_out() {
        let bucket = TimeBucket::a_second(Duration::from_millis(100));
        let hour = Duration::from_secs(3600);
        bucket.charge(hour, Duration::from_millis(1));
        bucket.charge(Duration::ZERO, Duration::from_millis(1));
        assert!(bucket.has_any(Duration::ZERO));
        bucket.charge(Duration::ZERO, Duration::from_millis(99));
        assert!(!bucket.has_any(Duration::ZERO), "and gives a second's worth");
    }
}
