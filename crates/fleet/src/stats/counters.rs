//! Counts of what happened, and gauges of what is.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::Serialize;

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Counts from many tasks at once.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[doc = $doc])+ pub $name: AtomicU64,)+
        }

        /// [`Counters`] at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
        pub struct Counts {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Counters {
            /// What has been counted so far.
            #[must_use]
            pub fn snapshot(&self) -> Counts {
                Counts { $($name: self.$name.load(Relaxed),)+ }
            }
        }

        impl Counts {
            /// Every count by its name, in the order of the report.
            #[must_use]
            pub fn named(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)+]
            }
        }
    };
}

counters! {
    /// Devices that have a connection now.
    connected,
    /// The most devices that had one at a time.
    connected_peak,
    /// Calls between hello and goodbye now.
    in_call,
    /// The most calls at a time.
    in_call_peak,
    /// Connections made.
    connections,
    /// Connections that were not made: refused, timed out.
    connect_failures,
    /// Connections that broke.
    disconnects,
    /// Calls that a device wanted.
    calls_started,
    /// Calls that a hello reply opened.
    calls_opened,
    /// Calls that lasted as long as they should.
    calls_completed,
    /// Calls that the end of the run cut short.
    calls_cut,
    /// Calls that did not come about.
    calls_failed,
    /// Calls that ended before their time.
    calls_lost,
    /// Utterances spoken (auto and manual).
    utterances,
    /// Of these, answered with audio.
    answered,
    /// Of these, not answered in time.
    unanswered,
    /// Packets that devices sealed and sent on their way.
    uplink_packets,
    /// Packets that came and were this session's audio, duplicates not counted.
    downlink_packets,
    /// Downlink packets that never came, or not yet: gaps in the sequence.
    lost,
    /// Downlink packets lost or held by the impairment of this fleet: part of `lost` as a rule.
    impaired_down,
    /// Uplink packets lost by the impairment of this fleet.
    impaired_up,
    /// Packets dropped because too many were under way in the impairment.
    impairment_overflow,
    /// Downlink packets that came more than once.
    duplicates,
    /// Downlink packets that came after a later one.
    reordered,
    /// Downlink packets that came more than a frame after they were due.
    late,
    /// Frames made up for lost ones (improved devices; firmware has no concealment).
    concealed,
    /// Times that playing ran dry, within `tts start` and `stop`, for more than 10 ms.
    dry,
    /// Packets that found the play queue full.
    overflowed,
    /// Packets still queued when a `tts stop` came, which firmware does not play.
    cut,
    /// Packets that came outside of `tts start` and `stop`, which firmware does not play.
    unplayed,
    /// Pairs of consecutive downlink packets within 10 ms of each other.
    bunched,
    /// Downlink packets that are no Opus packet of the negotiated duration.
    undecodable,
    /// Downlink datagrams that are no packets, or of another session.
    malformed,
    /// Marks sent.
    marks_sent,
    /// Marks heard again.
    marks_heard,
    /// Marks not heard again: lost on the way with their packet, or later than the search goes.
    marks_missed,
    /// Changes of a device's port during a call.
    rebinds,
    /// Alerts.
    alerts,
    /// Error messages of the gateway.
    errors,
    /// Messages of the gateway that could not be read.
    unreadable,
    /// Hostile packets, messages or connections sent.
    hostile_sent,
    /// Goodbyes, closed connections and refusals that answered hostility.
    hostile_refused,
    /// Answers to hostile datagrams, which there should be none of.
    hostile_answered,
}

/// One more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// Some more.
pub(crate) fn add(counter: &AtomicU64, more: u64) {
    if more > 0 {
        counter.fetch_add(more, Relaxed);
    }
}

/// One more that is live, and perhaps the most ever.
pub(crate) fn enter(gauge: &AtomicU64, peak: &AtomicU64) {
    peak.fetch_max(gauge.fetch_add(1, Relaxed) + 1, Relaxed);
}

/// One less that is live.
pub(crate) fn leave(gauge: &AtomicU64) {
    gauge.fetch_sub(1, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_keep_their_peak() {
        let counters = Counters::default();
        for _ in 0..3 {
            enter(&counters.in_call, &counters.in_call_peak);
        }
        leave(&counters.in_call);
        add(&counters.lost, 5);
        count(&counters.lost);
        let counts = counters.snapshot();
        assert_eq!((counts.in_call, counts.in_call_peak, counts.lost), (2, 3, 6));
        assert_eq!(counts.named()[2..4], [("in_call", 2), ("in_call_peak", 3)]);
    }
}
