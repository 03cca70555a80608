//! From the device: datagrams in, judged in the call's own instance, and on to the back end.

use crate::bridge::{Form, Heard, Leg, Put, ToBackEnd};
use crate::calls::Record;
use crate::media::{Datagram, Path, Registration};
use crate::protect::ReturnAddress;
use crate::shared::Shared;
use sidetone_host::{Error, OpenError, PoolError, PoolSession, Received};
use sidetone_packet::{Direction, HEADER_LEN, MAX_PAYLOAD, Opener, Sealer};
use sidetone_protocol::session::{EndCause, Input};
use sidetone_session::Kind;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::mpsc;

/// Packets in a row that decrypt to nonsense, after which the device's key is taken to be another one.
const WRONG_KEY: u32 = 16;

/// Frames heard before the microphone was said to be open that are kept: UDP overtakes MQTT.
const EARLY: usize = 5;

/// How long they are kept.
const EARLY_FOR: Duration = Duration::from_millis(400);

/// A DTX packet has one or two bytes.
const SILENT: usize = 2;

/// How the audio of a call travels.
pub(super) enum Way {
    /// In sealed datagrams.
    Datagrams { inbox: mpsc::Receiver<Datagram>, registration: Registration, address: ReturnAddress<Path> },
    /// As bare Opus on the device's own connection. The instance knows sealed packets only, so that they are sealed and
    /// opened here, with a key that never leaves this process.
    Link { sealer: Sealer, opener: Opener },
}

impl Way {
    pub(super) const fn datagrams(registration: Registration, inbox: mpsc::Receiver<Datagram>) -> Self {
        Self::Datagrams { inbox, registration, address: ReturnAddress::new() }
    }

    /// Whether anything can be sent: a device behind UDP must have been heard first.
    pub(super) const fn is_open(&self) -> bool {
        match self {
            Self::Datagrams { address, .. } => address.get().is_some(),
            Self::Link { .. } => true,
        }
    }
}

/// What is done with what the device says.
pub(super) struct Uplink {
    capturing: bool,
    early: VecDeque<(Duration, Heard)>,
    nonsense: u32,
    record: Arc<Record>,
}

impl Uplink {
    pub(super) const fn new(record: Arc<Record>) -> Self {
        Self { capturing: false, early: VecDeque::new(), nonsense: 0, record }
    }

    pub(super) fn start_capture(&mut self, now: Duration, leg: &Leg) -> Put {
        self.capturing = true;
        let early = std::mem::take(&mut self.early).into_iter();
        let fresh = early.filter(|(at, _)| now.saturating_sub(*at) < EARLY_FOR);
        fresh.fold(Put::Taken, |_, (_, heard)| leg.to.put(ToBackEnd::Audio(heard)))
    }

    pub(super) fn stop_capture(&mut self) {
        self.capturing = false;
        self.early.clear();
    }

    /// Takes in one datagram.
    pub(super) async fn take(
        &mut self,
        shared: &Shared,
        session: &PoolSession,
        way: &mut Way,
        leg: &Leg,
        datagram: Datagram,
    ) -> Option<Input> {
        let Datagram { bytes, from } = datagram;
        let silent = bytes.len() <= HEADER_LEN + SILENT;
        let result = session.receive(bytes).await;
        if let Way::Datagrams { registration, address, .. } = way {
            match &result {
                Ok(received) => {
                    let known = address.get().is_some();
                    let audio = matches!(received.kind, Kind::Audio | Kind::Undecodable);
                    if audio && address.heard(&from, shared.now()) && known {
                        shared.counters.totals.rebound.add(1);
                        self.record.log("address", &format!("the device is at {from} now"));
                        tracing::info!(session = %session.id(), %from, "the device's address changed");
                    }
                    if address.get() == Some(&from) {
                        registration.heard(&from);
                    }
                }
                // What a stranger sends says nothing of the device's key.
                Err(_) if address.get().is_some_and(|home| *home != from) => {
                    return count_failure(shared, &result);
                }
                Err(_) => {}
            }
        }
        self.judge(shared, leg, result, silent)
    }

