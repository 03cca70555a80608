//! A dashboard for Grafana: a panel for each metric, what matters most first.

use super::metrics;
use super::promql::expression;
use serde_json::{Value, json};
use sidetone_host::metrics::{Kind, Metric, Unit};

/// Width of the grid, and of a panel.
const GRID: u64 = 24;
const WIDTH: u64 = 8;
const HEIGHT: u64 = 7;

/// What is shown large, on top: title, expression, unit.
fn summary() -> Vec<(&'static str, String, &'static str)> {
    let of = |series| expression(series).unwrap_or_default();
    vec![
        ("Calls", "sum(sidetone_calls)".into(), "none"),
        ("Devices", "sum(sidetone_devices)".into(), "none"),
        ("Latency p99", of("total_p99_ms"), "ms"),
        ("Uplink loss", of("loss_percent"), "percent"),
        ("Slots used", of("slots_used_percent"), "percent"),
        ("Taking calls", "min(sidetone_ready)".into(), "none"),
    ]
}

/// The dashboard, as JSON that Grafana imports.
#[must_use]
pub fn grafana() -> Value {
    let mut panels = Vec::new();
    let wide = GRID / summary().len() as u64;
    for (index, (title, expr, unit)) in summary().into_iter().enumerate() {
        let place = json!({ "x": index as u64 * wide, "y": 0, "w": wide, "h": 4 });
        panels.push(panel(panels.len(), "stat", title, "", unit, place, &[target(0, &expr, "")]));
    }
    // What says most first: time, then counts, then states.
    let order = |metric: &&Metric| match metric.kind {
        Kind::Histogram => 0,
        Kind::Counter => 1,
        _ => 2,
    };
    let mut all: Vec<_> = metrics().collect();
    all.sort_by_key(order);
    for (index, metric) in all.into_iter().enumerate() {
        let (column, row) = (index as u64 % (GRID / WIDTH), index as u64 / (GRID / WIDTH));
        let place = json!({ "x": column * WIDTH, "y": 4 + row * HEIGHT, "w": WIDTH, "h": HEIGHT });
        panels.push(of_metric(panels.len(), metric, place));
    }
    json!({
        "title": "Sidetone",
        "uid": "sidetone-gateway",
        "tags": ["sidetone"],
        "schemaVersion": 39,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": { "from": "now-6h", "to": "now" },
        "templating": { "list": [
            { "name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus" },
        ] },
        "panels": panels,
    })
}

fn of_metric(id: usize, metric: &Metric, place: Value) -> Value {
    let name = metric.name;
    let by = metric.labels.join(", ");
    let legend = metric.labels.iter().map(|label| format!("{{{{{label}}}}}")).collect::<Vec<_>>().join(" ");
    let sum = |what: &str| if by.is_empty() { format!("sum({what})") } else { format!("sum by ({by}) ({what})") };
    let targets = match metric.kind {
        Kind::Counter => vec![target(0, &sum(&format!("rate({name}[$__rate_interval])")), &legend)],
        Kind::Histogram => [("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99")]
            .into_iter()
            .enumerate()
            .map(|(index, (share, word))| {
                let buckets = format!("sum by (le) (rate({name}_bucket[$__rate_interval]))");
                target(index, &format!("histogram_quantile({share}, {buckets})"), word)
            })
            .collect(),
        _ => vec![target(0, name, &legend)],
    };
    let unit = match (metric.kind, metric.unit) {
        (Kind::Counter, Unit::Bytes) => "Bps",
        (Kind::Counter, _) => "cps",
        (_, Unit::Seconds) => "s",
        (_, Unit::Bytes) => "bytes",
        _ => "none",
    };
    panel(id, "timeseries", name, metric.help, unit, place, &targets)
}

fn panel(id: usize, kind: &str, title: &str, about: &str, unit: &str, place: Value, targets: &[Value]) -> Value {
    json!({
        "id": id + 1,
        "type": kind,
        "title": title,
        "description": about,
        "datasource": { "type": "prometheus", "uid": "${datasource}" },
        "gridPos": place,
        "fieldConfig": { "defaults": { "unit": unit, "min": 0 }, "overrides": [] },
        "targets": targets,
    })
}

fn target(index: usize, expr: &str, legend: &str) -> Value {
    let number = ["A", "B", "C"][index % 3];
    json!({ "refId": number, "expr": expr, "legendFormat": legend })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_a_panel_and_no_two_lie_on_each_other() {
        let dashboard = grafana();
        let panels = dashboard["panels"].as_array().unwrap();
        for metric in metrics() {
            let panel = panels.iter().find(|panel| panel["title"] == metric.name).unwrap();
            let targets = panel["targets"].as_array().unwrap();
            assert!(targets.iter().all(|target| target["expr"].as_str().unwrap().contains(metric.name)), "{panel}");
            assert_eq!(targets.len(), if metric.kind == Kind::Histogram { 3 } else { 1 });
        }
        let cells = |panel: &Value| {
            let at = |name: &str| panel["gridPos"][name].as_u64().unwrap();
            let (x, y, w, h) = (at("x"), at("y"), at("w"), at("h"));
            assert!(x + w <= GRID);
            (x..x + w).flat_map(move |x| (y..y + h).map(move |y| (x, y))).collect::<Vec<_>>()
        };
        let mut taken = std::collections::HashSet::new();
        assert!(panels.iter().flat_map(cells).all(|cell| taken.insert(cell)));
        let ids: std::collections::HashSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
        assert_eq!(ids.len(), panels.len());
    }
}
