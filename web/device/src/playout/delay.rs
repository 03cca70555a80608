//! How deep a buffer the network asks for.

use std::collections::VecDeque;

/// Packets that are looked back at: four seconds of 60 ms frames.
const WINDOW: usize = 64;

/// Share of packets that are to be there in time; the others may be concealed.
const PERCENTILE: f64 = 0.97;

/// Milliseconds that are allowed for besides what was measured: the unevenness of the clocks and of the scheduler.
const ALLOWANCE: f64 = 20.0;

/// How much later than the fastest packets others come, measured against the time of their audio.
#[derive(Clone, Debug)]
pub(super) struct Delay {
    frame: f64,
    /// Arrival less the time of the audio, of each packet since the speech began.
    transits: VecDeque<f64>,
    /// Lateness of the window that the last speech ended with: the next begins where it left off.
    before: f64,
}

impl Delay {
    pub(super) const fn new(frame: f64) -> Self {
        Self { frame, transits: VecDeque::new(), before: 0.0 }
    }

    pub(super) fn observe(&mut self, sequence: u32, arrived: f64) {
        if self.transits.len() == WINDOW {
            self.transits.pop_front();
        }
        self.transits.push_back(arrived - f64::from(sequence) * self.frame);
    }

    /// Speech begins. Its packets have nothing to do with the time of those before.
    pub(super) fn restart(&mut self) {
        if self.transits.len() >= 8 {
            // Half of what was learnt is kept, so that one bad spell does not deepen the buffer for ever.
            self.before = (self.before + self.lateness()) / 2.0;
        }
        self.transits.clear();
    }

    /// Packets to wait for before playing begins.
    pub(super) fn target(&self, most: u32) -> u32 {
        let known = self.transits.len() >= 8;
        let lateness = if known { self.lateness() } else { self.before.max(self.lateness()) };
        let frames = ((lateness + ALLOWANCE) / self.frame).ceil();
        (1 + frames.max(1.0) as u32).min(most)
    }

    /// Milliseconds by which all but the last few percent of packets are later than the fastest.
    fn lateness(&self) -> f64 {
        let mut transits: Vec<f64> = self.transits.iter().copied().collect();
        transits.sort_unstable_by(f64::total_cmp);
        let Some(fastest) = transits.first() else { return 0.0 };
        let rank = ((transits.len() as f64 * PERCENTILE).ceil() as usize).saturating_sub(1);
        transits[rank.min(transits.len() - 1)] - fastest
    }
}
