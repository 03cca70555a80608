//! Latencies, counted in buckets a sixteenth wide: recorded without a lock, read at any time.

use super::latency_counts::LatencyCounts;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Buckets a power of two.
const STEPS: u64 = 16;
/// 2^40 ns are 18 minutes: nothing here takes longer.
pub(super) const BUCKETS: usize = 40 * STEPS as usize;

/// A histogram of durations. 5 KiB; recording is three additions.
#[derive(Debug)]
pub(crate) struct Histogram {
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
    max: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: std::iter::repeat_with(AtomicU64::default).take(BUCKETS).collect(),
            sum: AtomicU64::new(0),
            max: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    pub(crate) fn record(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanos)].fetch_add(1, Relaxed);
        self.sum.fetch_add(nanos, Relaxed);
        self.max.fetch_max(nanos, Relaxed);
    }

    /// What several histograms hold together.
    pub(crate) fn summary<'a>(all: impl Iterator<Item = &'a Self>) -> Latency {
        Self::counts(all).summary()
    }

    /// What several histograms have counted, all together.
    pub(crate) fn counts<'a>(all: impl Iterator<Item = &'a Self>) -> LatencyCounts {
        let (mut counts, mut sum, mut max) = (vec![0u64; BUCKETS], 0u64, 0u64);
        for one in all {
            counts.iter_mut().zip(&one.buckets).for_each(|(count, bucket)| *count += bucket.load(Relaxed));
            sum = sum.saturating_add(one.sum.load(Relaxed));
            max = max.max(one.max.load(Relaxed));
        }
        let counted = counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
        LatencyCounts { buckets: counted.map(|(index, count)| (index as u16, count)).collect(), sum, max }
    }
}

/// A summary of latencies, in milliseconds. Quantiles are right to a sixteenth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Latency {
    pub count: u64,
    pub avg: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

pub(super) fn ms(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

fn bucket(nanos: u64) -> usize {
    if nanos < STEPS {
        return nanos as usize;
    }
    let power = nanos.ilog2() - STEPS.ilog2();
    let index = u64::from(power) * STEPS + (nanos >> power);
    (index as usize).min(BUCKETS - 1)
}

/// The highest value of a bucket.
pub(super) fn upper(index: usize) -> u64 {
    let index = index as u64;
    if index < STEPS {
        return index;
    }
    let power = index / STEPS - 1;
    ((index - power * STEPS + 1) << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_within_a_sixteenth_of_its_bucket() {
        for nanos in [0, 1, 15, 16, 17, 31, 32, 33, 1000, 123_456_789, 1 << 39] {
            let top = upper(bucket(nanos));
            assert!(top >= nanos && top - nanos <= nanos / 16, "{nanos} {top}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_where_they_belong() {
        let histogram = Histogram::default();
        (1..=100).for_each(|ms| histogram.record(Duration::from_millis(ms)));
        let summary = Histogram::summary([&histogram].into_iter());
        assert_eq!((summary.count, summary.max, summary.avg), (100, 100.0, 50.5));
        assert!((50.0..54.0).contains(&summary.p50) && (99.0..=100.0).contains(&summary.p99), "{summary:?}");
    }
}
