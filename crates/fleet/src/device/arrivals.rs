//! In which order, and how evenly, downlink packets come.

use std::time::Duration;

use sidetone_packet::{Freshness, ReplayWindow};

/// What a packet's sequence number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    /// Numbers that were missing before it.
    pub(super) lost: u32,
    /// Came before.
    pub(super) duplicate: bool,
    /// Came after a later one; it was counted as lost.
    pub(super) reordered: bool,
    /// Came more than a frame after it was due.
    pub(super) late: bool,
}

/// The packets of one session.
#[derive(Debug)]
pub(super) struct Arrivals {
    frame: Duration,
    window: ReplayWindow,
    /// Sequence number and time, before the impairment, of the last packet.
    last: Option<(u32, Duration)>,
    /// When packet 0 would have been due, in microseconds, by those that came soonest.
    origin: Option<i64>,
}

impl Arrivals {
    pub(super) const fn new(frame: Duration) -> Self {
        Self { frame, window: ReplayWindow::new(), last: None, origin: None }
    }

    /// A packet left the network. Tells how long after the one with the number before.
    pub(super) fn spacing(&mut self, sequence: u32, now: Duration) -> Option<Duration> {
        let before = self.last.replace((sequence, now));
        before.filter(|(last, _)| last.checked_add(1) == Some(sequence)).map(|(_, at)| now.saturating_sub(at))
    }

    /// A new sentence starts: its packets are due when they come.
    pub(super) const fn restart(&mut self) {
        (self.origin, self.last) = (None, None);
    }

    /// A packet reached the device.
    pub(super) fn arrive(&mut self, sequence: u32, now: Duration) -> Arrival {
        let freshness = self.window.check(sequence);
        let lost = match freshness {
            Freshness::First => sequence.saturating_sub(1),
            Freshness::Ahead(by) => by - 1,
            _ => 0,
        };
        let duplicate = matches!(freshness, Freshness::Replayed | Freshness::TooOld);
        if !duplicate {
            self.window.mark(sequence);
        }
        let late = !duplicate && self.is_late(sequence, now);
        Arrival { lost, duplicate, reordered: matches!(freshness, Freshness::Late(_)), late }
    }

    /// After one that is late, those that follow are due from then on: one delay is one late packet.
    fn is_late(&mut self, sequence: u32, now: Duration) -> bool {
        let frame = self.frame.as_micros() as i64;
        let origin = now.as_micros() as i64 - i64::from(sequence) * frame;
        let due = *self.origin.get_or_insert(origin);
        let late = origin > due + frame;
        if late || origin < due {
            self.origin = Some(origin);
        }
        late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(60);

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn gaps_duplicates_and_order_are_told_apart() {
        let mut arrivals = Arrivals::new(FRAME);
        let mut found = Vec::new();
        for (sequence, time) in [(2, 0), (3, 60), (3, 61), (6, 240), (5, 245), (5, 250), (7, 300)] {
            let Arrival { lost, duplicate, reordered, late } = arrivals.arrive(sequence, ms(time));
            assert!(!late || reordered, "{sequence}");
            found.push((sequence, lost, duplicate, reordered));
        }
        let expected = [
            (2, 1, false, false),
            (3, 0, false, false),
            (3, 0, true, false),
            (6, 2, false, false),
            (5, 0, false, true),
            (5, 0, true, false),
            (7, 0, false, false),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_delay_is_one_late_packet() {
        let mut arrivals = Arrivals::new(FRAME);
        let times = [0, 60, 120, 240, 301, 361, 480, 540];
        let late: Vec<bool> =
            (1..).zip(times).map(|(sequence, time)| arrivals.arrive(sequence, ms(time)).late).collect();
        // The fourth is 60 ms after it was due, which is not more than a frame; the fifth 61 ms.
        assert_eq!(late, [false, false, false, false, true, false, false, false]);
    }

    #[test]
    fn spacing_is_that_of_neighbours() {
        let mut arrivals = Arrivals::new(FRAME);
        let spacing: Vec<_> = [(1, 0), (2, 63), (4, 180), (5, 185)]
            .map(|(sequence, time)| arrivals.spacing(sequence, ms(time)).map(|spacing| spacing.as_millis()))
            .into();
        assert_eq!(spacing, [None, Some(63), None, Some(5)]);
    }
}
