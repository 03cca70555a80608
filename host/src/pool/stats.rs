//! What a pool has done, in the shape that operators of the replaced pool know.

use super::Pool;
use super::histogram::{Histogram, Latency};
use super::packets::Entry;
use super::tenant::TenantStats;
use super::worker::Worker;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

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

impl Pool {
    /// Counts since the start. Walks all histograms: some 20 µs a worker, and a few a tenant.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let entries: Vec<_> = self.tenants.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let of_each = |entry: &Arc<Entry>| (entry.tenant.name.to_string(), entry.tenant.stats());
        let tenants: BTreeMap<_, _> = entries.iter().map(of_each).collect();
        let latency = |entry: &Arc<Entry>| Histogram::summary([&entry.tenant.latency].into_iter());
        let tenant_latency = entries.iter().map(|entry| (entry.tenant.name.to_string(), latency(entry))).collect();
        let (mut restarts, mut errors, mut shed) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for entry in &entries {
            entry.tenant.restarts.sum_into(&mut restarts);
            entry.tenant.errors.sum_into(&mut errors);
            entry.tenant.shed.sum_into(&mut shed);
        }
        let all =
            |which: fn(&Worker) -> &Histogram| Histogram::summary(self.workers.iter().map(|worker| which(worker)));
        let (queue, guest, total) = (all(|w| &w.meters.queue), all(|w| &w.meters.guest), all(|w| &w.meters.total));
        let sum = |count: fn(&Worker) -> u64| self.workers.iter().map(|worker| count(worker)).sum::<u64>();
        let runtime = self.shared.clock.now().saturating_sub(self.started).as_secs_f64();
        let per_second = if runtime > 0.0 { total.count as f64 / runtime } else { 0.0 };
        let depth = sum(|w| w.meters.depth.load(Relaxed)) as f64;
        PoolStats {
            workers: self.workers.len(),
            active_workers: self.workers.iter().filter(|worker| worker.sessions.load(Relaxed) > 0).count(),
            pending_requests: self.workers.iter().map(|worker| worker.queued()).sum(),
            performance: Performance {
                frames_processed: total.count,
                errors: tenants.values().map(|tenant| tenant.errors + tenant.restarts).sum(),
                avg_latency: total.avg,
                max_latency: total.max,
                avg_queue_size: if total.count == 0 { 0.0 } else { depth / total.count as f64 },
                runtime,
                frames_per_second: per_second,
                p50: total.p50,
                p95: total.p95,
                p99: total.p99,
            },
            sessions: self.workers.iter().map(|worker| worker.sessions.load(Relaxed)).sum(),
            slots: self.slots(),
            slots_used: self.shared.slots.used(),
            queue,
            guest,
            total,
            restarts,
            errors,
            shed,
            workers_replaced: sum(|w| w.meters.replaced.get()),
            reliefs: sum(|w| w.meters.reliefs.get()),
            tenants,
            tenant_latency,
        }
    }

    /// Each worker by itself.
    #[must_use]
    pub fn worker_stats(&self) -> Vec<WorkerStats> {
        let one = |worker: &Arc<Worker>| WorkerStats {
            worker: worker.index,
            sessions: worker.sessions.load(Relaxed),
            queued: worker.queued(),
            recent_ms: worker.meters.average_nanos.load(Relaxed) as f64 / 1e6,
            total: Histogram::summary([&worker.meters.total].into_iter()),
        };
        self.workers.iter().map(one).collect()
    }
}
