//! The last minute, as the API has it.

use super::sample::{Sample, Stage};
use super::series;
use serde::Serialize;
use sidetone_host::pool::Latency;
use std::collections::BTreeMap;
use std::time::Duration;

/// Bounds of the buckets that latencies are shown in: from what a frame takes to what loses one. Prometheus has the same.
pub(crate) const BOUNDS: [Duration; 14] = [
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(60),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_secs(1),
];

/// The same in ms.
pub(crate) fn bounds_ms() -> [f64; BOUNDS.len()] {
    BOUNDS.map(|bound| bound.as_micros() as f64 / 1e3)
}

/// What happened in the last minute; gauges as they stand now.
#[derive(Debug, Default)]
pub(crate) struct Recent(pub(super) Sample);

/// For `/api/stats`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecentView {
    seconds: f64,
    bounds_ms: [f64; BOUNDS.len()],
    queue: StageView,
    guest: StageView,
    total: StageView,
    values: BTreeMap<&'static str, Option<f64>>,
}

#[derive(Debug, Serialize)]
struct StageView {
    latency: Latency,
    counts: Vec<u64>,
}

impl Recent {
    pub(crate) fn view(&self) -> RecentView {
        let stage = |stage| {
            let counts = self.0.latency(stage);
            StageView { latency: counts.summary(), counts: counts.between(&BOUNDS) }
        };
        RecentView {
            seconds: self.0.seconds,
            bounds_ms: bounds_ms(),
            queue: stage(Stage::Queue),
            guest: stage(Stage::Guest),
            total: stage(Stage::Total),
            values: series::all().map(|series| (series.name, series.value(&self.0))).collect(),
        }
    }
}
