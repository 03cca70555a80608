//! What firmware does: it plays what comes, in the order in which it comes, and nothing in place of what does not.

use super::{Arrival, Statistics, Step};
use crate::jitter::Jitter;
use sidetone_packet::Header;
use sidetone_protocol::device::{PlayQueue, ReceiveRules, Receiver, Verdict};

/// Firmware's receive side. The times are in ms.
#[derive(Clone, Debug)]
pub struct Faithful {
    receiver: Receiver,
    queue: PlayQueue<Vec<u8>>,
    playing: bool,
    /// Something was played since the start of the speech.
    begun: bool,
    jitter: Jitter,
    statistics: Statistics,
}

impl Faithful {
    /// Right after a hello.
    #[must_use]
    pub fn new(rules: ReceiveRules) -> Self {
        Self {
            receiver: Receiver::new(rules),
            queue: PlayQueue::new(rules),
            playing: false,
            begun: false,
            jitter: Jitter::default(),
            statistics: Statistics::default(),
        }
    }

    /// Judges a datagram by its header. `Some`: it is to be decrypted and [pushed](Self::push).
    pub fn judge(&mut self, datagram: &[u8]) -> Option<Header> {
        match self.receiver.judge(datagram) {
            Verdict::Play { header, gap } => {
                self.statistics.lost += u64::from(gap);
                self.statistics.skipped += u64::from(gap);
                Some(header)
            }
            Verdict::Old { sequence, last } if sequence == last => {
                self.statistics.duplicate += 1;
                None
            }
            Verdict::Old { .. } => {
                self.statistics.late += 1;
                None
            }
            Verdict::Malformed(_) => None,
        }
    }

    /// Takes a payload in.
    pub fn push(&mut self, now: f64, timestamp: u32, payload: Vec<u8>) -> Arrival {
        self.statistics.received += 1;
        self.statistics.bytes += payload.len() as u64;
        self.jitter.observe(f64::from(timestamp), now);
        if !self.playing {
            self.statistics.not_playing += 1;
            return Arrival::NotPlaying;
        }
        match self.queue.push(payload) {
            Ok(()) => Arrival::Queued,
            Err(_) => Arrival::Overflow,
        }
    }

    /// Speech begins: from an empty queue.
    pub fn start(&mut self) {
        self.queue.clear();
        self.playing = true;
        self.begun = false;
        self.jitter.pause();
    }

    /// Speech is over. What waits is not played.
    pub fn stop(&mut self) {
        self.statistics.dropped += self.queue.clear() as u64;
        self.playing = false;
    }

    /// A frame is due.
    pub fn step(&mut self) -> Step {
        match self.queue.pop() {
            Some(payload) => {
                self.begun = true;
                self.statistics.played += 1;
                Step::Decode(payload)
            }
            None => {
                self.statistics.underruns += u64::from(self.playing && self.begun);
                Step::Silence
            }
        }
    }

    /// Counts, and how things stand.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let depth = self.queue.len() as u32;
        let (overflowed, jitter) = (self.queue.overflowed(), self.jitter.estimate());
        Statistics { depth, overflowed, jitter, ..self.statistics }
    }
}
