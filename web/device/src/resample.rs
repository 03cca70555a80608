//! From one sample rate to another: sound cards have 44.1 or 48 kHz, calls 16 and 24.
//!
//! A windowed sinc (Kaiser window), evaluated at 256 places between two samples; those between are the nearest. Mono,
//! stateful, for a stream in pieces of any length.

use std::f64::consts::PI;

/// Zero crossings of the sinc on each side.
const CROSSINGS: usize = 16;

/// Places between two samples at which the filter is evaluated.
const PHASES: usize = 256;

/// Shape of the Kaiser window: about 80 dB of attenuation.
const BETA: f64 = 8.0;

/// One stream.
#[derive(Clone, Debug)]
pub struct Resampler {
    /// Hz, without common factors: an output sample is `from` steps after the last, an input sample `to`.
    from: u64,
    to: u64,
    /// Samples on each side that an output sample is made of.
    half: usize,
    /// `PHASES` filters of `2 * half` taps.
    taps: Vec<f32>,
    /// Input that is still needed; begins `half` samples before where `place` is counted from.
    history: Vec<f32>,
    /// Place of the next output sample, in steps from `history[half - 1]`. Whole, so that nothing drifts.
    place: u64,
}

impl Resampler {
    /// From `from` to `to` Hz.
    #[must_use]
    pub fn new(from: u32, to: u32) -> Self {
        let (from, to) = (u64::from(from.max(1)), u64::from(to.max(1)));
        let common = divisor(from, to);
        let (from, to) = (from / common, to / common);
        // What the lower rate cannot carry is filtered out, with some room for the slope.
        let cutoff = (to as f64 / from as f64).min(1.0) * 0.95;
        let half = (CROSSINGS as f64 / cutoff).ceil() as usize;
        let mut taps = Vec::with_capacity(PHASES * 2 * half);
        for phase in 0..PHASES {
            let fraction = phase as f64 / PHASES as f64;
            let filter: Vec<f64> = (0..2 * half)
                .map(|tap| kernel(tap as f64 - (half - 1) as f64 - fraction, cutoff, half as f64))
                .collect();
            let gain: f64 = filter.iter().sum();
            taps.extend(filter.iter().map(|tap| (tap / gain) as f32));
        }
        Self { from, to, half, taps, history: vec![0.0; half - 1], place: 0 }
    }

    /// Takes samples in; returns those that can be made by now.
    pub fn process(&mut self, samples: &[f32]) -> Vec<f32> {
        self.history.extend_from_slice(samples);
        let width = 2 * self.half;
        let mut out = Vec::with_capacity((samples.len() as u64 * self.to / self.from) as usize + 1);
        let mut start = (self.place / self.to) as usize;
        while start + width <= self.history.len() {
            let phase = (self.place % self.to * PHASES as u64 / self.to) as usize;
            let filter = &self.taps[phase * width..(phase + 1) * width];
            let window = &self.history[start..start + width];
            out.push(filter.iter().zip(window).map(|(tap, sample)| tap * sample).sum());
            self.place += self.from;
            start = (self.place / self.to) as usize;
        }
        let used = start.min(self.history.len());
        self.history.drain(..used);
        self.place -= used as u64 * self.to;
        out
    }

    /// Forgets what came before.
    pub fn reset(&mut self) {
        self.history.clear();
        self.history.resize(self.half - 1, 0.0);
        self.place = 0;
    }
}

fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

fn kernel(at: f64, cutoff: f64, half: f64) -> f64 {
    let inside = 1.0 - (at / half).powi(2);
    if inside <= 0.0 {
        return 0.0;
    }
    let x = PI * at * cutoff;
    let sinc = if x.abs() < 1e-9 { 1.0 } else { x.sin() / x };
    sinc * cutoff * bessel(BETA * inside.sqrt()) / bessel(BETA)
}

/// Modified Bessel function of the first kind, order zero.
fn bessel(x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (1.0, 1.0, 1.0);
    while term > sum * 1e-12 {
        term *= (x / (2.0 * n)).powi(2);
        sum += term;
        n += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, rate: f64, samples: usize) -> Vec<f32> {
        (0..samples).map(|n| (2.0 * PI * hz * n as f64 / rate).sin() as f32 * 0.5).collect()
    }

    fn rms(samples: &[f32]) -> f64 {
        (samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    }

    /// What is left of a tone of this frequency when the best fitting one is taken away, in dB.
    fn noise(samples: &[f32], hz: f64, rate: f64) -> f64 {
        let (mut i, mut q) = (0.0, 0.0);
        let angle = |n: usize| 2.0 * PI * hz * n as f64 / rate;
        for (n, &sample) in samples.iter().enumerate() {
            i += f64::from(sample) * angle(n).sin();
            q += f64::from(sample) * angle(n).cos();
        }
        let scale = 2.0 / samples.len() as f64;
        let rest: Vec<f32> = samples
            .iter()
            .enumerate()
            .map(|(n, &sample)| sample - (scale * (i * angle(n).sin() + q * angle(n).cos())) as f32)
            .collect();
        20.0 * (rms(&rest) / rms(samples)).log10()
    }

    #[test]
    fn a_tone_comes_out_as_loud_and_as_clean() {
        for (from, to) in [(48_000, 16_000), (44_100, 16_000), (24_000, 48_000), (24_000, 44_100), (16_000, 16_000)] {
            let samples = Resampler::new(from, to).process(&tone(1000.0, f64::from(from), from as usize));
            let expected = to as usize;
            assert!(samples.len() <= expected && samples.len() + 100 > expected, "{from} to {to}: {}", samples.len());
            // Whole periods from the middle.
            let middle = &samples[to as usize / 10..to as usize / 10 + to as usize / 2];
            assert!((rms(middle) - 0.5 / 2_f64.sqrt()).abs() < 0.003, "{from} to {to}: {}", rms(middle));
            assert!(
                noise(middle, 1000.0, f64::from(to)) < -45.0,
                "{from} to {to}: {}",
                noise(middle, 1000.0, f64::from(to))
            );
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_carry_is_gone() {
        let samples = Resampler::new(48_000, 16_000).process(&tone(11_000.0, 48_000.0, 48_000));
        assert!(rms(&samples[1000..]) < 0.001, "{}", rms(&samples[1000..]));
    }

    #[test]
    fn pieces_make_the_same_stream_as_the_whole() {
        let input = tone(440.0, 44_100.0, 10_000);
        let whole = Resampler::new(44_100, 24_000).process(&input);
        let mut resampler = Resampler::new(44_100, 24_000);
        let pieces: Vec<f32> = input.chunks(128).flat_map(|piece| resampler.process(piece)).collect();
        assert_eq!(pieces.len(), whole.len());
        assert_eq!(pieces, whole);
        resampler.reset();
        let again: Vec<f32> = resampler.process(&input);
        assert_eq!(again, whole);
    }
}
