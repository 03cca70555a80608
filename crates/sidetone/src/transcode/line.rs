//! The line between encoder and decoder: which packets get lost.

use super::args::LineArgs;
use sidetone_transcode::Stream;

/// Loses packets of a stream; how many.
pub(crate) fn lose(stream: &mut Stream, args: &LineArgs) -> u64 {
    let Some(percent) = args.loss else { return 0 };
    let mut line = Line::new(percent / 100.0, args.burst, args.seed);
    let mut lost = 0;
    for packet in &mut stream.packets {
        // The line takes its course whether or not a packet was lost before.
        if line.loses() && !packet.lost {
            packet.lost = true;
            lost += 1;
        }
    }
    lost
}

/// Two states, good and bad (Gilbert 1960). In the bad one every packet is lost.
struct Line {
    /// Chance that a good line turns bad at a packet, and that a bad one stays so.
    breaks: f64,
    stays: f64,
    bad: bool,
    random: Random,
}

impl Line {
    /// Loses `share` of the packets, in bursts of this mean length; or each by its own chance.
    fn new(share: f64, burst: Option<f64>, seed: u64) -> Self {
        let random = Random(seed);
        let Some(burst) = burst else { return Self { breaks: share, stays: share, bad: false, random } };
        if share >= 1.0 {
            return Self { breaks: 1.0, stays: 1.0, bad: false, random };
        }
        // The share is breaks / (breaks + 1 - stays). Where one good packet between bursts is still too many, the bursts
        // become longer.
        let odds = share / (1.0 - share);
        let heals = (1.0 / burst).min(1.0 / odds);
        Self { breaks: odds * heals, stays: 1.0 - heals, bad: false, random }
    }

    fn loses(&mut self) -> bool {
        let chance = if self.bad { self.stays } else { self.breaks };
        self.bad = self.random.chance() < chance;
        self.bad
    }
}

/// Numbers that look random and are the same everywhere (SplitMix64, Steele et al. 2014).
struct Random(u64);

impl Random {
    /// At least 0, below 1.
    fn chance(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Share lost and mean length of bursts, of many packets.
    fn measure(share: f64, burst: Option<f64>) -> (f64, f64) {
        let mut line = Line::new(share, burst, 1);
        let lost: Vec<bool> = (0..200_000).map(|_| line.loses()).collect();
        let count = lost.iter().filter(|&&lost| lost).count() as f64;
        let bursts = lost.windows(2).filter(|pair| pair[1] && !pair[0]).count() as f64;
        (count / lost.len() as f64, count / bursts)
    }

    #[test]
    fn the_share_asked_for_is_lost_in_bursts_of_the_length_asked_for() {
        for (share, burst, length) in [
            (0.05, None, 1.0 / 0.95),
            (0.3, None, 1.0 / 0.7),
            (0.05, Some(1.0), 1.0),
            (0.1, Some(3.0), 3.0),
            (0.3, Some(10.0), 10.0),
            (0.9, Some(2.0), 9.0),
        ] {
            let (lost, mean) = measure(share, burst);
            assert!((lost / share - 1.0).abs() < 0.05, "{share} {burst:?}: lost {lost}");
            assert!((mean / length - 1.0).abs() < 0.05, "{share} {burst:?}: bursts of {mean}");
        }
    }

    #[test]
    fn nothing_and_everything_are_exact() {
        for burst in [None, Some(1.0), Some(5.0)] {
            let lost = |share| {
                let mut line = Line::new(share, burst, 7);
                (0..1000).filter(|_| line.loses()).count()
            };
            assert_eq!((lost(0.0), lost(1.0)), (0, 1000), "{burst:?}");
        }
    }

    #[test]
    fn the_seed_decides() {
        let pattern = |seed| {
            let mut line = Line::new(0.5, None, seed);
            (0..64).map(|_| line.loses()).collect::<Vec<_>>()
        };
        assert_eq!(pattern(1), pattern(1));
        assert_ne!(pattern(1), pattern(2));
    }
}
