//! Numbers: as JSON for people and pages, as text for Prometheus; and the configuration in force.

use super::{Site, answer, health};
use crate::calls::word;
use crate::memory;
use crate::prometheus;
use crate::shared::{Phase, Shared};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use sidetone_host::pool::LadderConfig;
use std::time::{SystemTime, UNIX_EPOCH};

/// Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn stats(State(site): State<Site>) -> Response {
    Json(all(&site.shared)).into_response()
}

/// All numbers. The pool's stand at the top, under the names of the replaced gateway's monitor.
pub(super) fn all(shared: &Shared) -> Value {
    let pool = shared.pool.stats();
    let mut stats = match serde_json::to_value(&pool) {
        Ok(Value::Object(stats)) => stats,
        _ => Map::new(),
    };
    let (uptime, recent) = (shared.now(), shared.monitor.recent());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ours = [
        ("version", json!(env!("CARGO_PKG_VERSION"))),
        (
            "component",
            json!({
                "sha256": shared.component.sha256,
                "coreSha256": shared.component.core_sha256,
                "libopus": sidetone_artifact::LIBOPUS_VERSION,
            }),
        ),
        ("started", json!(now.saturating_sub(uptime).as_millis() as u64)),
        ("uptime", json!(uptime.as_secs_f64())),
        ("phase", json!(if *shared.phase.borrow() == Phase::Serving { "serving" } else { "draining" })),
        ("ready", json!(health::is_ready(shared))),
        ("bridge", json!(shared.bridge.name())),
        ("devices", json!(shared.devices.len())),
        ("calls", json!(shared.calls.len())),
        ("residentMemory", json!(memory::resident())),
        ("shouldDowngrade", json!(shared.pool.should_downgrade())),
        ("edges", json!(shared.edges.all())),
        ("webTransport", json!(shared.web_transport())),
        ("brokers", json!(shared.brokers())),
        ("workerStats", workers(shared)),
        ("ladder", ladder(shared.calls.ladder())),
        ("recent", json!(recent.view())),
        ("alerts", json!(shared.alerts.totals())),
        ("history", json!(shared.history.status())),
        ("gateway", json!(shared.counters.all())),
    ];
    stats.extend(ours.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(stats)
}

/// The workers, each with its step of the quality ladder.
fn workers(shared: &Shared) -> Value {
    let with_level = |stats: &sidetone_host::pool::WorkerStats| {
        let rung = shared.calls.ladders().of(stats.worker);
        let mut worker = json!(stats);
        worker["quality"] = json!(rung.map_or("full", |rung| word(rung.level)));
        worker["qualitySince"] = json!(rung.map(|rung| rung.since));
        worker
    };
    shared.pool.worker_stats().iter().map(with_level).collect()
}

fn ladder(ladder: &LadderConfig) -> Value {
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    json!({
        "downMs": ms(ladder.down),
        "furtherDownMs": ms(ladder.further_down),
        "upMs": ms(ladder.up),
        "firstUpMs": ms(ladder.first_up),
        "dwellMs": ms(ladder.dwell),
    })
}

pub(super) async fn config(State(site): State<Site>) -> Response {
    Json(&*site.shared.config()).into_response()
}

pub(super) async fn metrics(State(site): State<Site>) -> Response {
    let Some(recorder) = prometheus::install() else {
        return answer::error(
            StatusCode::SERVICE_UNAVAILABLE,
            "the program that runs this gateway has a metrics recorder of its own; ask that one",
        );
    };
    gauges(&site.shared);
    ([(header::CONTENT_TYPE, TEXT_FORMAT)], recorder.render()).into_response()
}

/// What is not counted as it happens, but looked up.
fn gauges(shared: &Shared) {
    let info = [("version", env!("CARGO_PKG_VERSION").to_owned()), ("component", shared.component.sha256.clone())];
    metrics::gauge!("sidetone_build_info", &info).set(1.0);
    metrics::gauge!("sidetone_calls").set(shared.calls.len() as f64);
    metrics::gauge!("sidetone_devices").set(shared.devices.len() as f64);
    metrics::gauge!("sidetone_ready").set(if health::is_ready(shared) { 1.0 } else { 0.0 });
    let up = |name: &'static str, up: bool| metrics::gauge!(name).set(f64::from(u8::from(up)));
    up("sidetone_bridge_up", shared.bridge.is_ready());
    up("sidetone_history_up", !shared.history.is_failing());
    up("sidetone_webhook_up", !shared.alerts.is_webhook_failing());
    metrics::gauge!("sidetone_alerts_firing").set(shared.alerts.totals().firing as f64);
    metrics::gauge!("sidetone_uptime_seconds").set(shared.now().as_secs_f64());
    if let Some(bytes) = memory::resident() {
        metrics::gauge!("sidetone_resident_memory_bytes").set(bytes as f64);
    }
}
