//! The numbers that are watched: what history keeps, what alert rules may ask about, and how each is read. One table.

use super::sample::{Sample, Stage};
use crate::counters::{Count as Counter, Totals};
use crate::http::health;
use crate::shared::Shared;
use serde::{Serialize, Serializer};
use sidetone_host::pool::Reading;

/// What a number counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Things.
    None,
    /// Milliseconds.
    Ms,
    /// Bytes.
    Bytes,
    /// Of a hundred.
    Percent,
    /// 0 or 1.
    Flag,
}

impl Unit {
    /// As the API has it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Ms => "ms",
            Self::Bytes => "bytes",
            Self::Percent => "percent",
            Self::Flag => "flag",
        }
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How one value is made of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Mean,
    Highest,
    Lowest,
}

/// A number that goes up and down.
pub(crate) struct Gauge {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) over: Over,
    pub(crate) help: &'static str,
    pub(crate) read: fn(&Shared, &Reading) -> Option<f64>,
}

/// A number that only goes up.
pub(crate) struct Count {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) read: fn(&Shared, &Reading) -> u64,
}

const fn gauge(
    name: &'static str,
    unit: Unit,
    over: Over,
    help: &'static str,
    read: fn(&Shared, &Reading) -> Option<f64>,
) -> Gauge {
    Gauge { name, unit, over, help, read }
}

const fn count(name: &'static str, help: &'static str, read: fn(&Shared, &Reading) -> u64) -> Count {
    Count { name, help, read }
}

fn flag(on: bool) -> Option<f64> {
    Some(f64::from(u8::from(on)))
}

fn total(shared: &Shared, which: fn(&Totals) -> &Counter) -> u64 {
    which(&shared.counters.totals).get()
}

/// How many gauges there are.
pub(crate) const GAUGE_COUNT: usize = 12;

/// How many counts there are.
pub(crate) const COUNT_COUNT: usize = 24;

/// The gauges, in the order of a [`Sample`].
#[rustfmt::skip]
pub(crate) const GAUGES: [Gauge; GAUGE_COUNT] = [
    gauge("calls", Unit::None, Over::Mean, "Live sessions", |s, _| Some(s.calls.len() as f64)),
    gauge("devices", Unit::None, Over::Mean, "Devices connected", |s, _| Some(s.devices.len() as f64)),
    gauge("slots_used_percent", Unit::Percent, Over::Mean, "Instances that live, of those there is room for", |s, r| {
        let slots = s.pool.slots();
        (slots > 0).then(|| 100.0 * f64::from(r.slots_used) / f64::from(slots))
    }),
    gauge("queue_depth", Unit::None, Over::Highest, "Frames that wait, all workers together", |_, r| Some(r.queued as f64)),
    gauge("quality_level", Unit::None, Over::Lowest, "Lowest step of the workers' quality ladder: 0 minimal, 1 medium, 2 full", |s, _| Some(s.calls.ladders().lowest())),
    gauge("resident_memory", Unit::Bytes, Over::Highest, "Resident memory of the process", |_, _| crate::memory::resident().map(|bytes| bytes as f64)),
    gauge("instance_memory", Unit::Bytes, Over::Highest, "Linear memory of all instances", |_, r| Some(r.tenants.memory as f64)),
    gauge("not_ready", Unit::Flag, Over::Highest, "Calls are not taken", |s, _| flag(!health::is_ready(s))),
    gauge("broker_down", Unit::None, Over::Highest, "Connections to the external broker that do not stand", |s, _| Some(s.brokers().values().filter(|up| !**up).count() as f64)),
    gauge("bridge_down", Unit::Flag, Over::Highest, "The back end is not available", |s, _| flag(!s.bridge.is_ready())),
    gauge("history_failing", Unit::Flag, Over::Highest, "History cannot be written", |s, _| flag(s.history.is_failing())),
    gauge("webhook_failing", Unit::Flag, Over::Highest, "Alerts cannot be delivered", |s, _| flag(s.alerts.is_webhook_failing())),
];

