//! What the gateway counts, once for `/api/stats` and once for the `metrics` facade.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A count that goes up.
pub(crate) struct Count {
    value: AtomicU64,
    metric: metrics::Counter,
}

impl Count {
    fn new(metric: metrics::Counter) -> Self {
        Self { value: AtomicU64::new(0), metric }
    }

    pub(crate) fn add(&self, n: u64) {
        self.value.fetch_add(n, Relaxed);
        self.metric.increment(n);
    }

    pub(crate) fn get(&self) -> u64 {
        self.value.load(Relaxed)
    }
}

impl std::fmt::Debug for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(f)
    }
}

/// Declares a group of counts: field, metric, label, help.
macro_rules! counts {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $metric:literal $(, $label:literal = $value:literal)?;)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name {
            $(pub(crate) $field: Count,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: Count::new(metrics::counter!($metric $(, $label => $value)?)),)* }
            }
        }

        impl $name {
            pub(crate) fn list(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($field), self.$field.get()),)*].into_iter()
            }
        }
    };
}

counts! {
    /// Datagrams that no call took, by cause.
    Dropped {
        oversized: "sidetone_datagrams_dropped_total", "cause" = "oversized";
        truncated: "sidetone_datagrams_dropped_total", "cause" = "truncated";
        unknown: "sidetone_datagrams_dropped_total", "cause" = "unknown_connection";
        rate: "sidetone_datagrams_dropped_total", "cause" = "rate";
        stranger: "sidetone_datagrams_dropped_total", "cause" = "stranger";
        inbox: "sidetone_datagrams_dropped_total", "cause" = "inbox_full";
        malformed: "sidetone_datagrams_dropped_total", "cause" = "malformed";
        replayed: "sidetone_datagrams_dropped_total", "cause" = "replayed";
        far_ahead: "sidetone_datagrams_dropped_total", "cause" = "far_ahead";
        implausible: "sidetone_datagrams_dropped_total", "cause" = "implausible";
        late: "sidetone_datagrams_dropped_total", "cause" = "late";
        text: "sidetone_datagrams_dropped_total", "cause" = "text";
        pool: "sidetone_datagrams_dropped_total", "cause" = "pool";
    }
}

counts! {
    /// Everything else.
    Totals {
        connections: "sidetone_connections_total";
        connections_refused: "sidetone_connections_refused_total";
        connections_replaced: "sidetone_connections_replaced_total";
        connections_broken: "sidetone_connections_broken_total";
        messages: "sidetone_messages_total";
        messages_malformed: "sidetone_messages_malformed_total";
        messages_limited: "sidetone_messages_limited_total";
        hellos: "sidetone_hellos_total";
        hellos_refused: "sidetone_hellos_refused_total";
        calls: "sidetone_calls_total";
        wrong_key: "sidetone_wrong_key_total";
        rebound: "sidetone_return_address_changes_total";
        uplink_packets: "sidetone_uplink_packets_total";
        uplink_lost: "sidetone_uplink_lost_total";
        uplink_concealed: "sidetone_uplink_concealed_total";
        keystream_overlap: "sidetone_keystream_overlap_total";
        downlink_packets: "sidetone_downlink_packets_total";
        downlink_unsent: "sidetone_downlink_unsent_total";
        downlink_late: "sidetone_downlink_late_total";
        downlink_shed: "sidetone_downlink_shed_total";
        bridge_dropped: "sidetone_bridge_dropped_total";
        bridge_failed: "sidetone_bridge_failed_total";
    }
}

counts! {
    /// What a speech server's calls counted.
    SpeechServerCounts {
        connections: "sidetone_server_connections_total";
        failures: "sidetone_server_failures_total";
        packets_up: "sidetone_server_packets_total", "direction" = "up";
        packets_down: "sidetone_server_packets_total", "direction" = "down";
        messages_down: "sidetone_server_messages_total", "direction" = "down";
        transcoded: "sidetone_server_transcoded_total";
        untranscoded: "sidetone_server_dropped_total", "cause" = "not_transcoded";
        stray: "sidetone_server_dropped_total", "cause" = "outside_of_speech";
        nonsense: "sidetone_server_dropped_total", "cause" = "nonsense";
    }
}

counts! {
    /// What a recorder counted.
    RecordCounts {
        files: "sidetone_record_files_total";
        bytes: "sidetone_record_bytes_total";
        lost: "sidetone_record_lost_total";
        dropped: "sidetone_bridge_dropped_total";
        full: "sidetone_record_full_total";
        failed: "sidetone_record_failed_total";
    }
}

/// All counts.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) datagrams: Count,
    pub(crate) datagram_bytes: Count,
    pub(crate) unknown_flood: Count,
    pub(crate) dropped: Dropped,
    pub(crate) totals: Totals,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            datagrams: Count::new(metrics::counter!("sidetone_datagrams_total")),
            datagram_bytes: Count::new(metrics::counter!("sidetone_datagram_bytes_total")),
            unknown_flood: Count::new(metrics::counter!("sidetone_unknown_flood_total")),
            dropped: Dropped::default(),
            totals: Totals::default(),
        }
    }
}

impl Counters {
    /// Names and values: `datagrams`, `dropped.replayed`, `hellos`, …
    pub(crate) fn all(&self) -> BTreeMap<String, u64> {
        let single = [
            ("datagrams", self.datagrams.get()),
            ("datagram_bytes", self.datagram_bytes.get()),
            ("unknown_flood", self.unknown_flood.get()),
        ];
        let dropped = self.dropped.list().map(|(name, value)| (format!("dropped.{name}"), value));
        let totals = single.into_iter().chain(self.totals.list());
        totals.map(|(name, value)| (name.to_owned(), value)).chain(dropped).collect()
    }
}
