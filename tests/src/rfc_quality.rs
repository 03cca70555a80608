//! The measure of RFC 6716, section 6.1, by which a decoder is told to be one: how far the spectrum of its output lies
//! from the reference's, as an ear would notice.
//!
//! Both are cut into windows of 10 ms, every 2.5 ms. The energy of each of the reference's 21 bands masks its neighbours
//! and what follows, and is added to both spectra before they are compared line by line.

use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Edges of the bands, in lines of 100 Hz.
const EDGES: [usize; 22] = [0, 2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 68, 80, 96, 120, 156, 200];
const BANDS: usize = EDGES.len() - 1;
/// At 48 kHz.
const WINDOW: usize = 480;
const STEP: usize = 120;

/// Where SILK ends and CELT begins in hybrid packets: decoders have some freedom in their filters there.
const CROSSOVER: std::ops::RangeInclusive<usize> = 79..=81;

/// Energies of the lines of each window, and of its bands.
struct Spectrum {
    lines: Vec<Vec<f64>>,
    bands: Vec<[f64; BANDS]>,
}

/// Lines up to that of the last band, of one channel.
fn spectrum(samples: &[f64], downsample: usize, frames: usize, bands: usize) -> Spectrum {
    let (size, step) = (WINDOW / downsample, STEP / downsample);
    let window: Vec<f64> = (0..size).map(|n| 0.5 - 0.5 * (TAU / (size - 1) as f64 * n as f64).cos()).collect();
    let fft: Arc<dyn RealToComplex<f64>> = RealFftPlanner::new().plan_fft_forward(size);
    let (mut time, mut found) = (fft.make_input_vec(), fft.make_output_vec());
    let scale = (downsample * downsample) as f64;
    let mut spectrum = Spectrum { lines: Vec::with_capacity(frames), bands: Vec::with_capacity(frames) };
    for frame in 0..frames {
        let from = &samples[frame * step..][..size];
        time.iter_mut().zip(from.iter().zip(&window)).for_each(|(to, (sample, weight))| *to = sample * weight);
        fft.process(&mut time, &mut found).expect("buffers of its own size");
        let lines: Vec<f64> = found.iter().take(EDGES[bands]).map(|line| line.norm_sqr() * scale + 100_000.0).collect();
        let mut energy = [0.0; BANDS];
        for (band, energy) in energy.iter_mut().enumerate().take(bands) {
            let lines = &lines[EDGES[band]..EDGES[band + 1]];
            *energy = lines.iter().sum::<f64>() / lines.len() as f64;
        }
        spectrum.lines.push(lines);
        spectrum.bands.push(energy);
    }
    spectrum
}

/// What the reference masks: 10 dB a band upwards, 15 downwards, 3 dB every 2.5 ms afterwards, and a little of the other
/// channel.
fn mask(channels: &mut [Spectrum], frames: usize) {
    for frame in 0..frames {
        for channel in &mut *channels {
            let (before, now) = channel.bands.split_at_mut(frame);
            let bands = &mut now[0];
            for band in 1..BANDS {
                bands[band] += 0.1 * bands[band - 1];
            }
            for band in (0..BANDS - 1).rev() {
                bands[band] += 0.03 * bands[band + 1];
            }
            for (now, before) in bands.iter_mut().zip(before.last().into_iter().flatten()) {
                *now += 0.5 * before;
            }
        }
        if let [left, right] = &mut *channels {
            for (left, right) in left.bands[frame].iter_mut().zip(&mut right.bands[frame]) {
                (*left, *right) = (*left + 0.01 * *right, *right + 0.01 * *left);
            }
        }
    }
}

