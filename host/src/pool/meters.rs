//! What a worker measures.

use super::histogram::Histogram;
use super::meter::Meter;
use super::stream_work::word;
use crate::metrics as table;
use metrics::Gauge;
use sidetone_session::Quality;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

pub(crate) struct Meters {
    pub(crate) queue: Histogram,
    pub(crate) guest: Histogram,
    pub(crate) total: Histogram,
    /// Sum, over all frames that were taken, of those that waited then.
    pub(crate) depth: AtomicU64,
    /// Average of the last frames' latency, in ns.
    pub(crate) average_nanos: AtomicU64,
    pub(crate) replaced: Meter,
    pub(crate) reliefs: Meter,
    name: String,
    queue_metric: metrics::Histogram,
    guest_metric: metrics::Histogram,
    total_metric: metrics::Histogram,
    depth_metric: Gauge,
    level_metric: Gauge,
    pub(crate) sessions_metric: Gauge,
}

impl Meters {
    pub(crate) fn new(worker: usize) -> Self {
        let name = worker.to_string();
        let meters = Self {
            queue: Histogram::default(),
            guest: Histogram::default(),
            total: Histogram::default(),
            depth: AtomicU64::new(0),
            average_nanos: AtomicU64::new(0),
            replaced: Meter::new(table::WORKERS_REPLACED.counter(&[&name])),
            reliefs: Meter::new(table::RELIEFS.counter(&[&name])),
            queue_metric: table::QUEUE_SECONDS.histogram(&[&name]),
            guest_metric: table::GUEST_SECONDS.histogram(&[&name]),
            total_metric: table::TOTAL_SECONDS.histogram(&[&name]),
            depth_metric: table::QUEUE_DEPTH.gauge(&[&name]),
            level_metric: table::QUALITY_LEVEL.gauge(&[&name]),
            sessions_metric: table::WORKER_SESSIONS.gauge(&[&name]),
            name,
        };
        meters.level_metric.set(height(Quality::Full));
        meters
    }

    /// What a frame took.
    pub(crate) fn record(&self, waited: Duration, took: Duration) {
        self.queue.record(waited);
        self.guest.record(took);
        self.total.record(waited + took);
        self.queue_metric.record(waited);
        self.guest_metric.record(took);
        self.total_metric.record(waited + took);
    }

    /// Frames that waited when one was taken.
    pub(crate) fn record_depth(&self, frames: u64) {
        self.depth.fetch_add(frames, Relaxed);
        self.depth_metric.set(frames as f64);
    }

    /// The ladder took a step.
    pub(crate) fn stepped(&self, from: Quality, to: Quality) {
        table::LADDER_CHANGES.counter(&[&self.name, word(from), word(to)]).increment(1);
        self.level_metric.set(height(to));
    }
}

fn height(quality: Quality) -> f64 {
    match quality {
        Quality::Minimal => 0.0,
        Quality::Medium => 1.0,
        Quality::Full => 2.0,
    }
}
