//! What happened in a span of time: values that can be merged into those of a longer one, exactly.

use super::series::{COUNT_COUNT, COUNTS, GAUGE_COUNT, GAUGES, Over};
use sidetone_host::pool::LatencyCounts;
use std::time::Duration;

/// Where a frame spends its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Queue,
    Guest,
    Total,
}

impl Stage {
    pub(crate) const ALL: [Self; 3] = [Self::Queue, Self::Guest, Self::Total];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Guest => "guest",
            Self::Total => "total",
        }
    }
}

/// How everything stands at one moment: counts since the start.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// Time since the start.
    pub(crate) at: Duration,
    pub(crate) gauges: [Option<f64>; GAUGE_COUNT],
    pub(crate) counts: [u64; COUNT_COUNT],
    pub(crate) latency: [LatencyCounts; 3],
}

/// What happened in a span of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    /// How long it was.
    pub(crate) seconds: f64,
    pub(crate) gauges: [Option<f64>; GAUGE_COUNT],
    pub(crate) counts: [u64; COUNT_COUNT],
    pub(crate) latency: [LatencyCounts; 3],
}

impl Standing {
    /// Before anything was counted.
    pub(crate) fn start(at: Duration) -> Self {
        Self { at, gauges: [None; GAUGE_COUNT], counts: [0; COUNT_COUNT], latency: Default::default() }
    }

    /// What happened since `earlier`, and how it stands now. A count that went down began anew: it says nothing.
    pub(crate) fn since(&self, earlier: &Self) -> Sample {
        let stage = |at: usize| self.latency[at].since(&earlier.latency[at]);
        Sample {
            seconds: self.at.saturating_sub(earlier.at).as_secs_f64(),
            gauges: self.gauges,
            counts: std::array::from_fn(|at| self.counts[at].saturating_sub(earlier.counts[at])),
            latency: std::array::from_fn(stage),
        }
    }
}

impl Sample {
    pub(crate) const fn latency(&self, stage: Stage) -> &LatencyCounts {
        &self.latency[stage as usize]
    }

    /// A count by name; 0 for one that there is not.
    pub(crate) fn count(&self, name: &str) -> u64 {
        COUNTS.iter().position(|count| count.name == name).map_or(0, |at| self.counts[at])
    }

    /// Takes another span in.
    pub(crate) fn merge(&mut self, other: &Self) {
        let (mine, theirs) = (self.seconds, other.seconds);
        for (at, gauge) in GAUGES.iter().enumerate() {
            self.gauges[at] = match (self.gauges[at], other.gauges[at]) {
                (Some(a), Some(b)) => Some(match gauge.over {
                    Over::Highest => a.max(b),
                    Over::Lowest => a.min(b),
                    Over::Mean if mine + theirs > 0.0 => (a * mine + b * theirs) / (mine + theirs),
                    Over::Mean => f64::midpoint(a, b),
                }),
                (a, b) => a.or(b),
            };
        }
        self.seconds += theirs;
        self.counts.iter_mut().zip(other.counts).for_each(|(a, b)| *a = a.saturating_add(b));
        self.latency.iter_mut().zip(&other.latency).for_each(|(a, b)| a.add(b));
    }
}

#[cfg(test)]
mod tests {
    use super::super::series::named;
    use super::*;

    fn place(name: &str) -> usize {
        GAUGES.iter().position(|gauge| gauge.name == name).unwrap()
    }

    fn latency(bucket: u16, count: u64) -> LatencyCounts {
        LatencyCounts::from_parts(vec![(bucket, count)], Duration::ZERO, Duration::MAX.min(Duration::from_secs(1)))
            .unwrap()
    }

    #[test]
    fn a_count_that_began_anew_is_no_negative_rate() {
        let mut standing = Standing::start(Duration::ZERO);
        standing.counts[0] = 100;
        let mut later = Standing { at: Duration::from_secs(10), ..standing.clone() };
        later.counts[0] = 40;
        let sample = later.since(&standing);
        assert_eq!((sample.counts[0], sample.seconds), (0, 10.0));
        assert_eq!(named("frames").unwrap().rate(&sample), Some(0.0));
    }

    #[test]
    fn a_merged_span_is_what_one_long_span_would_have_been() {
        let (calls, queue, level) = (place("calls"), place("queue_depth"), place("quality_level"));
        let mut a = Sample { seconds: 10.0, ..Sample::default() };
        (a.gauges[calls], a.gauges[queue], a.gauges[level]) = (Some(4.0), Some(9.0), Some(2.0));
        a.counts[0] = 50;
        a.latency[2] = latency(400, 99);
        let mut b = Sample { seconds: 30.0, ..Sample::default() };
        (b.gauges[calls], b.gauges[queue], b.gauges[level]) = (Some(8.0), Some(1.0), Some(0.0));
        b.counts[0] = 30;
        b.latency[2] = latency(410, 1);
        a.merge(&b);
        assert_eq!((a.gauges[calls], a.gauges[queue], a.gauges[level]), (Some(7.0), Some(9.0), Some(0.0)));
        assert_eq!((a.seconds, a.counts[0], named("frames").unwrap().rate(&a)), (40.0, 80, Some(2.0)));
        assert_eq!(a.latency(Stage::Total).buckets(), [(400, 99), (410, 1)]);
        let nothing = Sample::default();
        assert_eq!(named("total_p99_ms").unwrap().value(&nothing), None, "no frames have no latency");
        assert_eq!(named("calls").unwrap().value(&nothing), None);
        let before = a.clone();
        a.merge(&nothing);
        assert_eq!(a, before);
    }
}
