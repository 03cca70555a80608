//! Every metric that a pool reports through the `metrics` facade: name, kind, unit, labels, help.
//!
//! One table: what the pool registers, what [`describe`] tells the recorder, and what a dashboard or an alert rule can be
//! made from. Labels are tenants, workers and fixed words, never sessions: those would grow without a bound.

use metrics::{Counter, Gauge, Histogram, Label};

/// What a metric counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Things.
    Count,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// How a metric moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Only up.
    Counter,
    /// Up and down.
    Gauge,
    /// Many values, of which the distribution matters.
    Histogram,
}

/// A metric, as the pool reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name, in Prometheus's style.
    pub name: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// What it counts in.
    pub unit: Unit,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, in a sentence.
    pub help: &'static str,
}

macro_rules! table {
    ($($(#[$doc:meta])* $ident:ident = $name:literal, $kind:ident, $unit:ident, [$($label:literal),*], $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $ident: Metric = Metric {
                name: $name,
                kind: Kind::$kind,
                unit: Unit::$unit,
                labels: &[$($label),*],
                help: $help,
            };
        )*
        /// All of them.
        pub const ALL: &[Metric] = &[$($ident),*];
    };
}

table! {
    FRAMES = "sidetone_frames_total", Counter, Count, ["tenant"],
        "Frames and packets that a guest was given and did.";
    ERRORS = "sidetone_errors_total", Counter, Count, ["tenant", "kind"],
        "Frames and packets that a guest refused with a value, by kind: bad datagrams, bad settings.";
    REFUSED = "sidetone_refused_total", Counter, Count, ["tenant", "quota"],
        "Sessions and frames refused, by the quota that the tenant had used up.";
    SHED = "sidetone_shed_total", Counter, Count, ["tenant", "why"],
        "Frames given up in a queue: too old, queue full, discarded.";
    RESTARTS = "sidetone_restarts_total", Counter, Count, ["tenant", "cause"],
        "Instances that failed, by cause.";
    LOST_FRAMES = "sidetone_lost_frames_total", Counter, Count, ["tenant"],
        "Frames lost because an instance failed.";
    SESSIONS_CLOSED = "sidetone_sessions_closed_total", Counter, Count, ["tenant", "reason"],
        "Sessions closed by the pool and not by their owner.";
    CONCEALED = "sidetone_concealed_total", Counter, Count, ["tenant"],
        "Frames made up for packets that never came.";
    KEYSTREAM_OVERLAPS = "sidetone_keystream_overlaps_total", Counter, Count, ["tenant"],
        "Packets that shared keystream with another one; seen within 32 packets.";
    QUALITY_CHANGES = "sidetone_quality_changes_total", Counter, Count, ["tenant", "from", "to"],
        "Changes of a session's quality, by the ladder or a pin.";
    LADDER_CHANGES = "sidetone_ladder_changes_total", Counter, Count, ["worker", "from", "to"],
        "Steps that a worker took on its quality ladder.";
    WORKERS_REPLACED = "sidetone_workers_replaced_total", Counter, Count, ["worker"],
        "Threads of a worker that panicked and were replaced.";
    RELIEFS = "sidetone_reliefs_total", Counter, Count, ["worker"],
        "Times that a further thread took over a worker's other sessions, because one guest took long.";
    SWAPS = "sidetone_swaps_total", Counter, Count, ["result"],
        "Components offered to a running pool: swapped, or refused.";
    SESSIONS = "sidetone_sessions", Gauge, Count, ["tenant"],
        "Sessions, codecs and packet caches open.";
    WORKER_SESSIONS = "sidetone_worker_sessions", Gauge, Count, ["worker"],
        "Sessions, codecs and packet caches that live on a worker.";
    INSTANCE_MEMORY = "sidetone_instance_memory_bytes", Gauge, Bytes, ["tenant"],
        "Linear memory of a tenant's instances, resident or not.";
    SLOTS = "sidetone_slots", Gauge, Count, [],
        "Instances that the pool has room for.";
    SLOTS_USED = "sidetone_slots_used", Gauge, Count, [],
        "Instances that live.";
    QUEUE_DEPTH = "sidetone_queue_depth", Gauge, Count, ["worker"],
        "Frames that waited when a worker last took one.";
    QUALITY_LEVEL = "sidetone_quality_level", Gauge, Count, ["worker"],
        "Step of a worker's quality ladder: 0 minimal, 1 medium, 2 full.";
    QUEUE_SECONDS = "sidetone_queue_seconds", Histogram, Seconds, ["worker"],
        "Time of a frame in the queue.";
    GUEST_SECONDS = "sidetone_guest_seconds", Histogram, Seconds, ["worker"],
        "Time of a frame in the guest.";
    TOTAL_SECONDS = "sidetone_total_seconds", Histogram, Seconds, ["worker"],
        "Time of a frame in queue and guest.";
    TENANT_SECONDS = "sidetone_tenant_seconds", Histogram, Seconds, ["tenant"],
        "Time of a frame in queue and guest, by tenant.";
}

/// Tells the recorder that is installed of all metrics. A pool does so when it is built.
pub fn describe() {
    for metric in ALL {
        let (name, unit, help) = (metric.name, metric.unit.of_facade(), metric.help);
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(name, unit, help),
            Kind::Gauge => metrics::describe_gauge!(name, unit, help),
            Kind::Histogram => metrics::describe_histogram!(name, unit, help),
        }
    }
}

impl Unit {
    const fn of_facade(self) -> metrics::Unit {
        match self {
            Self::Count => metrics::Unit::Count,
            Self::Seconds => metrics::Unit::Seconds,
            Self::Bytes => metrics::Unit::Bytes,
        }
    }
}

impl Metric {
    /// The counter of these values of the labels.
    pub(crate) fn counter(&self, values: &[&str]) -> Counter {
        metrics::counter!(self.name, self.with(values))
    }

    /// The gauge of these values of the labels.
    pub(crate) fn gauge(&self, values: &[&str]) -> Gauge {
        metrics::gauge!(self.name, self.with(values))
    }

    /// The histogram of these values of the labels.
    pub(crate) fn histogram(&self, values: &[&str]) -> Histogram {
        metrics::histogram!(self.name, self.with(values))
    }

    fn with(&self, values: &[&str]) -> Vec<Label> {
        debug_assert_eq!(self.labels.len(), values.len(), "{}", self.name);
        self.labels.iter().zip(values).map(|(&name, &value)| Label::new(name, value.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_say_what_they_count() {
        for (index, metric) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|other| other.name != metric.name), "{}", metric.name);
            assert!(metric.name.starts_with("sidetone_") && metric.help.ends_with('.'), "{}", metric.name);
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
            assert_eq!(metric.name.ends_with("_seconds"), metric.unit == Unit::Seconds, "{}", metric.name);
            assert_eq!(metric.name.ends_with("_bytes"), metric.unit == Unit::Bytes, "{}", metric.name);
        }
    }
}
