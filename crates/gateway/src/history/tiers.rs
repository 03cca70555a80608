//! How finely history is kept, and for how long; and which of it answers which range. Only arithmetic.

use std::time::Duration;

/// Samples of one length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tier {
    /// Its number in the file: its step in seconds.
    pub(crate) step: u64,
    /// Seconds that its samples are kept for; those of the last tier for as long as is configured.
    keep: Option<u64>,
}

/// From fine to coarse; each step is a multiple of the one before.
pub(crate) const TIERS: [Tier; 3] =
    [Tier { step: 10, keep: Some(6 * 3600) }, Tier { step: 60, keep: Some(48 * 3600) }, Tier { step: 900, keep: None }];

/// Seconds of the finest samples: what the gateway hands over at a time.
pub(crate) const FINEST: u64 = TIERS[0].step;

impl Tier {
    /// The beginning of the sample that a moment belongs to. Both in seconds of Unix time.
    pub(crate) const fn slot(&self, at: u64) -> u64 {
        at - at % self.step
    }

    /// Samples that begin before this are too old.
    pub(crate) fn oldest(&self, now: u64, max_age: Duration) -> u64 {
        now.saturating_sub(self.keep.unwrap_or(u64::MAX).min(max_age.as_secs()))
    }
}

/// A range that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) name: &'static str,
    /// Seconds.
    pub(crate) length: u64,
    /// Seconds a point.
    pub(crate) step: u64,
    /// Which samples the points are made of.
    pub(crate) tier: usize,
}

pub(crate) const RANGES: [Range; 6] = [
    Range { name: "15m", length: 900, step: 10, tier: 0 },
    Range { name: "1h", length: 3600, step: 10, tier: 0 },
    Range { name: "6h", length: 6 * 3600, step: 60, tier: 1 },
    Range { name: "24h", length: 24 * 3600, step: 300, tier: 1 },
    Range { name: "7d", length: 7 * 86_400, step: 1800, tier: 2 },
    Range { name: "30d", length: 30 * 86_400, step: 7200, tier: 2 },
];

impl Range {
    /// The range of a name.
    ///
    /// # Errors
    /// What is allowed.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let found = RANGES.into_iter().find(|range| range.name == name);
        found.ok_or_else(|| {
            let names = RANGES.map(|range| range.name);
            let (last, most) = names.split_last().map_or(("", &[][..]), |(last, most)| (*last, most));
            format!("range = {name:?}: must be {} or {last}", most.join(", "))
        })
    }

    /// How many points it has.
    pub(crate) const fn points(&self) -> usize {
        (self.length / self.step) as usize
    }

    /// The beginning of its first point, where the last is the one of `now`.
    pub(crate) const fn first(&self, now: u64) -> u64 {
        (now - now % self.step + self.step).saturating_sub(self.length)
    }

    /// Which point a sample belongs to. `None`: it is outside.
    pub(crate) fn point(&self, first: u64, at: u64) -> Option<usize> {
        let index = usize::try_from(at.checked_sub(first)? / self.step).ok()?;
        (index < self.points()).then_some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTH: Duration = Duration::from_secs(30 * 86_400);

    #[test]
    fn every_range_is_answered_by_samples_that_fit_and_are_still_there() {
        for range in RANGES {
            let tier = TIERS[range.tier];
            assert_eq!(range.step % tier.step, 0, "{}", range.name);
            assert_eq!(range.length % range.step, 0, "{}", range.name);
            assert!((90..=360).contains(&range.points()), "{}", range.name);
            let now = 1_790_000_123;
            assert!(tier.oldest(now, MONTH) <= range.first(now), "{}", range.name);
        }
        assert!(TIERS.windows(2).all(|pair| pair[1].step % pair[0].step == 0));
    }

    #[test]
    fn the_last_point_is_the_one_that_is_being_filled() {
        let range = Range::named("15m").unwrap();
        let (now, first) = (1_790_000_123, range.first(1_790_000_123));
        assert_eq!(first, 1_790_000_120 + 10 - 900);
        assert_eq!(range.point(first, now), Some(89));
        assert_eq!(range.point(first, first), Some(0));
        assert_eq!((range.point(first, first - 1), range.point(first, now + 10)), (None, None));
    }

    #[test]
    fn a_range_that_there_is_not_is_named_with_those_there_are() {
        for bad in ["2h", "", "15M", "30 d"] {
            let why = Range::named(bad).unwrap_err();
            assert_eq!(why, format!("range = {bad:?}: must be 15m, 1h, 6h, 24h, 7d or 30d"));
        }
    }

    #[test]
    fn a_shorter_age_than_a_tiers_own_counts() {
        let day = Duration::from_secs(3600);
        assert!(TIERS.iter().all(|tier| tier.oldest(10_000, day) == 6_400));
        assert_eq!(TIERS[0].oldest(100_000, MONTH), 100_000 - 6 * 3600);
        assert_eq!(TIERS[2].oldest(100, MONTH), 0, "at the beginning of time");
        assert_eq!((TIERS[2].slot(1_799), TIERS[2].slot(1_800)), (900, 1_800));
    }
}
