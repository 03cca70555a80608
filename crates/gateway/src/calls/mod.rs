//! The calls: those that are live and those that ended lately, as operators see them, and what becomes of them.

mod ended;
mod event;
mod journal;
mod ladders;
mod record;

pub(crate) use ended::{EndedCall, EndedCalls};
pub(crate) use event::CallEvent;
pub(crate) use journal::Journal;
pub(crate) use ladders::{Ladders, word};
pub(crate) use record::{CallView, Configured, Packets, Record, Traffic};

use crate::link::Identity;
use crate::monitor::unix_millis;
use record::Facts;
use sidetone_host::PoolSession;
use sidetone_host::pool::{Event, LadderConfig, SessionStats};
use sidetone_protocol::Media;
use sidetone_protocol::message::DeviceHello;
use sidetone_protocol::session::EndCause;
use sidetone_protocol::topic::ClientId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Events that wait for a slow reader; it misses the oldest.
const EVENTS: usize = 256;

/// All calls.
#[derive(Debug)]
pub(crate) struct Calls {
    live: Mutex<Live>,
    ended: EndedCalls,
    ladders: Ladders,
    /// The marks of the pool's ladders.
    ladder: LadderConfig,
    events: broadcast::Sender<CallEvent>,
}

#[derive(Debug, Default)]
struct Live {
    by_id: BTreeMap<String, Arc<Record>>,
    /// By the number of the pool's session.
    by_session: HashMap<u64, Arc<Record>>,
}

/// A call's place among the live ones; dropping it takes the call out.
#[derive(Debug)]
pub(crate) struct CallEntry {
    calls: Arc<Calls>,
    record: Arc<Record>,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            live: Mutex::default(),
            ended: EndedCalls::default(),
            ladders: Ladders::default(),
            ladder: LadderConfig::default(),
            events: broadcast::Sender::new(EVENTS),
        }
    }
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(
        self: &Arc<Self>,
        media: &Media,
        identity: &Identity,
        hello: &DeviceHello,
        session: &PoolSession,
        configured: Configured,
    ) -> CallEntry {
        let audio = |params: &sidetone_protocol::message::AudioParams| {
            format!("{} {} Hz {} ms", params.format.as_str(), params.sample_rate, params.frame_duration)
        };
        let facts = Facts {
            id: media.session_id.clone(),
            device: identity.device.to_string(),
            tenant: identity.tenant.clone(),
            peer: identity.peer.map(|peer| peer.to_string()),
            session: session.id().0,
            worker: session.worker(),
            started: unix_millis(),
            carrier: if media.udp.is_some() { "datagrams" } else { "link" },
            uplink: audio(&media.uplink),
            downlink: audio(&media.downlink),
            mcp: hello.features.mcp,
        };
        let record = Arc::new(Record::new(facts, identity.device.clone(), session.meters(), configured));
        let mut live = self.lock();
        live.by_id.insert(media.session_id.clone(), record.clone());
        live.by_session.insert(session.id().0, record.clone());
        drop(live);
        let entry = CallEntry { calls: self.clone(), record };
        self.tell(&CallEvent::Opened { at: unix_millis(), call: Box::new(self.view(&entry.record)) });
        tracing::info!(call = entry.id(), device = %identity.device, tenant = identity.tenant, "a call began");
        entry
    }

    fn view(&self, record: &Record) -> CallView {
        record.view(&self.ladders, &self.ladder)
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().by_id.len()
    }

    fn records(&self) -> Vec<Arc<Record>> {
        self.lock().by_id.values().cloned().collect()
    }

    pub(crate) fn list(&self) -> Vec<CallView> {
        self.records().iter().map(|record| self.view(record)).collect()
    }

    /// A live call, what happened in it, and the device it is a call of.
    pub(crate) fn get(&self, id: &str) -> Option<(CallView, Journal, ClientId)> {
        let record = self.lock().by_id.get(id).cloned()?;
        Some((self.view(&record), record.journal(), record.device.clone()))
    }

    /// Takes note of what is only counted, in all live calls.
    pub(crate) fn look(&self) {
        self.records().iter().for_each(|record| record.look());
    }

    /// Calls that ended lately.
    pub(crate) const fn ended(&self) -> &EndedCalls {
        &self.ended
    }

    /// Where the workers stand.
    pub(crate) const fn ladders(&self) -> &Ladders {
        &self.ladders
    }

    /// The marks that move them.
    pub(crate) const fn ladder(&self) -> &LadderConfig {
        &self.ladder
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

    /// The pool tells something, on a worker's thread.
    pub(crate) fn pool_event(&self, event: &Event) {
        let of = |session: u64| self.lock().by_session.get(&session).cloned();
        let (what, session, worker) = match event {
            Event::Restarted { session, cause, .. } => (format!("restarted: {cause}"), Some(session.0), None),
            Event::Quality { session, from, to, .. } => {
                self.ladders.quality_changed();
                (format!("quality {} to {}", word(*from), word(*to)), Some(session.0), None)
            }
            Event::Ladder { worker, level, average } => {
                let rung = self.ladders.stepped(*worker, *level, *average, unix_millis());
                (rung.why(*worker, &self.ladder), None, Some(*worker))
            }
            Event::Closed { session, reason, .. } => (format!("closed: {reason}"), Some(session.0), None),
            Event::WorkerReplaced { worker } => ("thread replaced after a panic".into(), None, Some(*worker)),
            _ => ("something new".into(), None, None),
        };
        let record = session.and_then(of);
        if let Some(record) = &record {
            match event {
                Event::Restarted { cause, lost_frames, .. } => {
                    record.log("restarted", &format!("{cause}; frames lost by it: {lost_frames}"));
                }
                Event::Quality { from, to, .. } => {
                    record.quality_is(*to);
                    let (_, why) = record.why(*to, &self.ladders, &self.ladder);
                    record.log("quality", &format!("{} to {}: {why}", word(*from), word(*to)));
                }
                Event::Closed { reason, .. } => record.log("failed", &format!("its instance was closed: {reason}")),
                _ => {}
            }
        }
        let call = record.map(|record| record.id().to_owned());
        self.tell(&CallEvent::Pool { at: unix_millis(), what, session, call, worker });
    }
}

impl CallEntry {
    pub(crate) fn id(&self) -> &str {
        self.record.id()
    }

    /// What is known of the call.
    pub(crate) const fn record(&self) -> &Arc<Record> {
        &self.record
    }

    /// The call is over; `stats` is what its instance counted. Tells whoever listens, and what to keep of it.
    pub(crate) fn end(&self, stats: Option<&SessionStats>, cause: EndCause) -> EndedCall {
        let (calls, record) = (&self.calls, &self.record);
        let (at, traffic) = (unix_millis(), stats.map(Traffic::from));
        record.look();
        record.log("closed", cause.as_str());
        let ended = EndedCall::new(calls.view(record), record, traffic.clone(), cause, at);
        calls.ended.push(ended.clone());
        calls.tell(&CallEvent::Closed {
            at,
            id: record.facts.id.clone(),
            device: record.facts.device.clone(),
            tenant: record.facts.tenant.clone(),
            cause: cause.as_str(),
            seconds: record.since.elapsed().as_secs_f64(),
            traffic,
        });
        ended
    }
}

impl Drop for CallEntry {
    fn drop(&mut self) {
        let mut live = self.calls.lock();
        live.by_id.remove(self.record.id());
        live.by_session.remove(&self.record.facts.session);
    }
}
