//! A live call: a session in the pool, a leg to the back end, and what goes between them.

use super::downlink::Downlink;
use super::sleep;
use super::uplink::{Uplink, Way};
use crate::bridge::{Leg, Put, ToBackEnd, ToDevice};
use crate::calls::{CallEntry, Configured};
use crate::link::{Gone, Identity, Link};
use crate::media::Datagram;
use crate::shared::Shared;
use sidetone_host::PoolSession;
use sidetone_host::pool::SessionStats;
use sidetone_protocol::Media;
use sidetone_protocol::message::{Alert, DeviceHello, GatewayBody, ListenMode, Tts};
use sidetone_protocol::session::{EndCause, Input};
use sidetone_session::Config;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How long a call waits for what its instance has counted, and at its end for the instance to close.
const CLOSING: Duration = Duration::from_secs(1);

pub(super) struct Call {
    session: PoolSession,
    leg: Leg,
    way: Way,
    uplink: Uplink,
    downlink: Downlink,
    started: Duration,
    /// To turn times into the runtime's.
    epoch: Instant,
    entry: CallEntry,
}

/// What happened in a call.
pub(super) enum Happened {
    Datagram(Option<Datagram>),
    /// From the back end; `None`: it is gone.
    FromBackEnd(Option<ToDevice>),
    FrameDue,
}

impl Call {
    #[allow(clippy::too_many_arguments, reason = "called once, with what was prepared")]
    pub(super) fn start(
        shared: &Arc<Shared>,
        media: &Media,
        session: PoolSession,
        leg: Leg,
        way: Way,
        config: Config,
        identity: &Identity,
        hello: &DeviceHello,
    ) -> Self {
        shared.counters.totals.calls.add(1);
        let outgoing = &config.outgoing;
        let duration = Duration::from_micros(outgoing.frame.micros().into());
        let downlink = Downlink::new(outgoing.frame_samples(), duration, shared.config().audio.lead);
        let pinned = shared.config().tenants.get(&identity.tenant).and_then(|tenant| tenant.quality);
        let configured = Configured { quality: config.quality, tenant: pinned.map(Into::into) };
        let entry = shared.calls.enter(media, identity, hello, &session, configured);
        let uplink = Uplink::new(entry.record().clone());
        Self { session, leg, way, uplink, downlink, started: shared.now(), epoch: shared.epoch(), entry }
    }

    /// Waits until something happens. Cancel-safe.
    pub(super) async fn next(&mut self) -> Happened {
        let due = self.downlink.due(&self.way).map(|due| self.epoch + due);
        let hungry = self.downlink.is_hungry();
        tokio::select! {
            datagram = datagram(&mut self.way) => Happened::Datagram(datagram),
            what = self.leg.from.recv(), if hungry => Happened::FromBackEnd(what),
            () = sleep(due) => Happened::FrameDue,
        }
    }

    /// Takes in what happened.
    pub(super) async fn take<L: Link>(
        &mut self,
        shared: &Shared,
        happened: Happened,
        link: &mut L,
    ) -> Result<Vec<Input>, Gone> {
        Ok(match happened {
            Happened::Datagram(Some(datagram)) => {
                let Self { uplink, session, way, leg, .. } = self;
                uplink.take(shared, session, way, leg, datagram).await.into_iter().collect()
            }
            Happened::FromBackEnd(what) => self.take_from_back_end(shared, what),
            Happened::Datagram(None) => Vec::new(),
            Happened::FrameDue => {
                let Self { downlink, session, way, started, entry, .. } = self;
                downlink.send(shared, &entry.record().packets, session, way, *started, link).await?
            }
        })
    }

    fn take_from_back_end(&mut self, shared: &Shared, what: Option<ToDevice>) -> Vec<Input> {
        match what {
            Some(ToDevice::Speech(speech)) => {
                let mark = self.downlink.take(speech, shared.now());
                shared.counters.totals.downlink_shed.add(self.downlink.shed());
                mark.into_iter().collect()
            }
            Some(ToDevice::Say(body)) => vec![Input::Send(body)],
            Some(ToDevice::Closed(why)) => self.back_end_gone(shared, &why),
            None => self.back_end_gone(shared, "it ended without a word"),
        }
    }

