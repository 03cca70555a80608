//! What a pool has done, in the shape that operators of the replaced pool know.

use super::histogram::Latency;
use super::tenant::TenantStats;
use serde::Serialize;
use std::collections::BTreeMap;

/// A pool's counts since its start. Serialises in camel case, with the replaced pool's names first.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PoolStats {
    /// Worker threads.
    pub workers: usize,
    /// Of these, with sessions.
    pub active_workers: usize,
    /// Frames that wait.
    pub pending_requests: usize,
    /// All frames together.
    pub performance: Performance,
    /// Sessions, codecs and packet caches open.
    pub sessions: u32,
    /// Instances that the pool has room for.
    pub slots: u32,
    /// Instances of this pool that live.
    pub slots_used: u32,
    /// Time in the queue, in ms.
    pub queue: Latency,
    /// Time in the guest, in ms.
    pub guest: Latency,
    /// Both together, in ms.
    pub total: Latency,
    /// Instances that failed, by cause.
    pub restarts: BTreeMap<&'static str, u64>,
    /// What guests refused with a value, by kind.
    pub errors: BTreeMap<&'static str, u64>,
    /// Frames given up in queues, by what made them go.
    pub shed: BTreeMap<&'static str, u64>,
    /// Worker threads that panicked and were replaced.
    pub workers_replaced: u64,
    /// Times that a further thread took over a worker's other sessions, because one guest took long.
    pub reliefs: u64,
    /// Each tenant.
    pub tenants: BTreeMap<String, TenantStats>,
    /// Queue and guest of each tenant's frames, in ms.
    pub tenant_latency: BTreeMap<String, Latency>,
}

/// The replaced monitor's figures, and quantiles. Latencies in ms, of queue and guest together.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it")]
pub struct Performance {
    pub frames_processed: u64,
    pub errors: u64,
    pub avg_latency: f64,
    pub max_latency: f64,
    /// Frames that waited, on average, when one was taken.
    pub avg_queue_size: f64,
    /// Seconds since the pool was built.
    pub runtime: f64,
    pub frames_per_second: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

/// One worker, for a dashboard.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerStats {
    /// Its number.
    pub worker: usize,
    /// Sessions that live there.
    pub sessions: u32,
    /// Frames that wait.
    pub queued: usize,
    /// Average latency of the last frames, in ms: what drives the ladder.
    pub recent_ms: f64,
    /// All frames.
    pub total: Latency,
}