/// The counts, in the order of a [`Sample`].
#[rustfmt::skip]
pub(crate) const COUNTS: [Count; COUNT_COUNT] = [
    count("frames", "Frames and packets that guests did", |_, r| r.tenants.frames),
    count("errors", "Frames and packets that guests refused with a value", |_, r| r.tenants.errors),
    count("refused", "Sessions and frames over a tenant's quota", |_, r| r.tenants.refused),
    count("shed", "Frames given up in a queue", |_, r| r.tenants.shed),
    count("restarts", "Instances that failed", |_, r| r.tenants.restarts),
    count("lost_frames", "Frames lost because an instance failed", |_, r| r.tenants.lost_frames),
    count("keystream_overlaps", "Packets that shared keystream with another one", |_, r| r.tenants.keystream_overlaps),
    count("quality_changes", "Sessions whose quality changed", |s, _| s.calls.ladders().quality_changes()),
    count("workers_replaced", "Threads of workers that panicked and were replaced", |_, r| r.workers_replaced),
    count("reliefs", "Times that a further thread took over a worker's other sessions", |_, r| r.reliefs),
    count("sessions_opened", "Calls that began", |s, _| total(s, |t| &t.calls)),
    count("hellos_refused", "Hellos refused", |s, _| total(s, |t| &t.hellos_refused)),
    count("datagrams", "Datagrams received", |s, _| s.counters.datagrams.get()),
    count("datagrams_dropped", "Datagrams that no call took", |s, _| s.counters.dropped.list().map(|(_, count)| count).sum()),
    count("uplink_packets", "Packets of devices taken into their stream", |s, _| total(s, |t| &t.uplink_packets)),
    count("uplink_lost", "Packets of devices that never came", |s, _| total(s, |t| &t.uplink_lost)),
    count("uplink_concealed", "Frames made up for packets that never came", |s, _| total(s, |t| &t.uplink_concealed)),
    count("downlink_packets", "Packets sent to devices", |s, _| total(s, |t| &t.downlink_packets)),
    count("downlink_unsent", "Packets to devices that could not be sent", |s, _| total(s, |t| &t.downlink_unsent)),
    count("downlink_late", "Packets sent more than 20 ms after their time", |s, _| total(s, |t| &t.downlink_late)),
    count("bridge_dropped", "Frames that a slow back end did not take", |s, _| total(s, |t| &t.bridge_dropped)),
    count("bridge_failed", "Calls that lost their back end", |s, _| total(s, |t| &t.bridge_failed)),
    count("connections_refused", "Connections refused", |s, _| total(s, |t| &t.connections_refused)),
    count("messages_limited", "Messages of devices beyond limits.messages_per_second", |s, _| total(s, |t| &t.messages_limited)),
];

/// How a series' value is found in a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    Gauge(usize),
    Count(usize),
    Quantile(Stage, f64),
    Loss,
}

/// A number over time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) help: &'static str,
    pub(crate) what: What,
}

/// What is worked out of a sample.
#[rustfmt::skip]
const DERIVED: [Series; 10] = [
    quantile("queue_p50_ms", Stage::Queue, 0.50, "Time of a frame in the queue: half of them are below"),
    quantile("queue_p95_ms", Stage::Queue, 0.95, "Time of a frame in the queue: 95 of 100 are below"),
    quantile("queue_p99_ms", Stage::Queue, 0.99, "Time of a frame in the queue: 99 of 100 are below"),
    quantile("guest_p50_ms", Stage::Guest, 0.50, "Time of a frame in the guest: half of them are below"),
    quantile("guest_p95_ms", Stage::Guest, 0.95, "Time of a frame in the guest: 95 of 100 are below"),
    quantile("guest_p99_ms", Stage::Guest, 0.99, "Time of a frame in the guest: 99 of 100 are below"),
    quantile("total_p50_ms", Stage::Total, 0.50, "Time of a frame in queue and guest: half of them are below"),
    quantile("total_p95_ms", Stage::Total, 0.95, "Time of a frame in queue and guest: 95 of 100 are below"),
    quantile("total_p99_ms", Stage::Total, 0.99, "Time of a frame in queue and guest: 99 of 100 are below"),
    Series { name: "loss_percent", unit: Unit::Percent, help: "Packets of devices that never came", what: What::Loss },
];

