//! What a pool has counted so far, in few numbers: to be read often, and compared with what was read before.

use super::histogram::Histogram;
use super::latency_counts::LatencyCounts;
use super::tenant::TenantStats;
use super::{LadderConfig, Pool};
use std::sync::PoisonError;

/// Counts since the pool's start, all tenants and workers together, and how it stands now.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Reading {
    /// All tenants together. A quota that is set anew begins with new counts: these may go down.
    pub tenants: TenantStats,
    /// Worker threads that panicked and were replaced.
    pub workers_replaced: u64,
    /// Times that a further thread took over a worker's other sessions.
    pub reliefs: u64,
    /// Frames that wait.
    pub queued: usize,
    /// Instances that live.
    pub slots_used: u32,
    /// Time of frames in the queue.
    pub queue: LatencyCounts,
    /// Time of frames in the guest.
    pub guest: LatencyCounts,
    /// Both together.
    pub total: LatencyCounts,
}

impl Pool {
    /// Reads the counts: some 5 µs a worker, and less than one a tenant.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let mut tenants = TenantStats::default();
        for entry in self.tenants.read().unwrap_or_else(PoisonError::into_inner).values() {
            tenants.add(&entry.tenant.stats());
        }
        let meters = || self.workers.iter().map(|worker| &worker.meters);
        Reading {
            tenants,
            workers_replaced: meters().map(|meters| meters.replaced.get()).sum(),
            reliefs: meters().map(|meters| meters.reliefs.get()).sum(),
            queued: self.workers.iter().map(|worker| worker.queued()).sum(),
            slots_used: self.shared.slots.used(),
            queue: Histogram::counts(meters().map(|meters| &meters.queue)),
            guest: Histogram::counts(meters().map(|meters| &meters.guest)),
            total: Histogram::counts(meters().map(|meters| &meters.total)),
        }
    }

    /// Time in queue and guest of a tenant's frames, under its present quota: what came between two readings is
    /// [`LatencyCounts::since`]. `None`: nobody told the pool of this tenant.
    #[must_use]
    pub fn tenant_latency(&self, tenant: &str) -> Option<LatencyCounts> {
        let entry = self.tenant(tenant).ok()?;
        Some(Histogram::counts([&entry.tenant.latency].into_iter()))
    }

    /// When workers change the quality.
    #[must_use]
    pub fn ladder(&self) -> LadderConfig {
        self.shared.ladder
    }

    /// How many worker threads there are.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers.len()
    }
}

impl TenantStats {
    /// Counts another tenant in.
    fn add(&mut self, other: &Self) {
        self.sessions = self.sessions.saturating_add(other.sessions);
        let pairs = [
            (&mut self.frames, other.frames),
            (&mut self.errors, other.errors),
            (&mut self.refused, other.refused),
            (&mut self.shed, other.shed),
            (&mut self.restarts, other.restarts),
            (&mut self.lost_frames, other.lost_frames),
            (&mut self.concealed, other.concealed),
            (&mut self.keystream_overlaps, other.keystream_overlaps),
            (&mut self.memory, other.memory),
            (&mut self.guest_ms, other.guest_ms),
        ];
        pairs.into_iter().for_each(|(mine, theirs)| *mine = mine.saturating_add(theirs));
    }
}
