//! How alike two clips are, and how loud one is.
//!
//! A codec, a network and a device each add delay, so two clips are first aligned: [`align`] finds the shift at which
//! one lies best in the other. [`compare`] does so and reports everything at that shift. Results are the same on every
//! run.
//!
//! Levels are in the units of 16-bit samples; 0 dBFS is a constant of full scale, ±32768.

mod align;
mod level;

pub use align::{Alignment, align};
pub use level::{dbfs, rms, segmental_snr_db, snr_db};

use crate::pcm::{check_interleaving, check_shape};
use crate::{Error, Pcm, Result};

/// What [`compare`] found. All figures are taken over the overlap, after alignment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// By how many samples (of one channel) the signal lags the reference; negative if it leads.
    pub shift: isize,
    /// Samples per channel that both have at this shift.
    pub overlap: usize,
    /// Normalised correlation, −1 to 1: 1 means the same waveform at whatever volume, 0 nothing in common (or silence).
    pub correlation: f64,
    /// Factor that brings the reference closest to the signal; 1 means the same volume.
    pub gain: f64,
    /// Signal-to-noise ratio, dB, of the signal as it is: a change of volume counts as noise. See [`snr_db`].
    pub snr_db: f64,
    /// Signal-to-noise ratio, dB, with the reference scaled by `gain`: a change of volume does not count.
    pub snr_gain_matched_db: f64,
    /// Mean of the ratios of 20 ms segments, dB: closer to what is heard than one ratio for all. See
    /// [`segmental_snr_db`].
    pub segmental_snr_db: f64,
}

/// Aligns `signal` to `reference`, searching shifts of up to `max_shift` samples (of one channel) either way, and
/// compares them.
///
/// Several channels are aligned by their mean and compared channel by channel.
///
/// # Errors
/// [`Error::Unlike`] if rates or channel counts differ; [`Error::Rate`], [`Error::Channels`] or [`Error::Interleaving`]
/// if a clip is not well formed.
pub fn compare(reference: &Pcm, signal: &Pcm, max_shift: usize) -> Result<Comparison> {
    if (reference.rate, reference.channels) != (signal.rate, signal.channels) {
        return Err(Error::Unlike {
            reference_rate: reference.rate,
            reference_channels: reference.channels,
            signal_rate: signal.rate,
            signal_channels: signal.channels,
        });
    }
    for clip in [reference, signal] {
        check_shape(clip.rate, clip.channels)?;
        check_interleaving(clip.samples.len(), clip.channels)?;
    }
    let found = if reference.channels == 1 {
        align(&reference.samples, &signal.samples, max_shift)
    } else {
        align(&reference.clone().into_channels(1)?.samples, &signal.clone().into_channels(1)?.samples, max_shift)
    };

    let channels = usize::from(reference.channels);
    let skip = |lead: isize| usize::try_from(lead).unwrap_or(0) * channels;
    let overlap = found.overlap * channels;
    let reference_part = &reference.samples[skip(-found.shift)..][..overlap];
    let signal_part = &signal.samples[skip(found.shift)..][..overlap];
    let fit = level::fit(reference_part, signal_part);
    Ok(Comparison {
        shift: found.shift,
        overlap: found.overlap,
        correlation: fit.correlation,
        gain: fit.gain,
        snr_db: snr_db(reference_part, signal_part),
        snr_gain_matched_db: fit.snr_db,
        segmental_snr_db: segmental_snr_db(reference_part, signal_part, reference.rate as usize / 50 * channels),
    })
}
