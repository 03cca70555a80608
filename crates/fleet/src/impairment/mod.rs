//! What happens to packets on the way, in each direction: loss, bursts, delay, jitter, reordering, duplicates.
//!
//! Everything is drawn from a seed, so that the n-th packet of a line fares the same in every run. Nothing here owns
//! a clock or a socket: [`Line`] decides, [`Delay`] keeps.

mod delay;
mod line;

use std::time::Duration;

pub use delay::{Delay, MOST_DELAYED};
pub use line::{Fate, Line, LineCounts};
use serde::Serialize;

/// How bad a way is. All zero by default: packets then go straight through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Impairment {
    /// Share of packets lost, 0 to 1.
    pub loss: f64,
    /// Mean length of a burst of losses, in packets (Gilbert-Elliott: every packet is lost in the bad state, none in
    /// the good one). `None`: each packet is lost or not regardless of the others.
    pub burst: Option<f64>,
    /// Delay of every packet.
    #[serde(rename = "delay_ms", serialize_with = "crate::report::as_millis")]
    pub delay: Duration,
    /// The most that is added to it: evenly drawn from 0 to this, a packet. Like the queues that cause it, jitter does
    /// not change the order: a packet waits for those before it.
    #[serde(rename = "jitter_ms", serialize_with = "crate::report::as_millis")]
    pub jitter: Duration,
    /// Share of packets that are held back for one and a half frames, so that the next one overtakes them.
    pub reorder: f64,
    /// Share of packets that come twice.
    pub duplicate: f64,
}

/// The longest delay and jitter together: what [`MOST_DELAYED`] packets can hold.
pub const MOST_DELAY: Duration = Duration::from_secs(5);

impl Impairment {
    /// Whether packets go straight through.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What cannot be: a share outside 0 to 1, a burst below one packet, more delay than the queue holds.
    pub(crate) fn fault(&self) -> Option<String> {
        let shares = [("loss", self.loss), ("reorder", self.reorder), ("duplicate", self.duplicate)];
        if let Some((name, share)) = shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Some(format!("{name} of {} % is not between 0 and 100 %", share * 100.0));
        }
        if let Some(burst) = self.burst {
            if !(1.0..=1000.0).contains(&burst) {
                return Some(format!("bursts of {burst} packets: give a mean length of 1 to 1000"));
            }
            // The good state has to be left with a probability of 1 at most.
            let most = burst / (burst + 1.0);
            if self.loss > most && self.loss < 1.0 {
                return Some(format!(
                    "{:.1} % of loss in bursts of {burst} packets cannot be: at most {:.1} %, or longer bursts",
                    self.loss * 100.0,
                    most * 100.0
                ));
            }
        }
        let delay = self.delay + self.jitter;
        (delay > MOST_DELAY).then(|| format!("delay and jitter of {delay:?} together: at most {MOST_DELAY:?}"))
    }
}
