//! A tenant: its quota, and what it has used of it.

use super::quota::{Bucket, Quota};
use super::{PoolError, Refusal};
use crate::Limits;
use metrics::Counter;
use serde::Serialize;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A count of ours that the `metrics` facade counts along with.
pub(crate) struct Meter {
    count: AtomicU64,
    metric: Counter,
}

impl Meter {
    pub(crate) const fn new(metric: Counter) -> Self {
        Self { count: AtomicU64::new(0), metric }
    }

    pub(crate) fn add(&self, n: u64) {
        if n > 0 {
            self.count.fetch_add(n, Relaxed);
            self.metric.increment(n);
        }
    }

    pub(crate) fn get(&self) -> u64 {
        self.count.load(Relaxed)
    }
}

/// Counts of one tenant, all its sessions together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TenantStats {
    /// Open now.
    pub sessions: u32,
    /// Work that reached a guest and was done.
    pub frames: u64,
    /// Work that a guest refused with a value: bad datagrams, bad settings.
    pub errors: u64,
    /// Frames over quota.
    pub refused: u64,
    /// Frames given up in a queue.
    pub shed: u64,
    /// Instances that failed.
    pub restarts: u64,
    /// Frames lost by that.
    pub lost_frames: u64,
    /// Frames made up for packets that never came.
    pub concealed: u64,
    /// Packets that shared keystream with another, of sessions that were closed.
    pub keystream_overlaps: u64,
    /// Linear memory of its instances, in bytes, resident or not.
    pub memory: u64,
    /// Time of its guests, in ms.
    pub guest_ms: u64,
}

pub(crate) struct Tenant {
    /// Its place in the workers' queues.
    pub(crate) index: usize,
    pub(crate) name: Arc<str>,
    pub(crate) quota: Quota,
    pub(crate) limits: Limits,
    sessions: AtomicU32,
    frame_bucket: Option<Mutex<Bucket>>,
    cpu_bucket: Option<Mutex<Bucket>>,
    guest_nanos: AtomicU64,
    /// Linear memory of all its instances, in bytes.
    pub(crate) memory: AtomicU64,
    pub(crate) frames: Meter,
    pub(crate) errors: Meter,
    refused: Meter,
    pub(crate) shed: Meter,
    pub(crate) restarts: Meter,
    pub(crate) lost: Meter,
    pub(crate) concealed: Meter,
    pub(crate) overlaps: Meter,
}

impl Tenant {
    pub(crate) fn new(index: usize, name: &str, quota: Quota, pool: Limits, now: Duration) -> Self {
        let label = name.to_owned();
        let meter = |name: &'static str| Meter::new(metrics::counter!(name, "tenant" => label.clone()));
        let bucket = |rate: f64| Mutex::new(Bucket::new(rate, now));
        Self {
            index,
            name: name.into(),
            quota,
            limits: Limits {
                memory: quota.memory.map_or(pool.memory, |memory| memory.min(pool.memory)),
                deadline: quota.deadline.unwrap_or(pool.deadline),
                init_deadline: quota.init_deadline.unwrap_or(pool.init_deadline),
            },
            sessions: AtomicU32::new(0),
            frame_bucket: quota.frames_per_second.map(|rate| bucket(f64::from(rate))),
            cpu_bucket: quota.cpu_per_second.map(|time| bucket(time.as_secs_f64())),
            guest_nanos: AtomicU64::new(0),
            memory: AtomicU64::new(0),
            frames: meter("sidetone_frames_total"),
            errors: meter("sidetone_errors_total"),
            refused: meter("sidetone_refused_total"),
            shed: meter("sidetone_shed_total"),
            restarts: meter("sidetone_restarts_total"),
            lost: meter("sidetone_lost_frames_total"),
            concealed: meter("sidetone_concealed_total"),
            overlaps: meter("sidetone_keystream_overlaps_total"),
        }
    }

    /// One session more.
    pub(crate) fn enter(&self) -> Result<(), PoolError> {
        let limit = self.quota.sessions.unwrap_or(u32::MAX);
        let room = |open: u32| (open < limit).then(|| open + 1);
        match self.sessions.fetch_update(Relaxed, Relaxed, room) {
            Ok(_) => Ok(()),
            Err(_) => Err(Refusal::Sessions { limit }.into()),
        }
    }

    /// One session less.
    pub(crate) fn leave(&self) {
        self.sessions.fetch_sub(1, Relaxed);
    }

    /// One frame more, at `now`.
    pub(crate) fn admit(&self, now: Duration) -> Result<(), PoolError> {
        let refusal = if self.frame_bucket.as_ref().is_some_and(|bucket| !lock(bucket).take(now)) {
            Refusal::Frames { limit: self.quota.frames_per_second.unwrap_or(0) }
        } else if self.cpu_bucket.as_ref().is_some_and(|bucket| !lock(bucket).has_any(now)) {
            Refusal::Cpu { limit: self.quota.cpu_per_second.unwrap_or_default() }
        } else {
            return Ok(());
        };
        self.refused.add(1);
        Err(refusal.into())
    }

    /// Time that a guest took.
    pub(crate) fn charge(&self, time: Duration) {
        self.guest_nanos.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        if let Some(bucket) = &self.cpu_bucket {
            lock(bucket).charge(time.as_secs_f64());
        }
    }

    pub(crate) fn stats(&self) -> TenantStats {
        TenantStats {
            sessions: self.sessions.load(Relaxed),
            frames: self.frames.get(),
            errors: self.errors.get(),
            refused: self.refused.get(),
            shed: self.shed.get(),
            restarts: self.restarts.get(),
            lost_frames: self.lost.get(),
            concealed: self.concealed.get(),
            keystream_overlaps: self.overlaps.get(),
            memory: self.memory.load(Relaxed),
            guest_ms: self.guest_nanos.load(Relaxed) / 1_000_000,
        }
    }
}

fn lock(bucket: &Mutex<Bucket>) -> std::sync::MutexGuard<'_, Bucket> {
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}
