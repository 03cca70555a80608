//! The quality ladder of a worker: full, medium, minimal. A state machine; time is an argument.
//!
//! Every step is Opus of the same frame duration and channels, so no device notices but by ear.

use sidetone_session::Quality;
use std::time::Duration;

/// When a worker takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LadderConfig {
    /// Average latency (queue and guest) above which full becomes medium.
    pub down: Duration,
    /// Above which medium becomes minimal.
    pub further_down: Duration,
    /// Below which medium becomes full.
    pub up: Duration,
    /// Below which minimal becomes medium.
    pub first_up: Duration,
    /// How long it must stay below before a step up.
    pub dwell: Duration,
    /// Average above which [`should_downgrade`](super::Pool::should_downgrade) says so.
    pub advise: Duration,
}

impl Default for LadderConfig {
    fn default() -> Self {
        let ms = Duration::from_millis;
        Self { down: ms(15), further_down: ms(25), up: ms(5), first_up: ms(10), dwell: ms(5000), advise: ms(10) }
    }
}

/// Frames that must be seen after a step before the next one.
const FRESH: u32 = 16;

/// Where a worker stands.
#[derive(Debug)]
pub(crate) struct Ladder {
    config: LadderConfig,
    level: Quality,
    average: f64,
    seen: u32,
    /// Since when the average allows a step up.
    calm_since: Option<Duration>,
}

impl Ladder {
    pub(crate) const fn new(config: LadderConfig) -> Self {
        Self { config, level: Quality::Full, average: 0.0, seen: 0, calm_since: None }
    }

    /// Where it stands.
    pub(crate) const fn level(&self) -> Quality {
        self.level
    }

    /// Average latency of the last frames.
    pub(crate) fn average(&self) -> Duration {
        // A clock that jumps may say more than a duration holds.
        Duration::try_from_secs_f64(self.average).unwrap_or(Duration::MAX)
    }

    /// Takes a frame's latency in, and returns the new level where that is another.
    pub(crate) fn observe(&mut self, now: Duration, latency: Duration) -> Option<Quality> {
        let weight = 1.0 / f64::from(self.seen.saturating_add(1).min(FRESH));
        self.average += (latency.as_secs_f64() - self.average) * weight;
        self.seen = self.seen.saturating_add(1);
        if self.seen < FRESH {
            return None;
        }
        let LadderConfig { down, further_down, up, first_up, dwell, .. } = self.config;
        let (above, lower, below, higher) = match self.level {
            Quality::Full => (down, Quality::Medium, Duration::ZERO, Quality::Full),
            Quality::Medium => (further_down, Quality::Minimal, up, Quality::Full),
            Quality::Minimal => (Duration::MAX, Quality::Minimal, first_up, Quality::Medium),
        };
        let average = self.average();
        if average > above {
            return self.step(lower);
        }
        if average >= below {
            self.calm_since = None;
            return None;
        }
        let since = *self.calm_since.get_or_insert(now);
        if now.saturating_sub(since) >= dwell { self.step(higher) } else { None }
    }

    fn step(&mut self, to: Quality) -> Option<Quality> {
        (self.level, self.seen, self.calm_since) = (to, 0, None);
        Some(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a frame a 60 ms until `frames` have passed or the level changes.
    fn feed(ladder: &mut Ladder, now: &mut Duration, latency_ms: u64, frames: u32) -> Option<Quality> {
        (0..frames).find_map(|_| {
            *now += Duration::from_millis(60);
            ladder.observe(*now, Duration::from_millis(latency_ms))
        })
    }

    #[test]
    fn it_goes_down_at_once_and_up_only_after_the_dwell() {
        let (mut ladder, mut now) = (Ladder::new(LadderConfig::default()), Duration::ZERO);
        assert_eq!(feed(&mut ladder, &mut now, 14, 200), None);
        assert_eq!(feed(&mut ladder, &mut now, 20, 200), Some(Quality::Medium));
        assert_eq!(feed(&mut ladder, &mut now, 24, 200), None, "between the marks nothing changes");
        assert_eq!(feed(&mut ladder, &mut now, 30, 200), Some(Quality::Minimal));
        let start = now;
        assert_eq!(feed(&mut ladder, &mut now, 8, 400), Some(Quality::Medium));
        assert!(now - start >= Duration::from_secs(5), "{:?}", now - start);
        assert_eq!(feed(&mut ladder, &mut now, 8, 400), None, "8 ms is calm for minimal, not for medium");
        let start = now;
        assert_eq!(feed(&mut ladder, &mut now, 2, 400), Some(Quality::Full));
        assert!(now - start >= Duration::from_secs(5), "{:?}", now - start);
    }

    #[test]
    fn a_latency_that_swings_between_the_marks_changes_nothing() {
        let (mut ladder, mut now) = (Ladder::new(LadderConfig::default()), Duration::ZERO);
        assert_eq!(feed(&mut ladder, &mut now, 20, 200), Some(Quality::Medium));
        for _ in 0..100 {
            assert_eq!(feed(&mut ladder, &mut now, 6, 40), None);
            assert_eq!(feed(&mut ladder, &mut now, 14, 40), None);
        }
    }

    #[test]
    fn calm_that_is_interrupted_counts_from_its_end() {
        let (mut ladder, mut now) = (Ladder::new(LadderConfig::default()), Duration::ZERO);
        assert_eq!(feed(&mut ladder, &mut now, 20, 200), Some(Quality::Medium));
        for _ in 0..10 {
            assert_eq!(feed(&mut ladder, &mut now, 1, 60), None, "3.6 s are no dwell");
            assert_eq!(feed(&mut ladder, &mut now, 12, 60), None);
        }
    }

    #[test]
    fn an_hour_forward_or_back_is_no_dwell_by_itself() {
        let (mut ladder, mut now) = (Ladder::new(LadderConfig::default()), Duration::from_secs(7200));
        assert_eq!(feed(&mut ladder, &mut now, 20, 200), Some(Quality::Medium));
        now -= Duration::from_secs(3600);
        assert_eq!(feed(&mut ladder, &mut now, 1, 40), None);
    }
}
