//! What a histogram of latencies has counted, as a value: to be kept, subtracted, added up and summarised.

use super::histogram::{BUCKETS, Latency, ms, upper};
use std::time::Duration;

/// Counts of latencies, in buckets a sixteenth wide; only those that hold anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LatencyCounts {
    /// Number of a bucket, and how many it holds; in order.
    pub(super) buckets: Vec<(u16, u64)>,
    /// In ns.
    pub(super) sum: u64,
    /// In ns.
    pub(super) max: u64,
}

impl LatencyCounts {
    /// As [`buckets`](Self::buckets), [`sum`](Self::sum) and [`max`](Self::max) gave it out. `None`: it did not come from
    /// there.
    #[must_use]
    pub fn from_parts(buckets: Vec<(u16, u64)>, sum: Duration, max: Duration) -> Option<Self> {
        let in_order = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let known = buckets.last().is_none_or(|(last, _)| usize::from(*last) < BUCKETS);
        let (sum, max) = (u64::try_from(sum.as_nanos()).ok()?, u64::try_from(max.as_nanos()).ok()?);
        (in_order && known).then_some(Self { buckets, sum, max })
    }

    /// Buckets that hold anything, in order: number, and how many.
    #[must_use]
    pub fn buckets(&self) -> &[(u16, u64)] {
        &self.buckets
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// All of them together.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum)
    }

    /// The longest.
    #[must_use]
    pub const fn max(&self) -> Duration {
        Duration::from_nanos(self.max)
    }

    /// What came since `earlier` was read from the same histograms. Its `max` is right to a sixteenth.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut before = earlier.buckets.iter().peekable();
        let mut buckets = Vec::new();
        for &(index, count) in &self.buckets {
            while before.next_if(|(other, _)| *other < index).is_some() {}
            let old = before.next_if(|(other, _)| *other == index).map_or(0, |(_, old)| *old);
            if count > old {
                buckets.push((index, count - old));
            }
        }
        let max = buckets.last().map_or(0, |(index, _)| upper((*index).into()).min(self.max));
        Self { buckets, sum: self.sum.saturating_sub(earlier.sum), max }
    }

    /// Counts `other` in.
    pub fn add(&mut self, other: &Self) {
        let mine = std::mem::take(&mut self.buckets);
        let (mut mine, mut theirs) = (mine.into_iter().peekable(), other.buckets.iter().copied().peekable());
        loop {
            let next = match (mine.peek(), theirs.peek()) {
                (Some(a), Some(b)) if a.0 == b.0 => {
                    let (index, count) = *a;
                    let sum = (index, count.saturating_add(b.1));
                    mine.next();
                    theirs.next();
                    sum
                }
                (Some(a), Some(b)) if b.0 < a.0 => {
                    let next = *b;
                    theirs.next();
                    next
                }
                (Some(a), _) => {
                    let next = *a;
                    mine.next();
                    next
                }
                (None, Some(b)) => {
                    let next = *b;
                    theirs.next();
                    next
                }
                (None, None) => break,
            };
            self.buckets.push(next);
        }
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
    }

    /// Average and quantiles.
    #[must_use]
    pub fn summary(&self) -> Latency {
        let count = self.count();
        Latency {
            count,
            avg: if count == 0 { 0.0 } else { ms(self.sum) / count as f64 },
            p50: self.quantile(0.50),
            p95: self.quantile(0.95),
            p99: self.quantile(0.99),
            max: ms(self.max),
        }
    }

    /// In ms, the value that `share` of all are not above; 0 where there are none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let rank = ((self.count() as f64 * share).ceil() as u64).max(1);
        let mut passed = 0;
        let found = self.buckets.iter().find(|(_, count)| {
            passed += count;
            passed >= rank
        });
        found.map_or(0.0, |&(index, count)| {
            // Within a bucket, values are taken to be spread evenly.
            let index = usize::from(index);
            let (bottom, top) = (index.checked_sub(1).map_or(0, upper), upper(index).min(self.max));
            let share = (rank - (passed - count)) as f64 / count as f64;
            ms(bottom) + ms(top.saturating_sub(bottom)) * share
        })
    }

    /// How many are at or below each of `bounds` (ascending) and above the one before; at the end, those above them all.
    #[must_use]
    pub fn between(&self, bounds: &[Duration]) -> Vec<u64> {
        let mut counts = vec![0; bounds.len() + 1];
        for &(index, count) in &self.buckets {
            // A bucket belongs where its middle does.
            let index = usize::from(index);
            let bottom = index.checked_sub(1).map_or(0, upper);
            let middle = Duration::from_nanos(bottom + (upper(index) - bottom) / 2);
            counts[bounds.partition_point(|bound| *bound < middle)] += count;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::super::histogram::Histogram;
    use super::*;

    fn read(histogram: &Histogram) -> LatencyCounts {
        Histogram::counts([histogram].into_iter())
    }

    fn of(millis: impl IntoIterator<Item = u64>) -> LatencyCounts {
        let histogram = Histogram::default();
        millis.into_iter().for_each(|ms| histogram.record(Duration::from_millis(ms)));
        read(&histogram)
    }

    #[test]
    fn what_came_since_is_what_was_recorded_since() {
        let histogram = Histogram::default();
        histogram.record(Duration::from_millis(400));
        let first = read(&histogram);
        (1..=9).for_each(|ms| histogram.record(Duration::from_millis(ms)));
        let since = read(&histogram).since(&first);
        assert_eq!((since.count(), since.sum()), (9, Duration::from_millis(45)));
        assert!((9.0..9.6).contains(&since.summary().max), "the 400 ms are not in it: {since:?}");
        assert_eq!(since.buckets, of(1..=9).buckets);
        assert_eq!(read(&histogram).since(&read(&histogram)), LatencyCounts::default());
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let mut sum = of([1, 5, 9, 200]);
        sum.add(&of([2, 5, 5, 300, 900]));
        sum.add(&LatencyCounts::default());
        assert_eq!(sum, of([1, 5, 9, 200, 2, 5, 5, 300, 900]));
        let whole = LatencyCounts::from_parts(sum.buckets().to_vec(), sum.sum(), sum.max());
        assert_eq!(whole, Some(sum));
    }

    #[test]
    fn parts_that_no_histogram_has_are_refused() {
        for buckets in [vec![(2, 1), (1, 1)], vec![(1, 1), (1, 1)], vec![(BUCKETS as u16, 1)]] {
            assert_eq!(LatencyCounts::from_parts(buckets, Duration::ZERO, Duration::ZERO), None);
        }
    }

    #[test]
    fn counts_are_told_between_bounds() {
        let bounds = [5, 10, 100].map(Duration::from_millis);
        assert_eq!(of([1, 2, 7, 8, 9, 50, 200, 300]).between(&bounds), [2, 3, 1, 2]);
        assert_eq!(LatencyCounts::default().between(&bounds), [0; 4]);
    }
}
