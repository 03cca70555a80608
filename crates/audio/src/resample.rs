//! Whole clips from one sample rate to another.

use crate::pcm::{check_interleaving, check_shape};
use crate::{Error, Pcm, Result};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

/// Length of the filter at the lower of the two rates, in samples: level to 97 % of that rate's Nyquist frequency, and
/// silent above it.
const FILTER_LENGTH: u64 = 1024;

/// Resamples a clip to `rate` Hz through a linear-phase FFT filter.
///
/// The filter's delay is taken out, so that sample `n` of the input lies at `n * rate / pcm.rate` of the output, and
/// the output has exactly `round(n * rate / pcm.rate)` samples per channel. What exceeds 16 bits saturates. The same
/// rate gives a copy.
///
/// Costs 10 to 80 ns of CPU time a sample and 4 bytes of temporary memory for each sample in and out.
///
/// # Errors
/// [`Error::Rate`] if either rate is out of range; [`Error::Channels`] or [`Error::Interleaving`] if the clip is not
/// well formed.
pub fn resample(pcm: &Pcm, rate: u32) -> Result<Pcm> {
    check_shape(pcm.rate, pcm.channels)?;
    check_shape(rate, pcm.channels)?;
    check_interleaving(pcm.samples.len(), pcm.channels)?;
    if rate == pcm.rate || pcm.samples.is_empty() {
        return Ok(Pcm { rate, ..pcm.clone() });
    }

    let channels = usize::from(pcm.channels);
    let length = pcm.samples_per_channel();
    let (from, to) = (u64::from(pcm.rate), u64::from(rate));
    let (from_period, to_period) = {
        let divisor = gcd(from, to);
        (from / divisor, to / divisor)
    };
    // The filter spans whole periods of the rate ratio, and an even number of them: its centre then lies on a sample of
    // the input and of the output, and the delay that is taken out is the true one, not half a sample off.
    let periods = FILTER_LENGTH.div_ceil(from_period.min(to_period)).next_multiple_of(2);
    let chunk = periods * from_period;

    let input: Vec<f32> = pcm.samples.iter().map(|&sample| f32::from(sample)).collect();
    let output = Fft::<f32>::new(from as usize, to as usize, chunk as usize, channels, FixedSync::Both)
        .ok()
        .zip(InterleavedSlice::new(&input, channels, length).ok())
        .and_then(|(mut resampler, input)| resampler.process_all(&input, length, None).ok())
        // Rates, channels and lengths were all checked above.
        .ok_or(Error::Rate(rate))?;

    let mut samples: Vec<i16> = output.take_data().into_iter().map(|sample| sample.round() as i16).collect();
    let exact = (length as u64 * to + from / 2) / from;
    samples.resize(exact as usize * channels, 0);
    Ok(Pcm { rate, channels: pcm.channels, samples })
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
