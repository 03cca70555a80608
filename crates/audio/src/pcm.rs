//! A clip of 16-bit PCM in memory, and mixing between channel counts.

use crate::{Error, MAX_CHANNELS, MAX_RATE, MIN_RATE, Result};
use std::time::Duration;

/// A clip of interleaved 16-bit PCM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcm {
    /// Sample rate, Hz.
    pub rate: u32,
    /// Interleaved channels.
    pub channels: u8,
    /// Samples, interleaved: with two channels left, right, left, right, …
    pub samples: Vec<i16>,
}

impl Pcm {
    /// Checks and wraps a clip.
    ///
    /// # Errors
    /// [`Error::Rate`], [`Error::Channels`] or [`Error::Interleaving`].
    pub fn new(rate: u32, channels: u8, samples: Vec<i16>) -> Result<Self> {
        check_shape(rate, channels)?;
        check_interleaving(samples.len(), channels)?;
        Ok(Self { rate, channels, samples })
    }

    /// Length in samples of one channel.
    #[must_use]
    pub fn samples_per_channel(&self) -> usize {
        self.samples.len() / usize::from(self.channels.max(1))
    }

    /// Playing time.
    #[must_use]
    pub fn duration(&self) -> Duration {
        let nanoseconds = self.samples_per_channel() as u128 * 1_000_000_000 / u128::from(self.rate.max(1));
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// The clip with `channels` channels: any number to one by their mean (halves round away from zero), one to many by
    /// copying, and the same number unchanged.
    ///
    /// # Errors
    /// [`Error::Mix`] between two counts above one: which channels belong together, and how loud, depends on a speaker
    /// layout that is not known here. [`Error::Channels`] for a count out of range.
    pub fn into_channels(self, channels: u8) -> Result<Self> {
        check_shape(self.rate, channels)?;
        let samples = match (self.channels, channels) {
            (from, to) if from == to => self.samples,
            (from, 1) => self.samples.chunks_exact(usize::from(from.max(1))).map(mean).collect(),
            (1, to) => self.samples.iter().flat_map(|&sample| std::iter::repeat_n(sample, usize::from(to))).collect(),
            (from, to) => return Err(Error::Mix { from, to }),
        };
        Ok(Self { rate: self.rate, channels, samples })
    }
}

fn mean(row: &[i16]) -> i16 {
    let sum: f32 = row.iter().map(|&sample| f32::from(sample)).sum();
    (sum / row.len() as f32).round() as i16
}

pub(crate) fn check_shape(rate: u32, channels: u8) -> Result<()> {
    if !(MIN_RATE..=MAX_RATE).contains(&rate) {
        return Err(Error::Rate(rate));
    }
    if !(1..=MAX_CHANNELS).contains(&channels) {
        return Err(Error::Channels(channels.into()));
    }
    Ok(())
}

pub(crate) fn check_interleaving(samples: usize, channels: u8) -> Result<()> {
    if samples.is_multiple_of(usize::from(channels)) { Ok(()) } else { Err(Error::Interleaving { samples, channels }) }
}
