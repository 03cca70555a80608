//! Finds where one clip lies in another, by cross-correlation.
//!
//! The correlation of all shifts is computed through FFTs of bounded size: the reference is cut into blocks, each is
//! correlated with the stretch of the signal it can meet, and the spectra are summed. Memory depends on the span of
//! shifts alone.

use super::level;
use realfft::RealFftPlanner;

/// Shifts this much worse than the best, relatively, count as equally good, and the one nearest 0 wins. Far above the
/// rounding of an FFT, which may differ between processors, and far below what any real difference makes.
const TIE: f64 = 1e-9;

/// Where a signal lies against a reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alignment {
    /// By how many samples the signal lags the reference: `signal[n + shift]` belongs to `reference[n]`. Negative if it
    /// leads.
    pub shift: isize,
    /// How many samples both have at this shift.
    pub overlap: usize,
    /// Normalised correlation over the overlap, −1 to 1. 0 if either is silent there.
    pub correlation: f64,
    /// Factor by which the reference comes closest to the signal there. 0 if either is silent.
    pub gain: f64,
}

/// Finds the shift, at most `max_shift` samples either way, at which `signal` shows most of `reference`. One channel
/// each.
///
/// "Most" weighs the whole reference, not only the part that overlaps: a perfect match of the last ten samples is no
/// match. Where nothing correlates the shift is 0.
///
/// Costs some 30 ms for a minute at 16 kHz and shifts of a second, and about 200 bytes of memory for each sample of
/// `max_shift`.
#[must_use]
pub fn align(reference: &[i16], signal: &[i16], max_shift: usize) -> Alignment {
    let max_shift = max_shift.min(reference.len().max(signal.len()));
    let products = cross_correlation(reference, signal, max_shift);
    let scores = scores(&products, reference, signal, max_shift);
    let best = scores.iter().copied().fold(0.0, f64::max);
    let enough = best * (1.0 - TIE);
    let shift = (0..=max_shift)
        .flat_map(|distance| [(max_shift + distance, distance as isize), (max_shift - distance, -(distance as isize))])
        .find(|&(index, _)| best > 0.0 && scores[index] >= enough)
        .map_or(0, |(_, shift)| shift);

    let (start, end) = met(reference.len(), signal.len(), shift);
    let signal_part = &signal[start..end];
    let skip = usize::try_from(-shift).unwrap_or(0).min(reference.len());
    let reference_part = &reference[skip..][..signal_part.len()];
    let fit = level::fit(reference_part, signal_part);
    Alignment { shift, overlap: signal_part.len(), correlation: fit.correlation, gain: fit.gain }
}

/// The part of the signal that meets the reference at `shift`, as start and end.
fn met(reference: usize, signal: usize, shift: isize) -> (usize, usize) {
    let start = usize::try_from(shift).unwrap_or(0).min(signal);
    let end = reference.saturating_add_signed(shift).min(signal);
    (start, end.max(start))
}

/// Sum of `reference[n] * signal[n + shift]` for each shift from `-max_shift` to `max_shift`.
fn cross_correlation(reference: &[i16], signal: &[i16], max_shift: usize) -> Vec<f64> {
    let span = 2 * max_shift + 1;
    let size = (4 * max_shift).max(1 << 15).next_power_of_two();
    let block = size - span + 1;

    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, inverse) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
    let mut time = vec![0.0; size];
    let mut reference_spectrum = forward.make_output_vec();
    let mut signal_spectrum = forward.make_output_vec();
    let mut sum = forward.make_output_vec();
    for (index, piece) in reference.chunks(block).enumerate() {
        fill(&mut time, reference, (index * block) as isize, piece.len());
        // The planned size is that of the buffers, the one thing `process` checks.
        let _ = forward.process(&mut time, &mut reference_spectrum);
        fill(&mut time, signal, (index * block) as isize - max_shift as isize, piece.len() + span - 1);
        let _ = forward.process(&mut time, &mut signal_spectrum);
        for ((sum, reference), signal) in sum.iter_mut().zip(&reference_spectrum).zip(&signal_spectrum) {
            *sum += reference.conj() * signal;
        }
    }
    // Both are real in the spectrum of real samples; only rounding could say otherwise, and the inverse refuses it.
    if let [first, .., last] = &mut sum[..] {
        (first.im, last.im) = (0.0, 0.0);
    }
    let _ = inverse.process(&mut sum, &mut time);
    time.truncate(span);
    time.iter_mut().for_each(|product| *product /= size as f64);
    time
}

/// Copies `count` samples from position `start`, which may lie outside, and zeros where there are none.
fn fill(time: &mut [f64], samples: &[i16], start: isize, count: usize) {
    time.fill(0.0);
    let skip = usize::try_from(-start).unwrap_or(0).min(count);
    let from = usize::try_from(start).unwrap_or(0).min(samples.len());
    for (slot, &sample) in time[skip..count].iter_mut().zip(&samples[from..]) {
        *slot = f64::from(sample);
    }
}

/// For each shift: the correlation, as a share of the whole reference's energy and of the signal's that it meets.
fn scores(products: &[f64], reference: &[i16], signal: &[i16], max_shift: usize) -> Vec<f64> {
    let reference_energy = level::dot(reference, reference) as f64;
    let square = |index: usize| i64::from(signal[index]).pow(2);
    // The energy met changes by one sample at either end from shift to shift.
    let (mut start, mut end) = met(reference.len(), signal.len(), -(max_shift as isize));
    let mut met_energy: i64 = (start..end).map(square).sum();
    let mut scores = Vec::with_capacity(products.len());
    for (index, &product) in products.iter().enumerate() {
        let (next_start, next_end) = met(reference.len(), signal.len(), index as isize - max_shift as isize);
        met_energy += (end..next_end).map(square).sum::<i64>();
        met_energy -= (start..next_start).map(square).sum::<i64>();
        (start, end) = (next_start, next_end);
        let energy = reference_energy * met_energy as f64;
        scores.push(if energy > 0.0 { product / energy.sqrt() } else { 0.0 });
    }
    scores
}
