//! Durations, counted in buckets of bounded relative width: memory does not grow with what is measured.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Buckets an octave: a value is known to 1/64, 1.6 %.
const SUB: u64 = 64;
const SUB_BITS: u32 = SUB.ilog2();
/// Longer durations count as this, 19 hours.
const MOST_MICROS: u64 = (1 << 36) - 1;
const BUCKETS: usize = bucket(MOST_MICROS) + 1;

const fn bucket(micros: u64) -> usize {
    if micros < SUB {
        return micros as usize;
    }
    let shift = micros.ilog2() - SUB_BITS;
    (shift as u64 * SUB + (micros >> shift)) as usize
}

/// The highest value in a bucket, in microseconds.
const fn highest(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * SUB {
        return bucket;
    }
    let shift = bucket / SUB - 1;
    ((bucket - shift * SUB + 1) << shift) - 1
}

/// Durations from many tasks at once, without locks. 16 kB.
#[derive(Debug)]
pub struct Histogram {
    counts: Box<[AtomicU64]>,
    min: AtomicU64,
    max: AtomicU64,
    sum: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        let counts = (0..BUCKETS).map(|_| AtomicU64::new(0)).collect();
        Self { counts, min: AtomicU64::new(u64::MAX), max: AtomicU64::new(0), sum: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// Counts a duration, to the microsecond.
    pub fn record(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).min(MOST_MICROS);
        self.counts[bucket(micros)].fetch_add(1, Relaxed);
        self.min.fetch_min(micros, Relaxed);
        self.max.fetch_max(micros, Relaxed);
        self.sum.fetch_add(micros, Relaxed);
    }

    /// What has been counted so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            counts: self.counts.iter().map(|count| count.load(Relaxed)).collect(),
            min: self.min.load(Relaxed),
            max: self.max.load(Relaxed),
            sum: self.sum.load(Relaxed),
        }
    }
}

/// A histogram at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    counts: Vec<u64>,
    min: u64,
    max: u64,
    sum: u64,
}

impl Snapshot {
    /// How many durations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The duration that `percent` of all do not exceed, by nearest rank: at most 1.6 % above the exact one, and never
    /// above the longest. `None` of none.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Option<Duration> {
        let rank = ((self.count() as f64 * percent / 100.0).ceil() as u64).max(1);
        let mut seen = 0;
        let found = self.counts.iter().position(|&count| {
            seen += count;
            seen >= rank
        })?;
        Some(Duration::from_micros(highest(found).clamp(self.min.min(self.max), self.max)))
    }

    /// The longest; `None` of none.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_micros(self.max))
    }

    /// The shortest; `None` of none.
    #[must_use]
    pub fn min(&self) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_micros(self.min))
    }

    /// The mean; `None` of none.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        Some(Duration::from_micros(self.sum.checked_div(self.count())?))
    }

    /// What has been counted since `earlier`, a snapshot of the same histogram. Shortest and longest are those of the
    /// whole.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let counts = self.counts.iter().zip(&earlier.counts).map(|(now, then)| now.saturating_sub(*then)).collect();
        Self { counts, sum: self.sum.saturating_sub(earlier.sum), ..*self }
    }

    /// For a plot: each bucket that holds something, by its highest value, with the share of all up to it.
    pub fn cumulative(&self) -> impl Iterator<Item = (Duration, f64)> + '_ {
        let all = self.count().max(1) as f64;
        let mut seen = 0;
        self.counts.iter().enumerate().filter(|(_, count)| **count > 0).map(move |(bucket, &count)| {
            seen += count;
            (Duration::from_micros(highest(bucket).min(self.max)), seen as f64 / all)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn us(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    #[test]
    fn buckets_are_in_order_without_gaps_and_narrow() {
        for index in 0..BUCKETS {
            assert_eq!(bucket(highest(index)), index);
            if index + 1 < BUCKETS {
                assert_eq!(bucket(highest(index) + 1), index + 1);
            }
            let width = highest(index) - index.checked_sub(1).map_or(0, highest);
            assert!(width <= 1 || width as f64 <= highest(index) as f64 / 64.0, "bucket {index} is {width} µs wide");
        }
        assert_eq!(BUCKETS, 1984);
    }

    #[test]
    fn percentiles_go_by_nearest_rank() {
        let histogram = Histogram::default();
        (1..=200).rev().for_each(|micros| histogram.record(us(micros)));
        let all = histogram.snapshot();
        for (percent, micros) in [(0.0, 1), (0.5, 1), (0.6, 2), (50.0, 100), (95.0, 191), (99.0, 199), (100.0, 200)] {
            assert_eq!(all.percentile(percent), Some(us(micros)), "p{percent}");
        }
        assert_eq!((all.count(), all.mean(), all.max(), all.min()), (200, Some(us(100)), Some(us(200)), Some(us(1))));
    }

    #[test]
    fn one_value_is_every_percentile_exactly() {
        let histogram = Histogram::default();
        histogram.record(us(123_457));
        let one = histogram.snapshot();
        assert_eq!([1.0, 50.0, 100.0].map(|percent| one.percentile(percent)), [Some(us(123_457)); 3]);
    }

    #[test]
    fn of_nothing_there_are_no_figures() {
        let none = Histogram::default().snapshot();
        assert_eq!((none.count(), none.percentile(50.0), none.max(), none.mean()), (0, None, None, None));
    }

    #[test]
    fn what_is_too_long_counts_as_the_longest() {
        let histogram = Histogram::default();
        histogram.record(Duration::MAX);
        assert_eq!(histogram.snapshot().max(), Some(us(MOST_MICROS)));
    }

    #[test]
    fn a_difference_holds_what_came_between() {
        let histogram = Histogram::default();
        histogram.record(us(1_000));
        let before = histogram.snapshot();
        (0..10).for_each(|_| histogram.record(us(50)));
        let between = histogram.snapshot().since(&before);
        assert_eq!((between.count(), between.percentile(99.0), between.mean()), (10, Some(us(50)), Some(us(50))));
        let steps: Vec<_> = histogram.snapshot().cumulative().collect();
        assert_eq!(steps, [(us(50), 10.0 / 11.0), (us(1_000), 1.0)]);
    }
}
