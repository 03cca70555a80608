//! How the run went over time: one row a second at first, of coarser steps the longer it lasts.

use std::time::Duration;

use serde::Serialize;

use super::{Counts, Snapshot, Stats};

/// The most rows. Then two become one, and rows come half as often.
const MOST: usize = 600;

/// A stretch of the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moment {
    /// Its end, in seconds since the start.
    pub seconds: f64,
    /// Devices connected at its end.
    pub connected: u64,
    /// Calls at its end.
    pub in_call: u64,
    /// Packets sent in it.
    pub uplink_packets: u64,
    /// Packets that came in it.
    pub downlink_packets: u64,
    /// Packets missed in it.
    pub lost: u64,
    /// Marks heard in it.
    pub marks: u64,
    /// Median latency from mouth to ear, ms; `None` where no mark was heard.
    pub mouth_to_ear_p50_ms: Option<f64>,
    /// The same, of the worst hundredth.
    pub mouth_to_ear_p99_ms: Option<f64>,
    /// Latency added by the gateway, of the worst hundredth, ms.
    pub added_p99_ms: Option<f64>,
}

/// The rows so far.
#[derive(Debug)]
pub struct Timeline {
    moments: Vec<Moment>,
    step: Duration,
    last: Last,
}

#[derive(Debug)]
struct Last {
    at: Duration,
    counts: Counts,
    mouth_to_ear: Snapshot,
    added: Snapshot,
}

impl Timeline {
    /// An empty one, whose first row is due after a second.
    #[must_use]
    pub fn new(stats: &Stats) -> Self {
        let last = Last {
            at: Duration::ZERO,
            counts: stats.counters.snapshot(),
            mouth_to_ear: stats.mouth_to_ear.snapshot(),
            added: stats.added.snapshot(),
        };
        Self { moments: Vec::new(), step: Duration::from_secs(1), last }
    }

    /// Adds a row where one is due at `now`, the time since the start.
    pub fn sample(&mut self, now: Duration, stats: &Stats) {
        // Whoever calls twice a second does not come on the very millisecond.
        if now + self.step / 10 >= self.last.at + self.step {
            self.add(now, stats);
        }
    }

    /// Adds what came since the last row, and gives all rows.
    #[must_use]
    pub fn finish(mut self, now: Duration, stats: &Stats) -> Vec<Moment> {
        if now > self.last.at + self.step / 4 {
            self.add(now, stats);
        }
        self.moments
    }

    fn add(&mut self, now: Duration, stats: &Stats) {
        let next = Last {
            at: now,
            counts: stats.counters.snapshot(),
            mouth_to_ear: stats.mouth_to_ear.snapshot(),
            added: stats.added.snapshot(),
        };
        let (mouth_to_ear, added) =
            (next.mouth_to_ear.since(&self.last.mouth_to_ear), next.added.since(&self.last.added));
        let millis = |snapshot: &Snapshot, percent| snapshot.percentile(percent).map(crate::report::millis);
        self.moments.push(Moment {
            seconds: (now.as_secs_f64() * 10.0).round() / 10.0,
            connected: next.counts.connected,
            in_call: next.counts.in_call,
            uplink_packets: next.counts.uplink_packets.saturating_sub(self.last.counts.uplink_packets),
            downlink_packets: next.counts.downlink_packets.saturating_sub(self.last.counts.downlink_packets),
            lost: next.counts.lost.saturating_sub(self.last.counts.lost),
            marks: mouth_to_ear.count(),
            mouth_to_ear_p50_ms: millis(&mouth_to_ear, 50.0),
            mouth_to_ear_p99_ms: millis(&mouth_to_ear, 99.0),
            added_p99_ms: millis(&added, 99.0),
        });
        self.last = next;
        if self.moments.len() >= MOST {
            self.thin_out();
        }
    }

    fn thin_out(&mut self) {
        self.step *= 2;
        let pairs = self.moments.chunks(2).map(|pair| match pair {
            [first, second] => merge(first, second),
            rest => rest[0].clone(),
        });
        self.moments = pairs.collect();
    }
}

/// Two rows as one. Of percentiles the worse stays: none is hidden.
fn merge(first: &Moment, second: &Moment) -> Moment {
    let worse = |first: Option<f64>, second: Option<f64>| match (first, second) {
        (Some(first), Some(second)) => Some(first.max(second)),
        (first, second) => first.or(second),
    };
    Moment {
        uplink_packets: first.uplink_packets + second.uplink_packets,
        downlink_packets: first.downlink_packets + second.downlink_packets,
        lost: first.lost + second.lost,
        marks: first.marks + second.marks,
        mouth_to_ear_p50_ms: worse(first.mouth_to_ear_p50_ms, second.mouth_to_ear_p50_ms),
        mouth_to_ear_p99_ms: worse(first.mouth_to_ear_p99_ms, second.mouth_to_ear_p99_ms),
        added_p99_ms: worse(first.added_p99_ms, second.added_p99_ms),
        ..second.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn rows_hold_what_came_in_their_time() {
        let stats = Stats::default();
        let mut timeline = Timeline::new(&stats);
        stats.counters.lost.store(3, Relaxed);
        stats.mouth_to_ear.record(Duration::from_millis(100));
        timeline.sample(Duration::from_millis(890), &stats);
        timeline.sample(Duration::from_millis(1_000), &stats);
        stats.counters.lost.store(4, Relaxed);
        let rows = timeline.finish(Duration::from_millis(1_500), &stats);
        let found: Vec<_> =
            rows.iter().map(|row| (row.seconds, row.lost, row.marks, row.mouth_to_ear_p50_ms)).collect();
        assert_eq!(found, [(1.0, 3, 1, Some(100.0)), (1.5, 1, 0, None)]);
    }

    #[test]
    fn a_long_run_has_bounded_rows_and_loses_no_count() {
        let stats = Stats::default();
        let mut timeline = Timeline::new(&stats);
        for second in 1..=5_000 {
            stats.counters.lost.store(second, Relaxed);
            timeline.sample(Duration::from_secs(second), &stats);
        }
        let rows = timeline.finish(Duration::from_secs(5_000), &stats);
        assert!(rows.len() < MOST, "{} rows", rows.len());
        let lost: u64 = rows.iter().map(|row| row.lost).sum();
        assert!((4_984..=5_000).contains(&lost), "{lost}");
        assert!(rows.is_sorted_by(|a, b| a.seconds < b.seconds));
    }
}
