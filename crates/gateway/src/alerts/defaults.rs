//! The rules that are built in.

use crate::config::AlertRule;

fn rule(name: &str, metric: &str, above: f64, hold: u64, severity: &str) -> AlertRule {
    AlertRule {
        name: name.into(),
        metric: Some(metric.into()),
        above: Some(above),
        below: None,
        hold,
        severity: severity.into(),
        enabled: true,
    }
}

/// What every operator wants to know of.
#[rustfmt::skip]
pub(crate) fn defaults() -> Vec<AlertRule> {
    vec![
        rule("latency", "total_p99_ms", 10.0, 60, "warning"),
        rule("shed", "shed", 0.0, 0, "warning"),
        rule("restarts", "restarts", 0.0, 0, "warning"),
        rule("keystream-overlap", "keystream_overlaps", 0.0, 0, "critical"),
        rule("workers-replaced", "workers_replaced", 0.0, 0, "critical"),
        rule("loss", "loss_percent", 5.0, 300, "info"),
        rule("slots", "slots_used_percent", 90.0, 60, "warning"),
        rule("not-ready", "not_ready", 0.0, 60, "critical"),
        rule("broker-down", "broker_down", 0.0, 30, "critical"),
        rule("bridge-down", "bridge_down", 0.0, 30, "critical"),
        rule("history", "history_failing", 0.0, 60, "warning"),
        rule("webhook", "webhook_failing", 0.0, 60, "warning"),
    ]
}
