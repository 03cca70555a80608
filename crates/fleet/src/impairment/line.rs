//! One direction of one device's way: what becomes of each packet.

use std::time::Duration;

use super::Impairment;
use crate::random::Random;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is lost.
    Lost,
    /// It comes.
    Comes {
        /// When.
        due: Duration,
        /// How often: 1 or 2.
        copies: u8,
    },
}

/// What a line has done, in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// Given to it.
    pub packets: u64,
    /// Lost.
    pub lost: u64,
    /// Held back so that others overtake.
    pub reordered: u64,
    /// Made two of.
    pub duplicated: u64,
}

/// One direction of a way.
#[derive(Clone, Debug)]
pub struct Line {
    impairment: Impairment,
    /// How long a reordered packet is held back.
    hold: Duration,
    random: Random,
    /// Gilbert-Elliott: in a burst of losses.
    bad: bool,
    last_due: Duration,
    counts: LineCounts,
}

impl Line {
    /// A line whose fates are drawn from `random`; `frame` is the time between packets.
    #[must_use]
    pub fn new(impairment: Impairment, frame: Duration, random: Random) -> Self {
        let hold = frame * 3 / 2;
        Self { impairment, hold, random, bad: false, last_due: Duration::ZERO, counts: LineCounts::default() }
    }

    /// The fate of the packet that is sent `now` (time since any start).
    pub fn pass(&mut self, now: Duration) -> Fate {
        // Always the same number of draws: one impairment more does not change what the others do.
        let [loss, jitter, reorder, duplicate] = [(); 4].map(|()| self.random.share());
        self.counts.packets += 1;
        if self.loses(loss) {
            self.counts.lost += 1;
            return Fate::Lost;
        }
        let due = now + self.impairment.delay + self.impairment.jitter.mul_f64(jitter);
        let copies = 1 + u8::from(duplicate < self.impairment.duplicate);
        self.counts.duplicated += u64::from(copies == 2);
        if reorder < self.impairment.reorder {
            self.counts.reordered += 1;
            return Fate::Comes { due: due + self.hold, copies };
        }
        self.last_due = self.last_due.max(due);
        Fate::Comes { due: self.last_due, copies }
    }

    /// What it has done.
    #[must_use]
    pub const fn counts(&self) -> LineCounts {
        self.counts
    }

