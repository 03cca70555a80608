//! The figures that can be demanded, by name.

use crate::report::Report;

/// What a figure is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Milliseconds.
    Time,
    /// Percent.
    Share,
    /// A number of things.
    Count,
}

/// One figure of a report.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is measured in.
    pub unit: Unit,
    /// What it is.
    pub about: &'static str,
    pub(crate) of: fn(&Report) -> Option<f64>,
}

macro_rules! times {
    ($($name:literal $field:ident $figure:ident $about:literal,)+) => {
        [$(Metric { name: $name, unit: Unit::Time, about: $about, of: |report| report.times.$field.$figure },)+]
    };
}

const TIMES: [Metric; 25] = times![
    "p50" mouth_to_ear p50_ms "mouth to ear, median",
    "p95" mouth_to_ear p95_ms "mouth to ear",
    "p99" mouth_to_ear p99_ms "mouth to ear",
    "max" mouth_to_ear max_ms "mouth to ear",
    "added_p50" added p50_ms "latency added by the gateway, median",
    "added_p95" added p95_ms "latency added by the gateway",
    "added_p99" added p99_ms "latency added by the gateway",
    "added_max" added max_ms "latency added by the gateway",
    "hello_p50" hello p50_ms "hello to its reply, median",
    "hello_p95" hello p95_ms "hello to its reply",
    "hello_p99" hello p99_ms "hello to its reply",
    "hello_max" hello max_ms "hello to its reply",
    "first_audio_p50" first_audio p50_ms "until the first packet is played, median",
    "first_audio_p99" first_audio p99_ms "until the first packet is played",
    "first_audio_max" first_audio max_ms "until the first packet is played",
    "connect_p50" connect p50_ms "until MQTT stands, median",
    "connect_p99" connect p99_ms "until MQTT stands",
    "connect_max" connect max_ms "until MQTT stands",
    "pacing_p50" pacing p50_ms "time between packets against a frame, median",
    "pacing_p99" pacing p99_ms "time between packets against a frame",
    "pacing_max" pacing max_ms "time between packets against a frame",
    "rebind_p50" rebind p50_ms "without packets after a change of port, median",
    "rebind_max" rebind max_ms "without packets after a change of port",
    "own_lag_p99" own_lag p99_ms "how late this process itself was",
    "own_lag_max" own_lag max_ms "how late this process itself was",
];

const SHARES: [Metric; 3] = [
    Metric {
        name: "loss",
        unit: Unit::Share,
        about: "downlink packets that did not come",
        of: |report| measured(report, report.shares.lost),
    },
    Metric {
        name: "loss_by_others",
        unit: Unit::Share,
        about: "the same without those that the impairment here lost",
        of: |report| measured(report, report.shares.lost_by_others),
    },
    Metric {
        name: "marks_missed_share",
        unit: Unit::Share,
        about: "marks that were not heard again",
        of: |report| (report.counts.marks_sent > 0).then_some(report.shares.marks_missed),
    },
];

macro_rules! counts {
    ($($name:ident $about:literal,)+) => {
        [$(Metric {
            name: stringify!($name),
            unit: Unit::Count,
            about: $about,
            of: |report| Some(report.counts.$name as f64),
        },)+]
    };
}

const COUNTS: [Metric; 29] = counts![
    connected_peak "devices connected at a time",
    in_call_peak "calls at a time",
    connect_failures "connections not made",
    disconnects "connections that broke",
    calls_started "calls wanted",
    calls_opened "calls that a hello reply opened",
    calls_completed "calls that lasted as long as they should",
    calls_failed "calls that did not come about",
    calls_lost "calls that ended before their time",
    unanswered "utterances without an answer",
    answered "utterances with an answer",
    lost "downlink packets that did not come",
    late "packets more than a frame late",
    concealed "frames made up",
    dry "times that playing ran dry",
    duplicates "packets that came again",
    reordered "packets that were overtaken",
    bunched "packets within 10 ms of each other",
    overflowed "packets that found the play queue full",
    cut "packets that a tts stop cut off",
    unplayed "packets outside of tts start and stop",
    undecodable "packets that are not as negotiated",
    malformed "datagrams that are no packets of the session",
    marks_heard "marks heard again",
    marks_missed "marks not heard again",
    alerts "alerts",
    errors "error messages",
    unreadable "messages that cannot be read",
    hostile_answered "answers to hostile datagrams",
];

/// All figures that can be demanded.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    TIMES.iter().chain(&SHARES).chain(&COUNTS)
}

/// The figure of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    all().find(|metric| metric.name == name)
}

/// A share of packets means nothing where none came.
fn measured(report: &Report, share: f64) -> Option<f64> {
    (report.counts.downlink_packets > 0).then_some(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_different_and_found() {
        let mut names: Vec<&str> = all().map(|metric| metric.name).collect();
        let before = names.len();
        assert!(names.iter().all(|name| find(name).is_some_and(|metric| metric.name == *name)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), before);
    }
}
