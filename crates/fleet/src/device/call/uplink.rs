//! What goes to the gateway: spoken, sealed, impaired, sent.

use std::time::Duration;

use sidetone_packet::{HEADER_LEN, MAX_PAYLOAD};

use super::super::talk::Spoken;
use super::super::watch::{WARM_UP, Watch};
use super::{Call, FRAME, Outbound};
use crate::impairment::Fate;
use crate::speech::Loop;
use crate::stats::count;
use crate::{Kind, Shared, trouble};

/// A device whose process was held up for longer does not send what it missed.
const STALL: Duration = Duration::from_secs(1);

impl Call {
    /// What the microphone picked up since the last time. Returns whether an utterance is finished.
    pub(super) fn capture(&mut self, shared: &Shared, now: Duration) -> bool {
        let config = &shared.config;
        if self.watch.as_ref().is_some_and(|watch| watch.is_over(now)) {
            self.watch = None;
            count(&shared.stats.counters.marks_missed);
        }
        let mut any = false;
        while let Some(capture) = &mut self.capture
            && capture.next <= now
        {
            let lag = now - capture.next;
            shared.stats.own_lag.record(lag);
            capture.next = if lag > STALL { now + FRAME } else { capture.next + FRAME };
            if now < self.opened + config.late_start {
                continue;
            }
            if self.listens && self.watch.is_none() && capture.user.until_mark() == Some(WARM_UP) {
                self.watch = Watch::new().map(Box::new);
            }
            let Spoken { payload, place, finished } = capture.user.speak(now);
            let mark = place.filter(|place| Loop::until_mark(*place) == 0);
            let timestamp = match config.kind {
                Kind::Improved => (now - self.opened).as_millis() as u32,
                _ => 0,
            };
            let mut packet = [0; HEADER_LEN + MAX_PAYLOAD];
            // Out of sequence numbers: after eight years.
            let Ok(header) = self.sealer.seal(timestamp, payload, &mut packet) else { return any };
            count(&shared.stats.counters.uplink_packets);
            if !self.started && place.is_some() {
                self.awaited = Some(now);
            }
            self.started = true;
            if finished {
                self.awaited = Some(now);
                count(&shared.stats.counters.utterances);
            }
            any |= finished;
            self.send(shared, &packet[..header.packet_len()], mark, now);
        }
        any
    }

    fn send(&mut self, shared: &Shared, datagram: &[u8], mark: Option<usize>, now: Duration) {
        let stats = &shared.stats;
        let mark = mark.filter(|_| self.watch.is_some());
        if let (Some(place), Some(watch)) = (mark, &mut self.watch) {
            watch.spoken(place, now);
            count(&stats.counters.marks_sent);
        }
        if shared.config.uplink.is_none() {
            self.transmit(shared, datagram, mark);
            return;
        }
        match self.up.pass(now) {
            Fate::Lost => count(&stats.counters.impaired_up),
            Fate::Comes { due, copies } => {
                for _ in 0..copies {
                    if self.uplink.push(due, Outbound { datagram: datagram.into(), mark }).is_err() {
                        count(&stats.counters.impairment_overflow);
                    }
                }
            }
        }
    }

    pub(super) fn transmit(&mut self, shared: &Shared, datagram: &[u8], mark: Option<usize>) {
        if let Err(error) = self.port.try_send(datagram) {
            shared.stats.cause(&format!("UDP: {}", trouble(&error)));
        }
        shared.overheard(self.server, datagram);
        if let (Some(place), Some(watch)) = (mark, &mut self.watch) {
            watch.left(place, shared.now());
        }
    }
}
