//! What a device could do: a buffer as deep as the network is uneven, order restored, gaps recovered or concealed.
//!
//! Every lost packet ends up in exactly one of `concealed`, `recovered` and `skipped`. A packet that comes after its
//! turn was lost then, and is `late` besides.

use super::delay::Delay;
use super::{Arrival, Statistics, Step};
use crate::jitter::Jitter;
use std::collections::BTreeMap;

/// The most packets that wait.
pub const MOST: usize = 64;

/// The deepest that the buffer makes itself, in packets.
const DEEPEST: u32 = 16;

/// The most frames in a row that are made up; libopus fades out by then.
const MOST_CONCEALED: u32 = 5;

/// Packets more than the target that are borne.
const SLACK: usize = 2;

/// So many frames in a row too deep a buffer is borne.
const PATIENCE: u32 = 25;

/// Frames that what is still under way is waited for after the end of speech.
const GRACE: u32 = 8;

/// Packets that came before the message that says that speech begins, and for how long (ms) they are kept.
const EARLY: (usize, f64) = (16, 500.0);

/// The buffer. The times are in ms.
#[derive(Clone, Debug)]
pub struct Adaptive {
    queue: BTreeMap<u32, Waiting>,
    phase: Phase,
    /// Sequence number of the packet whose turn is next; `None` before the first.
    next: Option<u32>,
    /// Frames made up in a row.
    in_a_row: u32,
    /// Of these, frames made up while nothing was there to tell whether a packet was lost or only late.
    owed: u32,
    too_deep: u32,
    /// Something was played since speech began.
    begun: bool,
    /// Frames since the last packet at the end of speech.
    idle: u32,
    delay: Delay,
    jitter: Jitter,
    statistics: Statistics,
}

#[derive(Clone, Debug)]
struct Waiting {
    arrived: f64,
    payload: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing is played.
    Silent,
    /// Speech has begun, and packets are gathered.
    Filling,
    /// Speech is played.
    Playing,
    /// Speech is over, but for what waits.
    Draining,
}

impl Adaptive {
    /// A buffer for packets of `frame` ms each.
    #[must_use]
    pub fn new(frame: f64) -> Self {
        Self {
            queue: BTreeMap::new(),
            phase: Phase::Silent,
            next: None,
            in_a_row: 0,
            owed: 0,
            too_deep: 0,
            begun: false,
            idle: 0,
            delay: Delay::new(frame),
            jitter: Jitter::default(),
            statistics: Statistics::default(),
        }
    }

    /// Takes a packet in.
    pub fn push(&mut self, now: f64, sequence: u32, timestamp: u32, payload: Vec<u8>) -> Arrival {
        let statistics = &mut self.statistics;
        statistics.received += 1;
        statistics.bytes += payload.len() as u64;
        self.jitter.observe(f64::from(timestamp), now);
        self.delay.observe(sequence, now);
        if self.next.is_some_and(|next| sequence < next) {
            statistics.late += 1;
            return Arrival::Late;
        }
        if self.queue.contains_key(&sequence) {
            statistics.duplicate += 1;
            return Arrival::Duplicate;
        }
        let silent = self.phase == Phase::Silent;
        if silent {
            self.forget_early(now);
        } else if self.queue.len() >= MOST {
            self.statistics.overflowed += 1;
            return Arrival::Overflow;
        }
        self.queue.insert(sequence, Waiting { arrived: now, payload });
        if silent { Arrival::NotPlaying } else { Arrival::Queued }
    }

    /// Speech begins. Packets that overtook the message that says so are played.
    pub fn start(&mut self, now: f64) {
        if self.phase == Phase::Silent {
            self.forget_early(now);
        } else {
            self.drop_waiting();
        }
        self.phase = Phase::Filling;
        (self.in_a_row, self.owed, self.too_deep, self.idle) = (0, 0, 0, 0);
        self.begun = false;
        self.jitter.pause();
        self.delay.restart();
    }

    /// Speech is over; what waits, and what is still under way, is played.
    pub fn drain(&mut self) {
        if matches!(self.phase, Phase::Filling | Phase::Playing) {
            self.phase = Phase::Draining;
        }
    }

    /// Speech is over at once.
    pub fn stop(&mut self) {
        self.drop_waiting();
        self.phase = Phase::Silent;
    }