/// The quality of `heard` at `rate` Hz against `reference` at 48 kHz, each with interleaved `channels`: 100 where they
/// are alike, below 0 where `heard` is no decoding of what the reference is one of.
///
/// # Panics
/// Where the lengths do not belong together, or the rate is none of Opus's.
#[must_use]
pub fn quality(reference: &[i16], heard: &[i16], rate: u32, channels: usize) -> f64 {
    let bands = match rate {
        8_000 => 13,
        12_000 => 15,
        16_000 => 17,
        24_000 => 19,
        48_000 => BANDS,
        _ => panic!("{rate} Hz is no rate of Opus"),
    };
    // The last 300 Hz below half a lower rate are the decoder's own affair.
    let compared = if matches!(rate, 48_000 | 12_000) { EDGES[bands] } else { EDGES[bands] - 3 };
    let downsample = (48_000 / rate) as usize;
    assert_eq!(reference.len(), heard.len() * downsample, "samples of the two");
    let frames = (reference.len() / channels + STEP - WINDOW) / STEP;
    let channel = |samples: &[i16], channel| -> Vec<f64> {
        samples.iter().skip(channel).step_by(channels).map(|&sample| f64::from(sample)).collect()
    };
    let mut of_reference: Vec<_> = (0..channels).map(|c| spectrum(&channel(reference, c), 1, frames, BANDS)).collect();
    let mut of_heard: Vec<_> = (0..channels).map(|c| spectrum(&channel(heard, c), downsample, frames, bands)).collect();

    mask(&mut of_reference, frames);
    for (reference, heard) in of_reference.iter_mut().zip(&mut of_heard) {
        for (frame, masked) in reference.bands.iter().enumerate() {
            for (band, masked) in masked.iter().enumerate().take(bands) {
                for line in EDGES[band]..EDGES[band + 1] {
                    reference.lines[frame][line] += 0.1 * masked;
                    heard.lines[frame][line] += 0.1 * masked;
                }
            }
        }
        follow(&mut reference.lines);
        follow(&mut heard.lines);
    }

    let mut error = 0.0;
    for frame in 0..frames {
        let mut of_frame = 0.0;
        for band in 0..bands {
            let mut of_band = 0.0;
            for line in EDGES[band]..EDGES[band + 1].min(compared) {
                for (reference, heard) in of_reference.iter().zip(&of_heard) {
                    let ratio = heard.lines[frame][line] / reference.lines[frame][line];
                    let mut distance = ratio - ratio.ln() - 1.0;
                    if CROSSOVER.contains(&line) {
                        distance *= if line == 80 { 0.01 } else { 0.1 };
                    }
                    of_band += distance;
                }
            }
            of_band /= ((EDGES[band + 1] - EDGES[band]) * channels) as f64;
            of_frame += of_band * of_band;
        }
        error += (of_frame / BANDS as f64).powi(4);
    }
    let error = (error / frames as f64).powf(1.0 / 16.0);
    100.0 * (1.0 - 0.5 * (1.0 + error).ln() / 1.13_f64.ln())
}

/// Adds to each window the one before it: what falls between two counts less.
fn follow(lines: &mut [Vec<f64>]) {
    for frame in (1..lines.len()).rev() {
        let (before, now) = lines.split_at_mut(frame);
        now[0].iter_mut().zip(&before[frame - 1]).for_each(|(now, before)| *now += before);
    }
}

#[cfg(test)]
mod tests {
    use super::quality;
    use crate::speech::clip;

    #[test]
    fn what_is_alike_has_all_and_what_is_not_has_none() {
        let said = clip(48_000);
        assert_eq!(quality(&said, &said, 48_000, 1), 100.0);
        let louder: Vec<i16> = said.iter().map(|&sample| sample.saturating_mul(2)).collect();
        assert!(quality(&said, &louder, 48_000, 1) < 0.0);
        let silence = vec![0; said.len()];
        assert!(quality(&said, &silence, 48_000, 1) < 0.0);
    }

    #[test]
    fn half_a_step_of_rounding_costs_sixteen_points() {
        let said = clip(48_000);
        let rounded: Vec<i16> =
            said.iter().enumerate().map(|(n, &sample)| sample.saturating_add((n % 2) as i16)).collect();
        let quality = quality(&said, &rounded, 48_000, 1);
        assert!((quality - 84.306).abs() < 0.01, "{quality}");
    }
}
