//! What comes from the gateway: judged as firmware would, measured, played, searched for marks.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use sidetone_opus::packet::Packet;
use sidetone_packet::{HEADER_LEN, Header};
use sidetone_protocol::device::Verdict;

use super::super::playout::Played;
use super::super::port::ROOM;
use super::super::watch::Heard;
use super::{Call, Came, Inbound};
use crate::impairment::Fate;
use crate::stats::{add, count};
use crate::{Kind, Shared, trouble};

/// Two downlink packets nearer than this make small devices stutter.
const BUNCH: Duration = Duration::from_millis(10);
/// The most lost frames that an improved device makes up in a row.
const MOST_MADE_UP: u32 = 5;
/// The most datagrams taken from a socket at a time.
const MOST_AT_ONCE: usize = 64;

impl Call {
    /// Takes what has come from the socket.
    pub(in crate::device) fn receive(&mut self, shared: &Shared) -> Came {
        let mut buffer = [0; ROOM];
        let mut came = Came::Nothing;
        for _ in 0..MOST_AT_ONCE {
            match self.port.try_receive(&mut buffer) {
                Ok(length) => {
                    if self.came(shared, &mut buffer[..length]) == Came::Audio {
                        came = Came::Audio;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                // The answer to a packet of ours: nobody listens there.
                Err(error) => shared.stats.cause(&format!("UDP: {}", trouble(&error))),
            }
        }
        came
    }

    /// A datagram left the network.
    fn came(&mut self, shared: &Shared, datagram: &mut [u8]) -> Came {
        let (now, stats) = (shared.now(), &shared.stats);
        if let Some(rebound) = self.rebound.take() {
            stats.rebind.record(now.saturating_sub(rebound));
        }
        if let Some(head) = datagram.first_chunk::<HEADER_LEN>()
            && let Ok(header) = Header::parse(head)
            && self.playing
            && let Some(spacing) = self.arrivals.spacing(header.sequence, now)
        {
            stats.pacing.record(spacing.abs_diff(self.frame));
            if spacing < BUNCH {
                count(&stats.counters.bunched);
            }
        }
        if shared.config.downlink.is_none() {
            return self.arrive(shared, datagram, now, now);
        }
        match self.down.pass(now) {
            Fate::Lost => count(&stats.counters.impaired_down),
            Fate::Comes { due, copies } => {
                for _ in 0..copies {
                    let inbound = Inbound { datagram: (&*datagram).into(), raw: now };
                    if self.downlink.push(due, inbound).is_err() {
                        count(&stats.counters.impairment_overflow);
                    }
                }
            }
        }
        Came::Nothing
    }

    /// A datagram reaches the device at `now`; it left the network at `raw`.
    pub(super) fn arrive(&mut self, shared: &Shared, datagram: &mut [u8], raw: Duration, now: Duration) -> Came {
        let (stats, counters) = (&shared.stats, &shared.stats.counters);
        let verdict = self.receiver.judge(datagram);
        let header = match verdict {
            Verdict::Malformed(_) => {
                count(&counters.malformed);
                return Came::Nothing;
            }
            Verdict::Play { header, .. } => header,
            // Firmware plays neither, but here they are told apart.
            Verdict::Old { .. } => match datagram.first_chunk().map(Header::parse) {
                Some(Ok(header)) => header,
                _ => return Came::Nothing,
            },
        };
        if header.connection_id != self.sealer.connection_id() {
            count(&counters.malformed);
            return Came::Nothing;
        }
        let arrival = self.arrivals.arrive(header.sequence, now);
        add(&counters.lost, arrival.lost.into());
        if arrival.reordered {
            counters.lost.fetch_sub(1, Relaxed);
            count(&counters.reordered);
        }
        if arrival.duplicate {
            count(&counters.duplicates);
        } else {
            count(&counters.downlink_packets);
        }
        if !matches!(verdict, Verdict::Play { .. }) {
            return Came::Audio;
        }
        let iv = header.to_bytes();
        let payload = &mut datagram[HEADER_LEN..];
        self.opener.apply_keystream(&iv, payload);
        let payload = &*payload;
        if !Packet::parse(payload).is_ok_and(|packet| packet.duration_micros() == self.duration_us) {
            count(&counters.undecodable);
            return Came::Audio;
        }
        if !self.playing {
            count(&counters.unplayed);
            return Came::Audio;
        }
        if arrival.late {
            count(&counters.late);
        }
        let lost = arrival.lost;
        let made_up = if shared.config.kind == Kind::Improved && lost <= MOST_MADE_UP { lost } else { 0 };
        add(&counters.concealed, made_up.into());
        match self.playout.arrive(now, made_up) {
            Played::Lost => count(&counters.overflowed),
            Played::At { time, dry } => {
                if dry {
                    count(&counters.dry);
                }
                if let Some(awaited) = self.awaited.take() {
                    stats.first_audio.record(time.saturating_sub(awaited));
                }
                self.listen(shared, Heard { sequence: header.sequence, payload, raw, played: time });
            }
        }
        Came::Audio
    }

    /// Looks for a mark.
    fn listen(&mut self, shared: &Shared, heard: Heard<'_>) {
        let Some(watch) = &mut self.watch else { return };
        if watch.hear(heard, &shared.speech.marked, &shared.stats) {
            count(&shared.stats.counters.marks_heard);
            self.watch = None;
        }
    }
}
