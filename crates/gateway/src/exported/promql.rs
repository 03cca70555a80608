//! The series that rules compare, as expressions of Prometheus.

use sidetone_host::metrics as pool;

/// Over how long Prometheus looks at counters and histograms: a few scrapes, of usually 15 to 60 s.
const WINDOW: &str = "5m";

/// A series as an expression. `None`: Prometheus is not told of it.
pub(super) fn expression(series: &str) -> Option<String> {
    let increase = |name: &str| {
        // A counter that appears with its first count has no increase; it is new.
        format!("(sum(increase({name}[{WINDOW}])) > 0 or sum({name} unless {name} offset {WINDOW}))")
    };
    let quantile = |name: &str, share: &str| {
        format!("1000 * histogram_quantile({share}, sum by (le) (rate({name}_bucket[{WINDOW}])))")
    };
    Some(match series {
        "total_p99_ms" => quantile(pool::TOTAL_SECONDS.name, "0.99"),
        "queue_p99_ms" => quantile(pool::QUEUE_SECONDS.name, "0.99"),
        "guest_p99_ms" => quantile(pool::GUEST_SECONDS.name, "0.99"),
        "shed" => increase(pool::SHED.name),
        "restarts" => increase(pool::RESTARTS.name),
        "keystream_overlaps" => increase(pool::KEYSTREAM_OVERLAPS.name),
        "workers_replaced" => increase(pool::WORKERS_REPLACED.name),
        "slots_used_percent" => format!("100 * {} / {}", pool::SLOTS_USED.name, pool::SLOTS.name),
        "loss_percent" => {
            let rate = |name: &str| format!("rate({name}[{WINDOW}])");
            let (lost, packets) = (rate("sidetone_uplink_lost_total"), rate("sidetone_uplink_packets_total"));
            format!("100 * {lost} / ({lost} + {packets} > 0)")
        }
        "not_ready" => "1 - sidetone_ready".into(),
        "broker_down" => "count(sidetone_broker_up == 0)".into(),
        "bridge_down" => "1 - sidetone_bridge_up".into(),
        "history_failing" => "1 - sidetone_history_up".into(),
        "webhook_failing" => "1 - sidetone_webhook_up".into(),
        _ => return None,
    })
}
