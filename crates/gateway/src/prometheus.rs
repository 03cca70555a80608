//! The metrics, in Prometheus' text format: the list of them all, and the recorder that counts.
//!
//! A process has one recorder: gateways in one process (tests) count together.

use crate::monitor::BOUNDS;
use metrics::{describe_counter, describe_gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sidetone_host::metrics::{Kind, Metric, Unit};
use std::sync::OnceLock;
use std::time::Duration;

/// How often histograms are put in order; between scrapes they would grow.
const UPKEEP: Duration = Duration::from_secs(5);

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, unit: Unit::Count, labels, help }
}

const fn gauge(name: &'static str, unit: Unit, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, unit, labels, help }
}

/// The gateway's own metrics; the pool's are in [`sidetone_host::metrics`].
#[rustfmt::skip]
pub(crate) const METRICS: &[Metric] = &[
    counter("sidetone_datagrams_total", &[], "Datagrams received."),
    counter("sidetone_datagram_bytes_total", &[], "Bytes of datagrams received."),
    counter("sidetone_datagrams_dropped_total", &["cause"], "Datagrams that no call took, by cause."),
    counter("sidetone_unknown_flood_total", &[], "Datagrams of unknown connection ids beyond their source's rate."),
    counter("sidetone_connections_total", &[], "Devices that connected."),
    counter("sidetone_connections_refused_total", &[], "Connections refused: a limit was reached, credentials or request were wrong."),
    counter("sidetone_connections_replaced_total", &[], "Devices that connected while a connection with their client id stood, which ended for it."),
    counter("sidetone_connections_broken_total", &[], "WebSocket connections ended because the peer broke a rule or did not read."),
    counter("sidetone_messages_total", &[], "Messages of devices."),
    counter("sidetone_messages_malformed_total", &[], "Messages of devices that are not understood."),
    counter("sidetone_messages_limited_total", &[], "Messages of devices beyond limits.messages_per_second."),
    counter("sidetone_hellos_total", &[], "Hellos of devices."),
    counter("sidetone_hellos_refused_total", &[], "Hellos refused: busy, draining, or the back end is not there."),
    counter("sidetone_calls_total", &[], "Calls that began."),
    counter("sidetone_wrong_key_total", &[], "Calls ended because their packets decrypt to nonsense."),
    counter("sidetone_return_address_changes_total", &[], "Devices whose address changed during a call."),
    counter("sidetone_uplink_packets_total", &[], "Packets of devices taken into their stream."),
    counter("sidetone_uplink_lost_total", &[], "Packets of devices that never came."),
    counter("sidetone_uplink_concealed_total", &[], "Frames made up for packets that never came."),
    counter("sidetone_keystream_overlap_total", &[], "Packets of devices that share keystream with an earlier one, of calls that are over: firmware whose timestamps stand still."),
    counter("sidetone_downlink_packets_total", &[], "Packets sent to devices."),
    counter("sidetone_downlink_unsent_total", &[], "Packets to devices that could not be sent."),
    counter("sidetone_downlink_late_total", &[], "Packets sent more than 20 ms after their time."),
    counter("sidetone_downlink_shed_total", &[], "Frames of live speech dropped because the device held enough to play."),
    counter("sidetone_bridge_dropped_total", &[], "Frames that a slow back end did not take."),
    counter("sidetone_bridge_failed_total", &[], "Calls that lost their back end."),
    counter("sidetone_server_connections_total", &[], "Connections to the speech server that were made."),
    counter("sidetone_server_failures_total", &[], "Connections to the speech server that failed or broke."),
    counter("sidetone_server_packets_total", &["direction"], "Packets to and from the speech server."),
    counter("sidetone_server_messages_total", &["direction"], "Messages from the speech server."),
    counter("sidetone_server_transcoded_total", &[], "Packets coded anew on their way from the speech server."),
    counter("sidetone_server_dropped_total", &["cause"], "Packets from the speech server that were dropped, by cause."),
    counter("sidetone_record_files_total", &[], "Files of recordings."),
    counter("sidetone_record_bytes_total", &[], "Bytes of recordings."),
    counter("sidetone_record_lost_total", &[], "What recordings lack: a disk was too slow."),
    counter("sidetone_record_full_total", &[], "Recordings that reached bridge.most_bytes."),
    counter("sidetone_record_failed_total", &[], "Recordings that could not be written."),
    gauge("sidetone_calls", Unit::Count, &[], "Calls that are live."),
    gauge("sidetone_devices", Unit::Count, &[], "Devices that are connected."),
    gauge("sidetone_broker_up", Unit::Count, &["connection"], "1 while a connection to the external broker stands."),
    gauge("sidetone_bridge_up", Unit::Count, &[], "1 while the back end is available."),
    gauge("sidetone_history_up", Unit::Count, &[], "1 while history is kept, or is off."),
    gauge("sidetone_webhook_up", Unit::Count, &[], "1 while alerts can be delivered, or there is no webhook."),
    gauge("sidetone_alerts_firing", Unit::Count, &[], "Alerts that fire, silenced or not."),
    gauge("sidetone_ready", Unit::Count, &[], "1 while calls are taken."),
    gauge("sidetone_uptime_seconds", Unit::Seconds, &[], "Time since the gateway started."),
    gauge("sidetone_resident_memory_bytes", Unit::Bytes, &[], "Resident memory of the process."),
    gauge("sidetone_build_info", Unit::Count, &["version", "component"], "1; version and component are labels."),
];

/// The recorder of this process, installed where none is. `None`: the program that embeds the gateway has its own.
pub(crate) fn install() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER.get_or_init(make).as_ref()
}

fn make() -> Option<PrometheusHandle> {
    let builder = PrometheusBuilder::new();
    let builder = match builder
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BOUNDS.map(|bound| bound.as_secs_f64()))
    {
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
            Kind::Gauge => describe_gauge!(metric.name, metric.help),
            _ => describe_counter!(metric.name, metric.help),
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
