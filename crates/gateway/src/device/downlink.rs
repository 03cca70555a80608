//! To the device: speech in, cut into frames, coded when their time has come, sealed and sent at the device's pace.

use super::pacer::Pacer;
use super::uplink::Way;
use crate::bridge::Speech;
use crate::calls::Packets;
use crate::link::{Gone, Link};
use crate::shared::Shared;
use sidetone_host::{PoolError, PoolSession};
use sidetone_packet::MAX_PAYLOAD;
use sidetone_protocol::Time;
use sidetone_protocol::message::{GatewayBody, Tts};
use sidetone_protocol::session::{EndCause, Input};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// How long speech waits for a device that was not heard yet, and so cannot be reached.
const UNHEARD: Duration = Duration::from_secs(2);

/// A frame that goes this much after its time was late.
const LATE: Duration = Duration::from_millis(20);

pub(super) struct Downlink {
    pacer: Pacer,
    /// Samples of all channels of a frame.
    frame: usize,
    /// PCM that waits for its turn, from `taken` on.
    pcm: Vec<i16>,
    taken: usize,
    ready: Option<Frame>,
    ready_at: Duration,
    /// A mark that comes after what is ready.
    mark: Option<Tts>,
    /// Between tts start and stop.
    speaking: bool,
    /// What is spoken is live.
    live: bool,
    /// Live frames that were dropped, and not counted yet.
    shed: u64,
    since: Duration,
}

enum Frame {
    Pcm(Vec<i16>),
    Packet(Vec<u8>),
}

impl Downlink {
    pub(super) fn new(frame: usize, duration: Duration, lead: u32) -> Self {
        Self {
            pacer: Pacer::new(duration, lead),
            frame,
            pcm: Vec::new(),
            taken: 0,
            ready: None,
            ready_at: Duration::ZERO,
            mark: None,
            speaking: false,
            live: false,
            shed: 0,
            since: Duration::ZERO,
        }
    }

    /// Whether it takes more speech now.
    pub(super) const fn is_hungry(&self) -> bool {
        self.ready.is_none() && self.mark.is_none()
    }

    /// When the next frame is due, where there is one.
    pub(super) fn due(&self, way: &Way) -> Option<Duration> {
        self.ready.as_ref()?;
        let due = self.pacer.due();
        Some(if way.is_open() { due } else { due.max(self.since + UNHEARD) })
    }

    /// Takes in a piece of speech. The input, where it is a mark whose time has come.
    pub(super) fn take(&mut self, speech: Speech, now: Duration) -> Option<Input> {
        match speech {
            Speech::Mark(Tts::Start) => {
                (self.speaking, self.live, self.since) = (true, false, now);
                return Some(Input::Send(GatewayBody::Tts(Tts::Start)));
            }
            Speech::Mark(mark) if self.speaking => {
                self.mark = Some(mark);
                if self.mark == Some(Tts::Stop) {
                    self.fill_up();
                }
            }
            Speech::Live => self.live = self.speaking,
            Speech::Pcm(samples) if self.speaking => self.pcm.extend(samples),
            Speech::Packet(payload) if self.speaking && (1..=MAX_PAYLOAD).contains(&payload.len()) => {
                self.put(Frame::Packet(payload), now);
            }
            _ => {}
        }
        self.go_on(now)
    }

    /// The last frame of a turn is filled up with silence.
    fn fill_up(&mut self) {
        let rest = (self.pcm.len() - self.taken) % self.frame;
        if rest > 0 {
            self.pcm.resize(self.pcm.len() + self.frame - rest, 0);
        }
    }

    /// Gets the next frame ready; or, where there is none, the mark after the last one.
    fn go_on(&mut self, now: Duration) -> Option<Input> {
        self.ready_at = now;
        while self.ready.is_none() && self.pcm.len() - self.taken >= self.frame {
            let frame = self.pcm[self.taken..][..self.frame].to_vec();
            self.put(Frame::Pcm(frame), now);
            self.taken += self.frame;
            if self.pcm.len() - self.taken < self.frame {
                self.pcm.drain(..self.taken);
                self.taken = 0;
            }
        }
        if self.ready.is_some() {
            return None;
        }
        let mark = self.mark.take()?;
        if mark == Tts::Stop {
            self.speaking = false;
        }
        Some(Input::Send(GatewayBody::Tts(mark)))
    }

