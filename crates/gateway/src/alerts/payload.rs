//! What the webhook is sent: as Prometheus' Alertmanager sends it (version 4), so that whatever takes those takes ours; and
//! `text`, which chat services show.

use super::board::Notice;
use crate::calendar::civil;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A time that Alertmanager takes for none.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The body for some notices, at least one; `instance` is which gateway speaks.
pub(super) fn payload(notices: &[Notice], instance: &str) -> Value {
    let status = |firing| if firing { "firing" } else { "resolved" };
    let alerts: Vec<_> = notices
        .iter()
        .map(|notice| {
            json!({
                "status": status(notice.firing),
                "labels": {
                    "alertname": notice.id,
                    "severity": notice.severity,
                    "metric": notice.metric,
                    "instance": instance,
                },
                "annotations": { "summary": notice.summary },
                "startsAt": rfc3339(notice.started),
                "endsAt": notice.ended.map_or_else(|| NEVER.into(), rfc3339),
                "generatorURL": "",
                "fingerprint": fingerprint(&notice.id, instance),
            })
        })
        .collect();
    let line = |notice: &Notice| {
        let word = if notice.firing { notice.severity.as_str() } else { "resolved" };
        format!("[{word}] {instance}: {}: {}", notice.id, notice.summary)
    };
    json!({
        "version": "4",
        "groupKey": format!("{{}}:{{instance={instance:?}}}"),
        "truncatedAlerts": 0,
        "status": status(notices.iter().any(|notice| notice.firing)),
        "receiver": "sidetone",
        "groupLabels": { "instance": instance },
        "commonLabels": { "instance": instance },
        "commonAnnotations": {},
        "externalURL": "",
        "alerts": alerts,
        "text": notices.iter().map(line).collect::<Vec<_>>().join("\n"),
    })
}

/// The same for the same alert of the same gateway, whenever it fires.
fn fingerprint(id: &str, instance: &str) -> String {
    let hash = Sha256::new().chain_update(instance).chain_update([0]).chain_update(id).finalize();
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Milliseconds of Unix time as RFC 3339 has them.
fn rfc3339(unix: u64) -> String {
    let (seconds, millis) = (unix / 1000, unix % 1000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::super::rule::Severity;
    use super::*;

    #[test]
    fn times_are_told_as_everybody_tells_them() {
        let told = [0, 951_782_400_000, 1_709_164_799_999, 1_790_000_000_123, 4_107_542_400_000].map(rfc3339);
        let expected = [
            "1970-01-01T00:00:00.000Z",
            "2000-02-29T00:00:00.000Z",
            "2024-02-28T23:59:59.999Z",
            "2026-09-21T14:13:20.123Z",
            "2100-03-01T00:00:00.000Z",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn it_is_what_alertmanager_sends() {
        let notice = |firing| Notice {
            id: "latency".into(),
            metric: "total_p99_ms",
            severity: Severity::Warning,
            firing,
            summary: "it is slow".into(),
            started: 0,
            ended: (!firing).then_some(1_000),
        };
        let sent = payload(&[notice(true), notice(false)], "gate-1");
        assert_eq!((&sent["version"], &sent["status"]), (&"4".into(), &"firing".into()));
        let (fires, over) = (&sent["alerts"][0], &sent["alerts"][1]);
        let labels =
            json!({ "alertname": "latency", "severity": "warning", "metric": "total_p99_ms", "instance": "gate-1" });
        assert_eq!((&fires["status"], &fires["labels"], &fires["endsAt"]), (&"firing".into(), &labels, &NEVER.into()));
        assert_eq!((&over["status"], &over["endsAt"]), (&"resolved".into(), &"1970-01-01T00:00:01.000Z".into()));
        assert_eq!(fires["fingerprint"], over["fingerprint"]);
        assert_eq!(sent["text"], "[warning] gate-1: latency: it is slow\n[resolved] gate-1: latency: it is slow");
        assert_eq!(payload(&[notice(false)], "g")["status"], "resolved");
    }
}