const fn quantile(name: &'static str, stage: Stage, share: f64, help: &'static str) -> Series {
    Series { name, unit: Unit::Ms, help, what: What::Quantile(stage, share) }
}

/// All series, in the order of the reference.
pub(crate) fn all() -> impl Iterator<Item = Series> {
    let gauges = GAUGES.iter().enumerate();
    let counts = COUNTS.iter().enumerate();
    gauges
        .map(|(at, gauge)| Series { name: gauge.name, unit: gauge.unit, help: gauge.help, what: What::Gauge(at) })
        .chain(DERIVED)
        .chain(counts.map(|(at, count)| Series {
            name: count.name,
            unit: Unit::None,
            help: count.help,
            what: What::Count(at),
        }))
}

/// The series of a name.
pub(crate) fn named(name: &str) -> Option<Series> {
    all().find(|series| series.name == name)
}

impl Series {
    /// As the API has it.
    pub(crate) const fn kind(&self) -> &'static str {
        match self.what {
            What::Gauge(_) => "gauge",
            What::Count(_) => "count",
            What::Quantile(..) | What::Loss => "quantile",
        }
    }

    /// How a step is made of samples, as the API has it.
    pub(crate) const fn over(&self) -> &'static str {
        match self.what {
            What::Gauge(at) => match GAUGES[at].over {
                Over::Mean => "mean",
                Over::Highest => "highest",
                Over::Lowest => "lowest",
            },
            What::Count(_) => "sum",
            What::Quantile(..) | What::Loss => "quantile",
        }
    }

    /// Its value in a sample; counts as they are.
    pub(crate) fn value(&self, sample: &Sample) -> Option<f64> {
        match self.what {
            What::Gauge(at) => sample.gauges[at],
            What::Count(at) => Some(sample.counts[at] as f64),
            What::Quantile(stage, share) => {
                let counts = sample.latency(stage);
                (counts.count() > 0).then(|| counts.quantile(share))
            }
            What::Loss => loss(sample.count("uplink_packets"), sample.count("uplink_lost")),
        }
    }

    /// The same; counts as a rate a second.
    pub(crate) fn rate(&self, sample: &Sample) -> Option<f64> {
        let value = self.value(sample)?;
        match self.what {
            What::Count(_) => (sample.seconds > 0.0).then(|| value / sample.seconds),
            _ => Some(value),
        }
    }
}

/// What share of all packets never came, in percent. `None`: there were none.
pub(crate) fn loss(received: u64, lost: u64) -> Option<f64> {
    let all = received.saturating_add(lost);
    (all > 0).then(|| 100.0 * lost as f64 / all as f64)
}

/// The table, in Markdown.
#[must_use]
pub fn reference() -> String {
    use std::fmt::Write as _;
    let mut out = String::from("| name | kind | unit | what |\n|---|---|---|---|\n");
    for series in all() {
        let kind = match series.over() {
            over @ ("highest" | "lowest") => format!("{}, {over}", series.kind()),
            _ => series.kind().to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "| `{}` | {kind} | {} | {} |", series.name, series.unit.as_str(), series.help);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_may_be_columns_of_a_table() {
        let names: Vec<_> = all().map(|series| series.name).collect();
        for (index, name) in names.iter().enumerate() {
            assert!(!names[..index].contains(name), "{name}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{name}");
            assert!(!["tier", "at", "seconds", "queue", "guest", "total"].contains(name), "{name}");
            assert_eq!(named(name).map(|series| series.name), Some(*name));
        }
        assert!(named("x").is_none());
    }

    #[test]
    fn no_packets_are_no_loss_of_zero() {
        assert_eq!((loss(0, 0), loss(3, 1), loss(0, 2)), (None, Some(25.0), Some(100.0)));
    }
}