    /// Takes the next frame, unless it is live and the device has enough.
    fn put(&mut self, frame: Frame, now: Duration) {
        if self.live && self.pacer.has_enough(now) {
            self.shed += 1;
        } else {
            self.ready = Some(frame);
        }
    }

    /// Live frames that were dropped since this was asked last.
    pub(super) const fn shed(&mut self) -> u64 {
        std::mem::replace(&mut self.shed, 0)
    }

    /// The device was told this: speech that the protocol ended by itself is over here too.
    pub(super) fn told(&mut self, tts: &Tts) {
        if *tts == Tts::Stop && self.ready.is_none() && self.mark.is_none() && self.pcm.is_empty() {
            self.speaking = false;
        }
    }

    /// Drops all that waits: the user interrupted. Nothing more is taken before the next tts start.
    pub(super) fn interrupt(&mut self, now: Duration) {
        (self.ready, self.mark, self.speaking) = (None, None, false);
        self.pcm.clear();
        self.taken = 0;
        self.pacer.interrupted(now);
    }

    /// Sends the frame that is due.
    pub(super) async fn send<L: Link>(
        &mut self,
        shared: &Shared,
        packets: &Packets,
        session: &PoolSession,
        way: &mut Way,
        started: Duration,
        link: &mut L,
    ) -> Result<Vec<Input>, Gone> {
        let Some(frame) = self.ready.take() else { return Ok(Vec::new()) };
        let totals = &shared.counters.totals;
        let due = self.pacer.due().max(self.ready_at);
        let elapsed = shared.now().saturating_sub(started).as_millis() as u32;
        let mut inputs = Vec::new();
        if way.is_open() {
            let sealed = match frame {
                Frame::Pcm(pcm) => session.send(pcm, elapsed).await,
                Frame::Packet(payload) => session.send_payload(payload, elapsed).await.map(|datagram| vec![datagram]),
            };
            match sealed {
                Ok(datagrams) => {
                    for datagram in datagrams {
                        if leave(way, datagram, elapsed, link).await? {
                            totals.downlink_packets.add(1);
                            packets.sent.fetch_add(1, Relaxed);
                        } else {
                            totals.downlink_unsent.add(1);
                            packets.unsent.fetch_add(1, Relaxed);
                        }
                    }
                }
                Err(error) => {
                    totals.downlink_unsent.add(1);
                    packets.unsent.fetch_add(1, Relaxed);
                    tracing::debug!(session = %session.id(), %error, "a frame was not sent");
                    inputs.extend(ends(&error).map(Input::Close));
                }
            }
        } else {
            totals.downlink_unsent.add(1);
            packets.unsent.fetch_add(1, Relaxed);
        }
        let now = shared.now();
        let late = u64::from(now > due + LATE);
        totals.downlink_late.add(late);
        packets.late.fetch_add(late, Relaxed);
        let until = self.pacer.sent(now);
        inputs.push(Input::AudioPlayed { until: Time::from_millis(until.as_millis() as u64) });
        inputs.extend(self.go_on(now));
        totals.downlink_shed.add(self.shed());
        Ok(inputs)
    }
}

async fn leave<L: Link>(way: &mut Way, datagram: Vec<u8>, timestamp: u32, link: &mut L) -> Result<bool, Gone> {
    match way {
        Way::Datagrams { address, .. } => Ok(address.get().is_some_and(|path| path.send(datagram))),
        Way::Link { opener, .. } => {
            let mut payload = [0; MAX_PAYLOAD];
            let Ok(candidate) = opener.open(&datagram, &mut payload) else { return Ok(false) };
            let len = candidate.payload_len();
            if opener.accept(candidate).is_err() {
                return Ok(false);
            }
            link.send_audio(timestamp, &payload[..len]).await.map(|()| true)
        }
    }
}

/// Whether an error of the pool ends the session.
fn ends(error: &PoolError) -> Option<EndCause> {
    use sidetone_host::{Error, SealError, SendError};
    match error {
        PoolError::Closed(_) => Some(EndCause::Failed),
        PoolError::Guest(
            Error::Seal(SealError::SequenceExhausted | SealError::TimestampExhausted)
            | Error::Send(SendError::Seal(SealError::SequenceExhausted | SealError::TimestampExhausted)),
        ) => Some(EndCause::KeyExhausted),
        _ => None,
    }
}
