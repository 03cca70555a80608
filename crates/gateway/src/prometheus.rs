//! The metrics, in Prometheus' text format: the list of them all, and the recorder that counts.
//!
//! A process has one recorder: gateways in one process (tests) count together.

use metrics::{describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use std::time::Duration;

/// How often histograms are put in order; between scrapes they would grow.
const UPKEEP: Duration = Duration::from_secs(5);

/// Bounds of latency buckets, in seconds: from what a frame takes to what loses one.
const BUCKETS: [f64; 14] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.25, 1.0];

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetricKind {
    Counter,
    Gauge,
    Histogram,
}

/// A metric.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) kind: MetricKind,
    pub(crate) help: &'static str,
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Counter, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Gauge, help }
}

const fn histogram(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Histogram, help }
}

/// All metrics there are.
pub(crate) const METRICS: &[Metric] = &[
    counter("sidetone_datagrams_total", "Datagrams received"),
    counter("sidetone_datagram_bytes_total", "Bytes of datagrams received"),
    counter("sidetone_datagrams_dropped_total", "Datagrams that no call took, by cause"),
    counter("sidetone_unknown_flood_total", "Datagrams of unknown connection ids beyond their source's rate"),
    counter("sidetone_connections_total", "Devices that connected"),
    counter("sidetone_connections_refused_total", "Devices refused because limits.devices were connected"),
    counter("sidetone_messages_total", "Messages of devices"),
    counter("sidetone_messages_malformed_total", "Messages of devices that are not understood"),
    counter("sidetone_messages_limited_total", "Messages of devices beyond limits.messages_per_second"),
    counter("sidetone_hellos_total", "Hellos of devices"),
    counter("sidetone_hellos_refused_total", "Hellos refused: busy, draining, or the back end is not there"),
    counter("sidetone_calls_total", "Calls that began"),
    counter("sidetone_wrong_key_total", "Calls ended because their packets decrypt to nonsense"),
    counter("sidetone_return_address_changes_total", "Devices whose address changed during a call"),
    counter("sidetone_uplink_packets_total", "Packets of devices taken into their stream"),
    counter("sidetone_uplink_lost_total", "Packets of devices that never came"),
    counter("sidetone_uplink_concealed_total", "Frames made up for packets that never came"),
    counter("sidetone_downlink_packets_total", "Packets sent to devices"),
    counter("sidetone_downlink_unsent_total", "Packets to devices that could not be sent"),
    counter("sidetone_downlink_late_total", "Packets sent more than 20 ms after their time"),
    counter("sidetone_bridge_dropped_total", "Frames that a slow back end did not take"),
    counter("sidetone_bridge_failed_total", "Calls that lost their back end"),
    counter("sidetone_frames_total", "Work that a guest has done, by tenant"),
    counter("sidetone_errors_total", "Work that a guest refused, by tenant"),
    counter("sidetone_refused_total", "Frames over a tenant's quota"),
    counter("sidetone_shed_total", "Frames given up in a queue, by tenant"),
    counter("sidetone_restarts_total", "Instances that failed, by tenant"),
    counter("sidetone_restarts_by_cause_total", "Instances that failed, by cause"),
    counter("sidetone_lost_frames_total", "Frames lost with an instance that failed, by tenant"),
    counter("sidetone_concealed_total", "Frames that a guest made up, by tenant"),
    counter("sidetone_keystream_overlaps_total", "Packets that shared keystream with another, of calls that ended"),
    counter("sidetone_workers_replaced_total", "Worker threads that panicked and were replaced"),
    gauge("sidetone_queue_depth", "Frames that wait, by worker"),
    gauge("sidetone_calls", "Calls that are live"),
    gauge("sidetone_devices", "Devices that are connected"),
    gauge("sidetone_pool_sessions", "Sessions open in the pool"),
    gauge("sidetone_pool_slots", "Instances that the pool has room for"),
    gauge("sidetone_broker_up", "1 while a connection to the external broker stands"),
    gauge("sidetone_ready", "1 while calls are taken"),
    gauge("sidetone_uptime_seconds", "Time since the gateway started"),
    gauge("sidetone_resident_memory_bytes", "Resident memory of the process"),
    gauge("sidetone_build_info", "1; version and component are labels"),
    histogram("sidetone_queue_seconds", "Time that a frame waited for its worker"),
    histogram("sidetone_guest_seconds", "Time that a frame took in the guest"),
    histogram("sidetone_total_seconds", "Both together"),
];

/// The recorder of this process, installed where none is. `None`: the program that embeds the gateway has its own.
pub(crate) fn install() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER.get_or_init(make).as_ref()
}

fn make() -> Option<PrometheusHandle> {
    let builder = PrometheusBuilder::new();
    let builder = match builder.set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BUCKETS) {
        Ok(builder) => builder,
        Err(error) => {
            tracing::error!(%error, "no metrics: the buckets are refused");
            return None;
        }
    };
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    if let Err(error) = metrics::set_global_recorder(recorder) {
        tracing::info!(%error, "no metrics here: this program has a recorder of its own");
        return None;
    }
    for metric in METRICS {
        match metric.kind {
            MetricKind::Counter => describe_counter!(metric.name, metric.help),
            MetricKind::Gauge => describe_gauge!(metric.name, metric.help),
            MetricKind::Histogram => describe_histogram!(metric.name, metric.help),
        }
    }
    Some(handle)
}

/// Keeps the recorder in order, without an end.
pub(crate) async fn keep_up(recorder: &'static PrometheusHandle) {
    let mut tick = tokio::time::interval(UPKEEP);
    loop {
        tick.tick().await;
        recorder.run_upkeep();
    }
}