    /// Takes in one packet of a device whose audio is not sealed.
    pub(super) async fn take_payload(
        &mut self,
        shared: &Shared,
        session: &PoolSession,
        way: &mut Way,
        leg: &Leg,
        payload: &[u8],
    ) -> Option<Input> {
        let Way::Link { sealer, .. } = way else { return None };
        let mut bytes = vec![0; HEADER_LEN + payload.len().min(MAX_PAYLOAD + 1)];
        let timestamp = shared.now().as_millis() as u32;
        if sealer.seal(timestamp, payload, &mut bytes).is_err() {
            shared.counters.dropped.oversized.add(1);
            return None;
        }
        debug_assert_eq!(sealer.direction(), Direction::Uplink);
        let result = session.receive(bytes).await;
        self.judge(shared, leg, result, payload.len() <= SILENT)
    }

    fn judge(
        &mut self,
        shared: &Shared,
        leg: &Leg,
        result: Result<Received, PoolError>,
        silent: bool,
    ) -> Option<Input> {
        let received = match result {
            Ok(received) => received,
            Err(error) => return self.failed(shared, error),
        };
        let totals = &shared.counters.totals;
        match received.kind {
            Kind::Audio | Kind::Undecodable => {}
            Kind::Late => {
                shared.counters.dropped.late.add(1);
                return None;
            }
            Kind::Text => {
                shared.counters.dropped.text.add(1);
                return None;
            }
        }
        self.nonsense = 0;
        let (packets, concealed) = (&self.record.packets, received.concealed + received.recovered);
        totals.uplink_packets.add(1);
        totals.uplink_lost.add(received.lost.into());
        totals.uplink_concealed.add(concealed.into());
        packets.received.fetch_add(1, Relaxed);
        packets.lost.fetch_add(received.lost.into(), Relaxed);
        packets.concealed.fetch_add(concealed.into(), Relaxed);
        match self.hear(shared, leg, received) {
            Put::Overflow => Some(Input::Close(EndCause::Failed)),
            _ => Some(Input::AudioHeard { silent }),
        }
    }

    fn hear(&mut self, shared: &Shared, leg: &Leg, received: Received) -> Put {
        let heard = match leg.uplink {
            Form::Pcm(_) => Heard::Pcm { samples: received.samples, position: received.position },
            Form::Packets => Heard::Packet { payload: received.payload, timestamp: received.timestamp },
        };
        if self.capturing {
            let put = leg.to.put(ToBackEnd::Audio(heard));
            shared.counters.totals.bridge_dropped.add(u64::from(put == Put::DroppedOldest));
            return put;
        }
        if self.early.len() == EARLY {
            self.early.pop_front();
        }
        self.early.push_back((shared.now(), heard));
        Put::Taken
    }

    fn failed(&mut self, shared: &Shared, error: PoolError) -> Option<Input> {
        let implausible = matches!(&error, PoolError::Guest(Error::Open(open)) if open.is_implausible());
        let input = count_failure(shared, &Err(error));
        if implausible {
            self.nonsense += 1;
            if self.nonsense >= WRONG_KEY {
                shared.counters.totals.wrong_key.add(1);
                return Some(Input::Close(EndCause::WrongKey));
            }
        }
        input
    }
}

/// Counts a datagram that was not taken into the stream. The input, where the session is over.
fn count_failure(shared: &Shared, result: &Result<Received, PoolError>) -> Option<Input> {
    let Err(error) = result else { return None };
    let dropped = &shared.counters.dropped;
    match error {
        PoolError::Guest(Error::Open(open)) => match open {
            OpenError::Replayed(_) | OpenError::TooOld(_) => dropped.replayed.add(1),
            OpenError::Held(_) | OpenError::Overtaken(_) | OpenError::NoCandidate(_) => dropped.far_ahead.add(1),
            open if open.is_implausible() => dropped.implausible.add(1),
            _ => dropped.malformed.add(1),
        },
        PoolError::Closed(reason) => {
            tracing::warn!(%reason, "a call's instance is gone for good");
            return Some(Input::Close(EndCause::Failed));
        }
        _ => dropped.pool.add(1),
    }
    None
}
