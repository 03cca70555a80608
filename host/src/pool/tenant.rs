//! A tenant: its quota, and what it has used of it.

use super::histogram::Histogram;
use super::meter::{Counts, Meter, Words};
use super::place::Place;
use super::quota::{Bucket, Quota, TimeBucket};
use super::{PoolError, Refusal, Shed};
use crate::{Limits, metrics as table};
use metrics::Gauge;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Counts of one tenant, all its sessions together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TenantStats {
    /// Open now: sessions, codecs, and packet caches that `seal` and `open_packet` made.
    pub sessions: u32,
    /// Work that reached a guest and was done.
    pub frames: u64,
    /// Work that a guest refused with a value: bad datagrams, bad settings.
    pub errors: u64,
    /// Frames and sessions over quota.
    pub refused: u64,
    /// Frames given up in a queue.
    pub shed: u64,
    /// Instances that failed.
    pub restarts: u64,
    /// Frames lost by that.
    pub lost_frames: u64,
    /// Frames made up for packets that never came.
    pub concealed: u64,
    /// Packets that shared keystream with another; of open sessions, as seen within the last 32 packets.
    pub keystream_overlaps: u64,
    /// Linear memory of its instances, in bytes, resident or not.
    pub memory: u64,
    /// Time of its guests, in ms.
    pub guest_ms: u64,
}

pub(crate) struct Tenant {
    /// In the workers' queues.
    pub(crate) place: Place,
    pub(crate) name: Arc<str>,
    pub(crate) quota: Quota,
    pub(crate) limits: Limits,
    sessions: AtomicU32,
    frame_bucket: Option<Bucket>,
    cpu_bucket: Option<TimeBucket>,
    guest_nanos: AtomicU64,
    /// Linear memory of all its instances, in bytes.
    memory: AtomicU64,
    pub(crate) frames: Meter,
    pub(crate) errors: Words,
    refused: Counts,
    pub(crate) shed: Counts,
    pub(crate) restarts: Words,
    pub(crate) closed: Words,
    pub(crate) lost: Meter,
    pub(crate) concealed: Meter,
    pub(crate) overlaps: Meter,
    /// Queue and guest, of all frames.
    pub(crate) latency: Histogram,
    latency_metric: metrics::Histogram,
    sessions_metric: Gauge,
    memory_metric: Gauge,
}

impl Tenant {
    pub(crate) fn new(place: Place, name: &str, quota: Quota, pool: Limits) -> Self {
        let label: Arc<str> = name.into();
        let meter = |metric: table::Metric| Meter::new(metric.counter(&[name]));
        let words = |metric: table::Metric| Words::new(metric, label.clone());
        Self {
            place,
            name: label.clone(),
            quota,
            limits: Limits {
                memory: quota.memory.map_or(pool.memory, |memory| memory.min(pool.memory)),
                deadline: quota.deadline.unwrap_or(pool.deadline),
                init_deadline: quota.init_deadline.unwrap_or(pool.init_deadline),
            },
            sessions: AtomicU32::new(0),
            frame_bucket: quota.frames_per_second.map(Bucket::a_second),
            cpu_bucket: quota.cpu_per_second.map(TimeBucket::a_second),
            guest_nanos: AtomicU64::new(0),
            memory: AtomicU64::new(0),
            frames: meter(table::FRAMES),
            errors: words(table::ERRORS),
            refused: Counts::new(table::REFUSED, name, &Refusal::LABELS),
            shed: Counts::new(table::SHED, name, &Shed::LABELS),
            restarts: words(table::RESTARTS),
            closed: words(table::SESSIONS_CLOSED),
            lost: meter(table::LOST_FRAMES),
            concealed: meter(table::CONCEALED),
            overlaps: meter(table::KEYSTREAM_OVERLAPS),
            latency: Histogram::default(),
            latency_metric: table::TENANT_SECONDS.histogram(&[name]),
            sessions_metric: table::SESSIONS.gauge(&[name]),
            memory_metric: table::INSTANCE_MEMORY.gauge(&[name]),
        }
    }

    /// One session more, at `now`.
    pub(crate) fn enter(&self, now: Duration) -> Result<(), PoolError> {
        self.has_time(now)?;
        let limit = self.quota.sessions.unwrap_or(u32::MAX);
        let room = |open: u32| (open < limit).then(|| open + 1);
        if self.sessions.fetch_update(Relaxed, Relaxed, room).is_err() {
            return Err(self.refuse(Refusal::Sessions { limit }));
        }
        self.sessions_metric.increment(1.0);
        Ok(())
    }

    /// One session less.
    pub(crate) fn leave(&self) {
        self.sessions.fetch_sub(1, Relaxed);
        self.sessions_metric.decrement(1.0);
    }

    /// So many frames more, at `now`.
    pub(crate) fn admit(&self, now: Duration, frames: u32) -> Result<(), PoolError> {
        if self.frame_bucket.as_ref().is_some_and(|bucket| !bucket.take(now, frames)) {
            return Err(self.refuse(Refusal::Frames { limit: self.quota.frames_per_second.unwrap_or(0) }));
        }
        self.has_time(now)
    }

    fn has_time(&self, now: Duration) -> Result<(), PoolError> {
        if self.cpu_bucket.as_ref().is_some_and(|bucket| !bucket.has_any(now)) {
            return Err(self.refuse(Refusal::Cpu { limit: self.quota.cpu_per_second.unwrap_or_default() }));
        }
        Ok(())
    }

    fn refuse(&self, refusal: Refusal) -> PoolError {
        self.refused.add(refusal.label());
        refusal.into()
    }

    /// Time that a guest took, until `now`.
    pub(crate) fn charge(&self, now: Duration, time: Duration) {
        self.guest_nanos.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        if let Some(bucket) = &self.cpu_bucket {
            bucket.charge(now, time);
        }
    }

    /// What a frame took, queue and guest.
    pub(crate) fn record(&self, latency: Duration) {
        self.latency.record(latency);
        self.latency_metric.record(latency);
    }

    /// An instance has other memory than before, in bytes.
    pub(crate) fn memory_moved(&self, before: u64, now: u64) {
        self.memory.fetch_add(now.wrapping_sub(before), Relaxed);
        self.memory_metric.increment(now as f64 - before as f64);
    }

    pub(crate) fn stats(&self) -> TenantStats {
        TenantStats {
            sessions: self.sessions.load(Relaxed),
            frames: self.frames.get(),
            errors: self.errors.total(),
            refused: self.refused.total(),
            shed: self.shed.total(),
            restarts: self.restarts.total(),
            lost_frames: self.lost.get(),
            concealed: self.concealed.get(),
            keystream_overlaps: self.overlaps.get(),
            memory: self.memory.load(Relaxed),
            guest_ms: self.guest_nanos.load(Relaxed) / 1_000_000,
        }
    }
}