    pub(super) async fn take_payload(&mut self, shared: &Shared, payload: &[u8]) -> Option<Input> {
        let Self { uplink, session, way, leg, .. } = self;
        uplink.take_payload(shared, session, way, leg, payload).await
    }

    pub(super) fn start_capture(&mut self, mode: ListenMode, now: Duration) -> Option<Input> {
        self.entry.record().log("listening", mode.as_str());
        let told = self.tell(ToBackEnd::StartCapture(mode));
        told.or_else(|| overflow(self.uplink.start_capture(now, &self.leg)))
    }

    pub(super) fn stop_capture(&mut self) -> Option<Input> {
        self.uplink.stop_capture();
        self.entry.record().log("heard", "");
        self.tell(ToBackEnd::StopCapture)
    }

    /// The user interrupts: nothing that was under way is sent any more.
    pub(super) async fn abort(&mut self, shared: &Shared, reason: Option<String>) -> Vec<Input> {
        self.downlink.interrupt(shared.now());
        self.entry.record().log("aborted", reason.as_deref().unwrap_or_default());
        let mut inputs = Vec::new();
        while let Ok(what) = self.leg.from.try_recv() {
            if !matches!(what, ToDevice::Speech(_)) {
                inputs.extend(self.take_from_back_end(shared, Some(what)));
            }
        }
        if let Err(error) = self.session.discard().await {
            tracing::debug!(session = %self.session.id(), %error, "nothing to discard");
        }
        inputs.extend(self.tell(ToBackEnd::Abort(reason)));
        inputs
    }

    pub(super) fn tell(&mut self, what: ToBackEnd) -> Option<Input> {
        overflow(self.leg.to.put(what))
    }

    pub(super) fn told(&mut self, tts: &Tts) {
        match tts {
            Tts::Start => self.entry.record().log("speaking", ""),
            Tts::Stop => self.entry.record().log("spoken", ""),
            _ => {}
        }
        self.downlink.told(tts);
    }

    pub(super) fn id(&self) -> &str {
        self.entry.id()
    }

    /// Sends what the instance has counted, once its worker has answered: the call goes on meanwhile.
    pub(super) fn tell_stats(&self, answer: oneshot::Sender<SessionStats>) {
        let stats = self.session.stats();
        tokio::spawn(async move {
            if let Ok(Ok(stats)) = tokio::time::timeout(CLOSING, stats).await {
                // Whoever asked may have gone.
                let _ = answer.send(stats);
            }
        });
    }

    fn back_end_gone(&self, shared: &Shared, why: &str) -> Vec<Input> {
        shared.counters.totals.bridge_failed.add(1);
        self.entry.record().log("backEnd", why);
        tracing::warn!(session = %self.session.id(), why, "a call lost its back end");
        let alert = Alert::sad("Disconnected", "The speech service is not available. Please try again later.");
        vec![Input::Send(GatewayBody::Alert(alert)), Input::Close(EndCause::Failed)]
    }

    pub(super) async fn close(self, shared: &Shared, cause: EndCause) {
        let Self { session, leg, entry, .. } = self;
        drop(leg);
        let stats = tokio::time::timeout(CLOSING, session.stats()).await;
        let stats = stats.ok().and_then(Result::ok);
        let overlaps = stats.as_ref().map_or(0, |stats| stats.guest.keystream_overlap);
        shared.counters.totals.keystream_overlap.add(overlaps);
        match entry.end(stats.as_ref(), cause).kept() {
            Ok(ended) => shared.history.ended(ended),
            Err(error) => tracing::error!(%error, "a call cannot be written down"),
        }
        if tokio::time::timeout(CLOSING, session.close()).await.is_err() {
            tracing::warn!(call = entry.id(), "the call's instance did not close in time");
        }
    }
}

fn overflow(put: Put) -> Option<Input> {
    (put == Put::Overflow).then_some(Input::Close(EndCause::Failed))
}

async fn datagram(way: &mut Way) -> Option<Datagram> {
    match way {
        Way::Datagrams { inbox, .. } => inbox.recv().await,
        Way::Link { .. } => pending().await,
    }
}
