//! The mark: a chirp that is found again in decoded audio by a matched filter.
//!
//! A linear chirp keeps its waveform through Opus at low bitrates, noise does not; and its correlation with itself has one
//! narrow peak, so that its place is known to a fraction of a millisecond.

use std::f64::consts::PI;

/// How long a mark lasts, in milliseconds.
pub const MARK_MS: usize = 40;
/// Where it starts and ends, in Hz: low, where SILK spends its bits. (Up to 3.2 kHz, half of the marks are not heard.)
const BAND: (f64, f64) = (300.0, 1_500.0);
/// Share of it that fades in, and that fades out.
const FADE: f64 = 0.3;
/// Its peak as a sample.
const PEAK: f64 = 12_000.0;

/// The samples of a mark at `rate` Hz.
#[must_use]
pub fn mark(rate: u32) -> Vec<i16> {
    let samples = MARK_MS * rate as usize / 1_000;
    let seconds = MARK_MS as f64 / 1_000.0;
    let sweep = (BAND.1 - BAND.0) / seconds;
    (0..samples)
        .map(|index| {
            // Half a sample in: then the mark lies at the same time at every rate.
            let time = (index as f64 + 0.5) / f64::from(rate);
            let edge = (time.min(seconds - time) / (FADE * seconds)).min(1.0);
            let window = 0.5 - 0.5 * (PI * edge).cos();
            (PEAK * window * (2.0 * PI * (BAND.0 + sweep * time / 2.0) * time).sin()).round() as i16
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_lasts_as_long_at_every_rate_and_does_not_clip() {
        for rate in [8_000, 16_000, 24_000] {
            let mark = mark(rate);
            assert_eq!(mark.len(), MARK_MS * rate as usize / 1_000);
            let peak = mark.iter().map(|sample| sample.unsigned_abs()).max();
            assert!(peak.is_some_and(|peak| (11_000..=12_000).contains(&peak)), "{peak:?} at {rate} Hz");
        }
    }

    #[test]
    fn rates_agree() {
        let (low, high) = (mark(8_000), mark(24_000));
        for (index, sample) in low.iter().enumerate() {
            // The middle of three samples at 24 kHz is at the same time.
            assert_eq!(high[3 * index + 1], *sample);
        }
    }
}
