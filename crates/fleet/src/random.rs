//! Repeatable random numbers. They scatter and impair; they keep no secrets.

use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The sequence of one part (a device, a direction) of what `seed` stands for.
    #[must_use]
    pub fn of(seed: u64, part: u64) -> Self {
        let mut outer = Self(seed);
        let mut inner = Self(outer.bits() ^ part.wrapping_mul(0xd605_bbb5_8c8a_bbfd));
        Self(inner.bits())
    }

    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number from 0 up to, but not including, 1.
    pub const fn share(&mut self) -> f64 {
        // 53 bits are what a double holds exactly.
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number below `bound`; 0 where that is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.bits() as u128 * bound as u128) >> 64) as u64
    }

    /// A duration from half of `mean` to one and a half.
    pub fn around(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(0.5 + self.share())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_that_of_the_reference() {
        let mut random = Random::new(1_234_567);
        let found: Vec<u64> = (0..5).map(|_| random.bits()).collect();
        let reference = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(found, reference);
    }

    #[test]
    fn parts_of_one_seed_differ() {
        let firsts: Vec<u64> = (0..1_000).map(|part| Random::of(7, part).bits()).collect();
        let mut distinct = firsts.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), firsts.len());
    }

    #[test]
    fn shares_and_bounds_hold() {
        let mut random = Random::new(1);
        assert!((0..10_000).all(|_| (0.0..1.0).contains(&random.share())));
        assert!((0..10_000).all(|_| random.below(3) < 3));
        assert_eq!(random.below(0), 0);
        let second = Duration::from_secs(1);
        assert!((0..1_000).all(|_| (second / 2..second * 3 / 2).contains(&random.around(second))));
    }
}
