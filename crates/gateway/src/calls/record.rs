//! What is known of one call.

use super::journal::Journal;
use super::ladders::{Ladders, word};
use crate::monitor::{loss, unix_millis};
use serde::Serialize;
use sidetone_host::pool::{LadderConfig, SessionMeters, SessionStats};
use sidetone_protocol::topic::ClientId;
use sidetone_session::Quality;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What does not change in a call.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts {
    /// Its session id.
    pub(super) id: String,
    pub(super) device: String,
    pub(super) tenant: String,
    pub(super) peer: Option<String>,
    /// Number of the pool's session.
    pub(super) session: u64,
    /// The pool's worker.
    pub(super) worker: usize,
    /// Start, in ms of Unix time.
    pub(super) started: u64,
    /// `datagrams` or `link`.
    pub(super) carrier: &'static str,
    pub(super) uplink: String,
    pub(super) downlink: String,
    pub(super) mcp: bool,
}

/// A call, for `/api/sessions`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallView {
    #[serde(flatten)]
    facts: Facts,
    /// Seconds it has lasted.
    seconds: f64,
    quality: &'static str,
    quality_cause: &'static str,
    quality_why: String,
    counts: Counts,
    loss_percent: Option<f64>,
    avg_ms: f64,
    max_ms: f64,
    memory: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    received: u64,
    lost: u64,
    concealed: u64,
    sent: u64,
    unsent: u64,
    late: u64,
    frames: u64,
    errors: u64,
    shed: u64,
    restarts: u32,
    lost_frames: u64,
    keystream_overlaps: u64,
}

/// What a call's instance counted.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Traffic {
    received: u64,
    sent: u64,
    lost: u64,
    concealed: u64,
    keystream_overlaps: u64,
    restarts: u32,
    quality: &'static str,
}

impl From<&SessionStats> for Traffic {
    fn from(stats: &SessionStats) -> Self {
        Self {
            received: stats.guest.received,
            sent: stats.guest.sent,
            lost: stats.guest.lost,
            concealed: stats.guest.concealed,
            keystream_overlaps: stats.guest.keystream_overlap,
            restarts: stats.counts.restarts,
            quality: word(stats.quality),
        }
    }
}

/// Packets of a call, by its own task.
#[derive(Debug, Default)]
pub(crate) struct Packets {
    pub(crate) received: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) concealed: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) unsent: AtomicU64,
    pub(crate) late: AtomicU64,
}

/// What quality a call was opened with, and what it may be told to have whatever the load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Configured {
    pub(crate) quality: Quality,
    pub(crate) tenant: Option<Quality>,
}

/// What is known of a call.
#[derive(Debug)]
pub(crate) struct Record {
    pub(super) facts: Facts,
    pub(super) device: ClientId,
    pub(super) since: Instant,
    pub(crate) packets: Packets,
    meters: SessionMeters,
    configured: Configured,
    quality: Mutex<Quality>,
    journal: Mutex<Journal>,
    /// Frames shed and packets that shared keystream, as last logged.
    noticed: Mutex<(u64, u64)>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Record {
    pub(super) fn new(facts: Facts, device: ClientId, meters: SessionMeters, configured: Configured) -> Self {
        let record = Self {
            facts,
            device,
            since: Instant::now(),
            packets: Packets::default(),
            meters,
            configured,
            quality: Mutex::new(configured.quality),
            journal: Mutex::default(),
            noticed: Mutex::default(),
        };
        let Facts { uplink, downlink, carrier, .. } = &record.facts;
        record.log("opened", &format!("{uplink} up, {downlink} down, by {carrier}"));
        record
    }

    pub(crate) fn id(&self) -> &str {
        &self.facts.id
    }

    /// Takes note of something that happened.
    pub(crate) fn log(&self, what: &'static str, detail: &str) {
        lock(&self.journal).log(unix_millis(), what, detail);
    }

    pub(super) fn quality_is(&self, quality: Quality) {
        *lock(&self.quality) = quality;
    }

    pub(super) fn journal(&self) -> Journal {
        lock(&self.journal).clone()
    }

    /// Takes note of what is only counted.
    pub(super) fn look(&self) {
        let stats = self.meters.read();
        let mut noticed = lock(&self.noticed);
        let (shed, overlaps) =
            (stats.shed.saturating_sub(noticed.0), stats.keystream_overlaps.saturating_sub(noticed.1));
        *noticed = (stats.shed, stats.keystream_overlaps);
        drop(noticed);
        if shed > 0 {
            self.log("shed", &format!("frames given up in the queue: {shed}"));
        }
        if overlaps > 0 {
            self.log("overlap", &format!("packets that shared keystream: {overlaps}"));
        }
    }

    pub(super) fn view(&self, ladders: &Ladders, ladder: &LadderConfig) -> CallView {
        let quality = *lock(&self.quality);
        let stats = self.meters.read();
        let count = |count: &AtomicU64| count.load(Relaxed);
        let packets = &self.packets;
        let counts = Counts {
            received: count(&packets.received),
            lost: count(&packets.lost),
            concealed: count(&packets.concealed),
            sent: count(&packets.sent),
            unsent: count(&packets.unsent),
            late: count(&packets.late),
            frames: stats.frames,
            errors: stats.errors,
            shed: stats.shed,
            restarts: stats.restarts,
            lost_frames: stats.lost_frames,
            keystream_overlaps: stats.keystream_overlaps,
        };
        let (quality_cause, quality_why) = self.why(quality, ladders, ladder);
        CallView {
            facts: self.facts.clone(),
            seconds: self.since.elapsed().as_secs_f64(),
            quality: word(quality),
            quality_cause,
            quality_why,
            loss_percent: loss(counts.received, counts.lost),
            counts,
            avg_ms: stats.avg_ms,
            max_ms: stats.max_ms,
            memory: stats.memory,
        }
    }

    /// Why the quality is what it is.
    pub(super) fn why(&self, quality: Quality, ladders: &Ladders, ladder: &LadderConfig) -> (&'static str, String) {
        let Facts { tenant, worker, .. } = &self.facts;
        if self.configured.tenant == Some(quality) {
            return ("tenant", format!("tenants.{tenant}.quality says so"));
        }
        match ladders.of(*worker) {
            Some(rung) if quality != self.configured.quality => ("ladder", rung.why(*worker, ladder)),
            _ => ("configured", "audio.quality says so".into()),
        }
    }
}
