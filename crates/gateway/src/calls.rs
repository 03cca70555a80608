//! The calls that are live, as operators see them, and what becomes of them.

use crate::link::Identity;
use serde::Serialize;
use sidetone_host::PoolSession;
use sidetone_host::pool::SessionStats;
use sidetone_protocol::Media;
use sidetone_protocol::message::DeviceHello;
use sidetone_protocol::session::EndCause;
use sidetone_protocol::topic::ClientId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::broadcast;

/// Events that wait for a slow reader; it misses the oldest.
const EVENTS: usize = 256;

/// All live calls.
#[derive(Debug)]
pub(crate) struct Calls {
    by_id: Mutex<BTreeMap<String, Arc<Record>>>,
    events: broadcast::Sender<CallEvent>,
}

/// What is known of a call.
#[derive(Debug)]
struct Record {
    view: CallView,
    device: ClientId,
    since: Instant,
    last: Mutex<Option<Traffic>>,
}

impl Record {
    fn view(&self) -> CallView {
        CallView { seconds: self.since.elapsed().as_secs_f64(), ..self.view.clone() }
    }
}

/// A call, for `/api/sessions`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallView {
    /// Its session id.
    pub(crate) id: String,
    pub(crate) device: String,
    pub(crate) tenant: String,
    pub(crate) peer: Option<String>,
    /// Number of the pool's session.
    pub(crate) session: u64,
    /// The pool's worker.
    pub(crate) worker: usize,
    /// Start, in ms of Unix time.
    pub(crate) started: u64,
    /// `datagrams` or `link`.
    pub(crate) carrier: &'static str,
    pub(crate) uplink: String,
    pub(crate) downlink: String,
    pub(crate) mcp: bool,
    /// Seconds it has lasted.
    pub(crate) seconds: f64,
}

/// What a call's instance counted.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Traffic {
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) lost: u64,
    pub(crate) concealed: u64,
    pub(crate) keystream_overlaps: u64,
    pub(crate) restarts: u32,
    pub(crate) quality: String,
}

impl From<&SessionStats> for Traffic {
    fn from(stats: &SessionStats) -> Self {
        Self {
            received: stats.guest.received,
            sent: stats.guest.sent,
            lost: stats.guest.lost,
            concealed: stats.guest.concealed,
            keystream_overlaps: stats.guest.keystream_overlap,
            restarts: stats.restarts,
            quality: format!("{:?}", stats.quality).to_lowercase(),
        }
    }
}

/// Something that happened, for `/api/events`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "camelCase")]
pub(crate) enum CallEvent {
    /// A call began.
    #[serde(rename_all = "camelCase")]
    Opened { call: CallView },
    /// A call ended.
    #[serde(rename_all = "camelCase")]
    Closed { id: String, device: String, tenant: String, cause: &'static str, seconds: f64, traffic: Option<Traffic> },
    /// The pool told something: a restart, a step of the quality ladder.
    #[serde(rename_all = "camelCase")]
    Pool { what: String, session: Option<u64>, worker: Option<usize> },
}

impl CallEvent {
    pub(crate) fn closed(entry: &CallEntry, cause: EndCause) -> Self {
        let record = &entry.record;
        Self::Closed {
            id: record.view.id.clone(),
            device: record.view.device.clone(),
            tenant: record.view.tenant.clone(),
            cause: cause.as_str(),
            seconds: record.since.elapsed().as_secs_f64(),
            traffic: record.last.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// A call's place among the live ones; dropping it takes the call out.
#[derive(Debug)]
pub(crate) struct CallEntry {
    calls: Arc<Calls>,
    record: Arc<Record>,
}

impl Default for Calls {
    fn default() -> Self {
        Self { by_id: Mutex::default(), events: broadcast::Sender::new(EVENTS) }
    }
}

impl Calls {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Record>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(
        self: &Arc<Self>,
        media: &Media,
        identity: &Identity,
        hello: &DeviceHello,
        session: &PoolSession,
    ) -> CallEntry {
        let audio = |params: &sidetone_protocol::message::AudioParams| {
            format!("{} {} Hz {} ms", params.format.as_str(), params.sample_rate, params.frame_duration)
        };
        let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64);
        let view = CallView {
            id: media.session_id.clone(),
            device: identity.device.to_string(),
            tenant: identity.tenant.clone(),
            peer: identity.peer.map(|peer| peer.to_string()),
            session: session.id().0,
            worker: session.worker(),
            started,
            carrier: if media.udp.is_some() { "datagrams" } else { "link" },
            uplink: audio(&media.uplink),
            downlink: audio(&media.downlink),
            mcp: hello.features.mcp,
            seconds: 0.0,
        };
        let record =
            Arc::new(Record { view, device: identity.device.clone(), since: Instant::now(), last: Mutex::default() });
        self.lock().insert(media.session_id.clone(), record.clone());
        let entry = CallEntry { calls: self.clone(), record };
        self.tell(&CallEvent::Opened { call: entry.record.view.clone() });
        tracing::info!(call = entry.id(), device = %identity.device, tenant = identity.tenant, "a call began");
        entry
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(crate) fn list(&self) -> Vec<CallView> {
        self.lock().values().map(|record| record.view()).collect()
    }

    /// A call, and the device it is a call of.
    pub(crate) fn get(&self, id: &str) -> Option<(CallView, ClientId)> {
        self.lock().get(id).map(|record| (record.view(), record.device.clone()))
    }

    /// Tells whoever listens.
    pub(crate) fn tell(&self, event: &CallEvent) {
        if let CallEvent::Closed { id, cause, seconds, .. } = event {
            tracing::info!(call = id, cause, seconds, "a call ended");
        }
        // Nobody listens: nobody is told.
        drop(self.events.send(event.clone()));
    }

    pub(crate) fn events(&self) -> broadcast::Receiver<CallEvent> {
        self.events.subscribe()
    }
}

impl CallEntry {
    pub(crate) fn id(&self) -> &str {
        &self.record.view.id
    }

    /// Takes note of what the call's instance counted.
    pub(crate) fn note(&self, stats: Option<&SessionStats>) {
        *self.record.last.lock().unwrap_or_else(PoisonError::into_inner) = stats.map(Traffic::from);
    }
}

impl Drop for CallEntry {
    fn drop(&mut self) {
        self.calls.lock().remove(&self.record.view.id);
    }
}
