//! What a fleet measures while it runs: shared by all devices, without locks on the packet path, of bounded memory.

mod counters;
mod histogram;
mod timeline;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

pub use counters::{Counters, Counts};
pub(crate) use counters::{add, count, enter, leave};
pub use histogram::{Histogram, Snapshot};
pub use timeline::{Moment, Timeline};

/// The most different causes that are told apart; texts of a gateway are among them.
const MOST_CAUSES: usize = 64;
/// What the others are counted as.
const OTHER: &str = "other";
/// The most characters of a cause.
const MOST_CHARS: usize = 80;

/// Everything that is measured.
#[derive(Debug, Default)]
pub struct Stats {
    /// Counts of events, and of what is live now.
    pub counters: Counters,
    /// From the attempt to connect until MQTT stands.
    pub connect: Histogram,
    /// From publishing a hello to its reply.
    pub hello: Histogram,
    /// To the first downlink packet that is played: in realtime mode from the call's first uplink packet; in auto and
    /// manual mode, for each utterance, from its last packet.
    pub first_audio: Histogram,
    /// Mouth to ear, by marked audio.
    pub mouth_to_ear: Histogram,
    /// Of that, what the gateway and the path to it add: see [`crate::speech`].
    pub added: Histogram,
    /// How far the time between consecutive downlink packets is from a frame, either way.
    pub pacing: Histogram,
    /// From a change of the device's port to the first packet on the new one.
    pub rebind: Histogram,
    /// How late this process was to do what was due: what it adds to everything else.
    pub own_lag: Histogram,
    causes: Mutex<BTreeMap<String, u64>>,
}

impl Stats {
    /// Counts something that happened for a reason, such as the end of a call.
    pub fn cause(&self, what: &str) {
        let mut causes = self.causes.lock().unwrap_or_else(PoisonError::into_inner);
        let name: String = what.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_CHARS).collect();
        let known = causes.contains_key(&name) || causes.len() < MOST_CAUSES;
        *causes.entry(if known { name } else { OTHER.into() }).or_default() += 1;
    }

    /// The causes so far.
    #[must_use]
    pub fn causes(&self) -> BTreeMap<String, u64> {
        self.causes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_counted_and_bounded() {
        let stats = Stats::default();
        for index in 0..100 {
            stats.cause(&format!("alert: {index}"));
        }
        stats.cause("alert: 0");
        stats.cause(&"long\n".repeat(100));
        let causes = stats.causes();
        assert_eq!((causes.len(), causes["alert: 0"], causes["other"]), (MOST_CAUSES + 1, 2, 37));
    }
}