    fn loses(&mut self, draw: f64) -> bool {
        let Impairment { loss, burst, .. } = self.impairment;
        let Some(burst) = burst else { return draw < loss };
        if loss >= 1.0 {
            return true;
        }
        let leave = if self.bad { 1.0 / burst } else { loss / (burst * (1.0 - loss)) };
        if draw < leave {
            self.bad = !self.bad;
        }
        self.bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(60);

    fn line(impairment: Impairment, seed: u64) -> Line {
        Line::new(impairment, FRAME, Random::new(seed))
    }

    fn fates(line: &mut Line, packets: u32) -> Vec<Fate> {
        (0..packets).map(|index| line.pass(FRAME * index)).collect()
    }

    fn lost(fates: &[Fate]) -> Vec<usize> {
        fates.iter().enumerate().filter(|(_, fate)| **fate == Fate::Lost).map(|(index, _)| index).collect()
    }

    #[test]
    fn a_clean_line_changes_nothing() {
        let mut line = line(Impairment::default(), 1);
        for (index, fate) in fates(&mut line, 100).into_iter().enumerate() {
            assert_eq!(fate, Fate::Comes { due: FRAME * index as u32, copies: 1 });
        }
        assert_eq!(line.counts(), LineCounts { packets: 100, ..LineCounts::default() });
    }

    #[test]
    fn a_seed_loses_the_same_packets_whatever_else_happens() {
        let only = Impairment { loss: 0.1, ..Impairment::default() };
        let more = Impairment { jitter: FRAME, duplicate: 0.5, reorder: 0.2, ..only };
        let expected = lost(&fates(&mut line(only, 42), 200));
        assert_eq!(expected, LOST_BY_SEED_42);
        assert_eq!(lost(&fates(&mut line(more, 42), 200)), expected);
        assert_ne!(lost(&fates(&mut line(only, 43), 200)), expected);
    }

    const LOST_BY_SEED_42: [usize; 21] =
        [1, 6, 9, 19, 20, 32, 40, 42, 91, 97, 105, 124, 130, 133, 141, 147, 157, 166, 183, 187, 191];

    #[test]
    fn long_runs_come_close_to_what_was_asked_and_are_repeatable() {
        for (burst, expected) in [(None, 3_935), (Some(1.0), 3_938), (Some(4.0), 4_077)] {
            let mut line = line(Impairment { loss: 0.02, burst, ..Impairment::default() }, 7);
            let fates = fates(&mut line, 200_000);
            let lost = lost(&fates);
            let bursts = lost.windows(2).filter(|pair| pair[1] != pair[0] + 1).count() + 1;
            let mean = lost.len() as f64 / bursts as f64;
            assert_eq!(lost.len() as u64, line.counts().lost);
            assert_eq!(lost.len(), expected, "burst {burst:?}");
            assert!((3_600..=4_400).contains(&lost.len()), "{} of 4,000", lost.len());
            // Independent losses follow one another by chance: 1 / (1 - loss).
            let asked = burst.unwrap_or(1.0 / 0.98);
            assert!((mean / asked - 1.0).abs() < 0.06, "bursts of {mean}, {asked} were asked for");
        }
    }

    #[test]
    fn jitter_is_even_and_keeps_the_order() {
        let jitter = Duration::from_millis(30);
        let mut line = line(Impairment { jitter, ..Impairment::default() }, 3);
        let mut sum = Duration::ZERO;
        for (index, fate) in fates(&mut line, 20_000).into_iter().enumerate() {
            let Fate::Comes { due, copies: 1 } = fate else { panic!("{fate:?}") };
            let added = due - FRAME * index as u32;
            assert!(added <= jitter);
            sum += added;
        }
        let mean = sum.as_secs_f64() / 20_000.0;
        assert!((mean - 0.015).abs() < 0.0003, "mean of {mean} s");
        // Packets that are sent at once stay in order, too.
        let mut burst: Vec<Fate> = (0..100).map(|_| line.pass(FRAME * 20_001)).collect();
        let dues = |fates: &[Fate]| -> Vec<Duration> {
            fates.iter().map(|fate| if let Fate::Comes { due, .. } = fate { *due } else { panic!() }).collect()
        };
        assert!(dues(&burst).is_sorted());
        burst.dedup();
        assert!(burst.len() < 100);
    }

    #[test]
    fn a_reordered_packet_comes_after_the_next_one() {
        let mut line = line(Impairment { reorder: 0.05, duplicate: 0.03, ..Impairment::default() }, 9);
        let fates = fates(&mut line, 1_000);
        let due = |fate: &Fate| if let Fate::Comes { due, .. } = fate { *due } else { panic!() };
        let overtaken = fates.windows(2).filter(|pair| due(&pair[0]) > due(&pair[1])).count();
        let held = fates.iter().enumerate().filter(|(index, fate)| due(fate) == FRAME * *index as u32 + FRAME * 3 / 2);
        assert_eq!(held.count() as u64, line.counts().reordered);
        let twice = fates.iter().filter(|fate| matches!(fate, Fate::Comes { copies: 2, .. })).count();
        assert_eq!(twice as u64, line.counts().duplicated);
        assert_eq!((overtaken, line.counts().reordered, line.counts().duplicated), (47, 49, 32));
    }

    #[test]
    fn what_cannot_be_is_told() {
        let good = Impairment { loss: 0.5, burst: Some(1.0), ..Impairment::default() };
        assert_eq!(good.fault(), None);
        for bad in [
            Impairment { loss: 1.01, ..Impairment::default() },
            Impairment { duplicate: -0.1, ..Impairment::default() },
            Impairment { reorder: f64::NAN, ..Impairment::default() },
            Impairment { burst: Some(0.5), ..Impairment::default() },
            Impairment { loss: 0.6, burst: Some(1.0), ..Impairment::default() },
            Impairment { delay: Duration::from_secs(6), ..Impairment::default() },
        ] {
            assert!(bad.fault().is_some(), "{bad:?}");
        }
        let all = Impairment { loss: 1.0, burst: Some(2.0), ..Impairment::default() };
        assert_eq!((all.fault(), lost(&fates(&mut line(all, 1), 50)).len()), (None, 50));
    }
}
