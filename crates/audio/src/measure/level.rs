//! Levels and ratios of samples that already lie side by side. Sums are exact integers, so the order of summing cannot
//! matter.

/// Limits of one segment's ratio in [`segmental_snr_db`], dB: the usual ones, so that neither a pause nor a perfect
/// moment decides the mean.
const SEGMENT_LIMITS: (f64, f64) = (-10.0, 35.0);
/// Segments whose reference is quieter than this (root mean square) are pauses and do not count.
const PAUSE_RMS: f64 = 16.0;

/// Root mean square, 0 to 32768. 0 for no samples.
#[must_use]
pub fn rms(samples: &[i16]) -> f64 {
    if samples.is_empty() { 0.0 } else { (dot(samples, samples) as f64 / samples.len() as f64).sqrt() }
}

/// A root mean square as a level, dB relative to full scale: 32768 is 0 dBFS, silence is negative infinity.
#[must_use]
pub fn dbfs(rms: f64) -> f64 {
    20.0 * (rms / 32768.0).log10()
}

/// Signal-to-noise ratio, dB: energy of the reference over that of the difference, sample against sample from the
/// first, up to the shorter's end.
///
/// Infinite if there is no difference, negative infinity if there is one to a silent reference.
#[must_use]
pub fn snr_db(reference: &[i16], signal: &[i16]) -> f64 {
    ratio_db(dot(reference, &reference[..reference.len().min(signal.len())]) as f64, noise(reference, signal) as f64)
}

/// Mean signal-to-noise ratio, dB, of successive segments of `segment` samples (20 ms is usual), each limited to −10 …
/// 35 dB. Segments in which the reference is silent (below 16 RMS) and an incomplete last one do not count.
///
/// NaN if no segment counts.
#[must_use]
pub fn segmental_snr_db(reference: &[i16], signal: &[i16], segment: usize) -> f64 {
    let (least, most) = SEGMENT_LIMITS;
    let mut sum = 0.0;
    let mut count = 0u32;
    for (reference, signal) in reference.chunks_exact(segment.max(1)).zip(signal.chunks_exact(segment.max(1))) {
        if rms(reference) >= PAUSE_RMS {
            sum += snr_db(reference, signal).clamp(least, most);
            count += 1;
        }
    }
    sum / f64::from(count)
}

/// How well a scaled `reference` explains `signal`.
pub(super) struct Fit {
    pub(super) correlation: f64,
    pub(super) gain: f64,
    pub(super) snr_db: f64,
}

pub(super) fn fit(reference: &[i16], signal: &[i16]) -> Fit {
    let product = dot(reference, signal);
    let (reference_energy, signal_energy) = (dot(reference, reference), dot(signal, signal));
    if reference_energy == 0 || signal_energy == 0 {
        return Fit { correlation: 0.0, gain: 0.0, snr_db: f64::NEG_INFINITY };
    }
    let (product, reference_energy, signal_energy) = (product as f64, reference_energy as f64, signal_energy as f64);
    // One root of the product: equal energies then give exactly 1. Rounding may else carry it past 1 by the last bit.
    let correlation = (product / (reference_energy * signal_energy).sqrt()).clamp(-1.0, 1.0);
    let explained = product * product / reference_energy;
    Fit {
        correlation,
        gain: product / reference_energy,
        snr_db: ratio_db(explained, (signal_energy - explained).max(0.0)),
    }
}

/// Sum of products up to the shorter's end. At most 2^30 each: 2^33 samples fit.
pub(super) fn dot(a: &[i16], b: &[i16]) -> i64 {
    a.iter().zip(b).map(|(&a, &b)| i64::from(i32::from(a) * i32::from(b))).sum()
}

fn noise(reference: &[i16], signal: &[i16]) -> i64 {
    reference.iter().zip(signal).map(|(&reference, &signal)| (i64::from(signal) - i64::from(reference)).pow(2)).sum()
}

fn ratio_db(signal: f64, noise: f64) -> f64 {
    if noise == 0.0 { f64::INFINITY } else { 10.0 * (signal / noise).log10() }
}