    /// Whether frames are being made.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        self.phase != Phase::Silent
    }

    /// A frame is due.
    pub fn step(&mut self) -> Step {
        if self.phase == Phase::Filling && self.queue.len() >= self.delay.target(DEEPEST) as usize {
            self.phase = Phase::Playing;
        }
        if matches!(self.phase, Phase::Silent | Phase::Filling) {
            return Step::Silence;
        }
        self.catch_up();
        let Some(&first) = self.queue.keys().next() else { return self.starve() };
        let next = *self.next.get_or_insert(first);
        self.settle(first, next)
    }

    /// Counts, and how things stand.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let (depth, target) = (self.queue.len() as u32, self.delay.target(DEEPEST));
        Statistics { depth, target, jitter: self.jitter.estimate(), ..self.statistics }
    }

    /// Something waits: is it what is due?
    fn settle(&mut self, first: u32, mut next: u32) -> Step {
        // What was made up while nothing was there: for packets that are now known to be lost, or too early.
        let gap = first - next;
        let excused = gap.min(self.owed);
        self.lose(excused, |statistics, n| statistics.concealed += n);
        self.statistics.underruns += u64::from(self.owed - excused);
        self.owed = 0;
        next += excused;
        let gap = gap - excused;
        if self.in_a_row + gap > MOST_CONCEALED || !self.begun {
            // So much cannot be made up; and before the first packet there is nothing to go on from.
            self.lose(gap, |statistics, n| statistics.skipped += n);
            next += gap;
        }
        self.begun = true;
        self.idle = 0;
        self.next = Some(next + 1);
        match self.queue.remove(&next) {
            Some(Waiting { payload, .. }) => {
                self.in_a_row = 0;
                self.statistics.played += 1;
                Step::Decode(payload)
            }
            None => {
                self.in_a_row += 1;
                match self.queue.get(&(next + 1)).map(|waiting| waiting.payload.clone()) {
                    // Whether there is redundancy in it only the decoder finds: see `not_recovered`.
                    Some(following) => {
                        self.lose(1, |statistics, n| statistics.recovered += n);
                        Step::Recover(following)
                    }
                    None => {
                        self.lose(1, |statistics, n| statistics.concealed += n);
                        Step::Conceal
                    }
                }
            }
        }
    }

    /// A [`Step::Recover`] found no redundancy: the frame was concealed after all.
    pub fn not_recovered(&mut self) {
        if self.statistics.recovered > 0 {
            self.statistics.recovered -= 1;
            self.statistics.concealed += 1;
        }
    }

    /// Nothing waits.
    fn starve(&mut self) -> Step {
        if self.phase == Phase::Draining {
            self.idle += 1;
            if self.idle > GRACE {
                self.phase = Phase::Silent;
            }
            return Step::Silence;
        }
        if self.in_a_row >= MOST_CONCEALED {
            // The stream broke off: gather afresh.
            self.statistics.underruns += u64::from(self.owed);
            self.owed = 0;
            self.in_a_row = 0;
            self.phase = Phase::Filling;
            return Step::Silence;
        }
        self.in_a_row += 1;
        self.owed += 1;
        Step::Conceal
    }

    /// Shortens a delay that is longer than the network has asked for in a while.
    fn catch_up(&mut self) {
        let target = self.delay.target(DEEPEST) as usize;
        if self.queue.len() <= target + SLACK {
            self.too_deep = 0;
            return;
        }
        self.too_deep += 1;
        if self.too_deep < PATIENCE {
            return;
        }
        self.too_deep = 0;
        if let Some((sequence, _)) = self.queue.pop_first() {
            // What was missing before it stays missing.
            let missing = self.next.map_or(0, |next| sequence - next);
            self.lose(missing, |statistics, n| statistics.skipped += n);
            self.statistics.dropped += 1;
            self.next = Some(sequence + 1);
        }
    }

    fn lose(&mut self, packets: u32, count: fn(&mut Statistics, u64)) {
        self.statistics.lost += u64::from(packets);
        count(&mut self.statistics, packets.into());
    }

    fn drop_waiting(&mut self) {
        self.statistics.dropped += self.queue.len() as u64;
        if let Some((&last, _)) = self.queue.last_key_value() {
            self.next = Some(last + 1);
        }
        self.queue.clear();
        self.owed = 0;
    }

    /// Keeps of what came while nothing is played only what may belong to speech that is about to begin.
    fn forget_early(&mut self, now: f64) {
        let (most, age) = EARLY;
        while let Some((&sequence, first)) = self.queue.first_key_value() {
            if self.queue.len() < most && now - first.arrived <= age {
                break;
            }
            self.queue.pop_first();
            self.next = Some(sequence + 1);
            self.statistics.not_playing += 1;
        }
    }
}
