//! Opus packets on their way through the program, whatever file they come from or go to.

use sidetone_audio::ogg_opus::Tags;
use sidetone_opus::{Channels, FrameDuration};

/// Samples a channel at 48 kHz in a second: the clock of everything here, as in Ogg Opus.
pub const CLOCK: u32 = 48_000;

/// A stream of packets.
#[derive(Debug)]
pub struct Stream {
    /// In order.
    pub packets: Vec<Packet>,
    /// Channels to decode to, where nothing else is asked for.
    pub channels: Channels,
    /// Samples to drop from the start of what is decoded.
    pub pre_skip: u16,
    /// Samples to play after that; `None`: all.
    pub played: Option<u64>,
    /// Gain to apply after decoding, in 1/256 dB.
    pub gain: i16,
    /// Rate of what was encoded, in Hz; 0: not known.
    pub input_rate: u32,
    /// Comments to write with it.
    pub tags: Tags,
}

/// A packet.
#[derive(Debug, Default)]
pub struct Packet {
    /// As the encoder made it. Empty where nobody outside of the component has seen it: lost before, or sealed in the
    /// same call.
    pub data: Vec<u8>,
    /// Sealed. Empty where nothing is sealed.
    pub datagram: Vec<u8>,
    /// What it decodes to, in samples a channel at 48 kHz.
    pub duration: u32,
    /// Range coder state after it; 0: not known.
    pub final_range: u32,
    /// It does not arrive.
    pub lost: bool,
}

impl Packet {
    /// Bytes of the Opus packet.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self.data.len() {
            0 => self.datagram.len().saturating_sub(sidetone_packet::HEADER_LEN),
            bytes => bytes,
        }
    }

    /// Samples a channel at a rate.
    #[must_use]
    pub fn samples(&self, hz: u32) -> usize {
        at(self.duration.into(), hz)
    }
}

impl Stream {
    /// What all packets decode to.
    #[must_use]
    pub fn decoded(&self) -> u64 {
        self.packets.iter().map(|packet| u64::from(packet.duration)).sum()
    }

    /// What is played.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.played.unwrap_or_else(|| self.decoded().saturating_sub(self.pre_skip.into()))
    }

    /// The duration of every packet, where they have one in common: what a session negotiates.
    #[must_use]
    pub fn frame(&self) -> Option<FrameDuration> {
        let first = self.packets.first()?.duration;
        let same = self.packets.iter().all(|packet| packet.duration == first);
        FrameDuration::ALL.into_iter().find(|frame| same && duration_of(*frame) == first)
    }
}

/// Samples at 48 kHz in a frame.
#[must_use]
pub fn duration_of(frame: FrameDuration) -> u32 {
    frame.micros() / 100 * (CLOCK / 1000) / 10
}

/// Samples at 48 kHz as samples at another rate, rounded.
#[must_use]
pub fn at(samples: u64, hz: u32) -> usize {
    scaled(samples, CLOCK, hz)
}

/// Samples at one rate as samples at another, rounded.
#[must_use]
pub fn scaled(samples: u64, from: u32, to: u32) -> usize {
    let (from, to) = (u128::from(from.max(1)), u128::from(to));
    usize::try_from((u128::from(samples) * to + from / 2) / from).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        let samples: Vec<u32> = FrameDuration::ALL.into_iter().map(duration_of).collect();
        assert_eq!(samples, [120, 240, 480, 960, 1920, 2880, 3840, 4800, 5760]);
    }

    #[test]
    fn lengths_round_to_the_nearest_sample() {
        assert_eq!(at(48_000, 16_000), 16_000);
        assert_eq!(at(312, 24_000), 156);
        assert_eq!(scaled(44_100, 44_100, 48_000), 48_000);
        assert_eq!(scaled(1, 44_100, 48_000), 1);
    }
}
