//! The quality steps: what a loaded worker may save, inside what every device can decode.

use sidetone_opus::{Bandwidth, Bitrate, Channels, Complexity};

/// A step of the quality ladder. Every step is Opus of the same frame duration and channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Quality {
    /// Complexity 0, at most 16 kbit/s a channel and 8 kHz of bandwidth: about a quarter of the CPU of `Full`.
    Minimal,
    /// Complexity 5, at most 24 kbit/s a channel and 12 kHz of bandwidth.
    Medium,
    /// Complexity 10, bitrate and bandwidth as configured.
    #[default]
    Full,
}

impl Quality {
    /// All steps, least first.
    pub const ALL: [Self; 3] = [Self::Minimal, Self::Medium, Self::Full];

    /// Effort of the encoder.
    #[must_use]
    pub const fn complexity(self) -> Complexity {
        match self {
            Self::Minimal => Complexity::MIN,
            Self::Medium => Complexity::MEDIUM,
            Self::Full => Complexity::MAX,
        }
    }

    /// Highest bandwidth.
    #[must_use]
    pub const fn max_bandwidth(self) -> Bandwidth {
        match self {
            Self::Minimal => Bandwidth::Wide,
            Self::Medium => Bandwidth::SuperWide,
            Self::Full => Bandwidth::Full,
        }
    }

    /// The bitrate at this step, where `configured` is wanted.
    #[must_use]
    pub fn bitrate(self, configured: Bitrate, channels: Channels) -> Bitrate {
        let cap = match self {
            Self::Minimal => 16_000,
            Self::Medium => 24_000,
            Self::Full => return configured,
        } * channels.count() as u32;
        match configured {
            Bitrate::BitsPerSecond(bits) => Bitrate::BitsPerSecond(bits.min(cap)),
            Bitrate::Auto | Bitrate::Max => Bitrate::BitsPerSecond(cap),
        }
    }
}
