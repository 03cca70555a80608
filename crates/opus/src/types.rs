//! The values Opus knows, as types that cannot hold another.

use crate::Error;
#[cfg(feature = "libopus")]
use opus_wasm_sys as sys;

/// Sample rate of the PCM side of a codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum SampleRate {
    Hz8000,
    Hz12000,
    Hz16000,
    Hz24000,
    Hz48000,
}

impl SampleRate {
    /// All rates, lowest first.
    pub const ALL: [Self; 5] = [Self::Hz8000, Self::Hz12000, Self::Hz16000, Self::Hz24000, Self::Hz48000];

    /// The rate in Hz.
    #[must_use]
    pub const fn hz(self) -> u32 {
        match self {
            Self::Hz8000 => 8_000,
            Self::Hz12000 => 12_000,
            Self::Hz16000 => 16_000,
            Self::Hz24000 => 24_000,
            Self::Hz48000 => 48_000,
        }
    }
}

impl TryFrom<u32> for SampleRate {
    type Error = Error;

    fn try_from(hz: u32) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|rate| rate.hz() == hz).ok_or(Error::SampleRate(hz))
    }
}

/// Channels of the PCM side of a codec; stereo is interleaved, left first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Channels {
    Mono,
    Stereo,
}

impl Channels {
    /// 1 or 2.
    #[must_use]
    pub const fn count(self) -> usize {
        match self {
            Self::Mono => 1,
            Self::Stereo => 2,
        }
    }
}

impl TryFrom<u32> for Channels {
    type Error = Error;

    fn try_from(count: u32) -> Result<Self, Error> {
        match count {
            1 => Ok(Self::Mono),
            2 => Ok(Self::Stereo),
            other => Err(Error::Channels(other)),
        }
    }
}

/// Duration of the audio in one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum FrameDuration {
    Ms2_5,
    Ms5,
    Ms10,
    Ms20,
    Ms40,
    Ms60,
    Ms80,
    Ms100,
    Ms120,
}

impl FrameDuration {
    /// All durations, shortest first.
    pub const ALL: [Self; 9] =
        [Self::Ms2_5, Self::Ms5, Self::Ms10, Self::Ms20, Self::Ms40, Self::Ms60, Self::Ms80, Self::Ms100, Self::Ms120];

    /// The duration in microseconds.
    #[must_use]
    pub const fn micros(self) -> u32 {
        match self {
            Self::Ms2_5 => 2_500,
            Self::Ms5 => 5_000,
            Self::Ms10 => 10_000,
            Self::Ms20 => 20_000,
            Self::Ms40 => 40_000,
            Self::Ms60 => 60_000,
            Self::Ms80 => 80_000,
            Self::Ms100 => 100_000,
            Self::Ms120 => 120_000,
        }
    }

    /// The duration of `micros` microseconds.
    ///
    /// # Errors
    /// [`Error::FrameDuration`] where Opus has no such frame.
    pub fn from_micros(micros: u32) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|d| d.micros() == micros).ok_or(Error::FrameDuration(micros))
    }

    /// Samples a channel at `rate`; exact, for every rate Opus has.
    #[must_use]
    pub const fn samples(self, rate: SampleRate) -> usize {
        (rate.hz() / 100 * (self.micros() / 100) / 100) as usize
    }

    /// The duration of `samples` a channel at `rate`, where it is a frame of Opus.
    #[must_use]
    pub fn from_samples(samples: usize, rate: SampleRate) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.samples(rate) == samples)
    }
}

/// What the encoder optimises for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Application {
    /// Speech: intelligibility first. What the devices use.
    #[default]
    Voip,
    /// Faithfulness: music and mixed content.
    Audio,
    /// Lowest delay: CELT only, no SILK, 5 ms look-ahead less.
    LowDelay,
}

impl Application {
    #[cfg(feature = "libopus")]
    pub(crate) const fn raw(self) -> i32 {
        match self {
            Self::Voip => sys::OPUS_APPLICATION_VOIP,
            Self::Audio => sys::OPUS_APPLICATION_AUDIO,
            Self::LowDelay => sys::OPUS_APPLICATION_RESTRICTED_LOWDELAY,
        }
    }
}

/// Target bitrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Bitrate {
    /// libopus chooses by rate, channels and frame duration.
    #[default]
    Auto,
    /// As much as the output buffer holds.
    Max,
    /// Bits a second, 500 to 512000.
    BitsPerSecond(u32),
}

impl Bitrate {
    #[cfg(feature = "libopus")]
    pub(crate) const fn raw(self) -> Result<i32, Error> {
        match self {
            Self::Auto => Ok(sys::OPUS_AUTO),
            Self::Max => Ok(sys::OPUS_BITRATE_MAX),
            Self::BitsPerSecond(bits @ 500..=512_000) => Ok(bits.cast_signed()),
            Self::BitsPerSecond(bits) => Err(Error::Bitrate(bits)),
        }
    }
}

/// Effort of the encoder, 0 (least CPU) to 10 (best sound).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Complexity(u8);

impl Complexity {
    /// The least CPU; what the devices themselves use.
    pub const MIN: Self = Self(0);
    /// The middle step of the quality ladder.
    pub const MEDIUM: Self = Self(5);
    /// The best sound.
    pub const MAX: Self = Self(10);

    /// 0 to 10.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u32> for Complexity {
    type Error = Error;

    fn try_from(value: u32) -> Result<Self, Error> {
        match u8::try_from(value) {
            Ok(small @ 0..=10) => Ok(Self(small)),
            _ => Err(Error::Complexity(value)),
        }
    }
}

/// Audio bandwidth of a packet (RFC 6716 §2.1.3), or a cap for the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bandwidth {
    /// 4 kHz.
    Narrow,
    /// 6 kHz.
    Medium,
    /// 8 kHz.
    Wide,
    /// 12 kHz.
    SuperWide,
    /// 20 kHz.
    Full,
}

impl Bandwidth {
    /// Highest audio frequency coded, in Hz.
    #[must_use]
    pub const fn hz(self) -> u32 {
        match self {
            Self::Narrow => 4_000,
            Self::Medium => 6_000,
            Self::Wide => 8_000,
            Self::SuperWide => 12_000,
            Self::Full => 20_000,
        }
    }

    #[cfg(feature = "libopus")]
    pub(crate) const fn raw(self) -> i32 {
        match self {
            Self::Narrow => sys::OPUS_BANDWIDTH_NARROWBAND,
            Self::Medium => sys::OPUS_BANDWIDTH_MEDIUMBAND,
            Self::Wide => sys::OPUS_BANDWIDTH_WIDEBAND,
            Self::SuperWide => sys::OPUS_BANDWIDTH_SUPERWIDEBAND,
            Self::Full => sys::OPUS_BANDWIDTH_FULLBAND,
        }
    }
}

/// What the signal is, where the caller knows better than libopus's analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Signal {
    #[default]
    Auto,
    Voice,
    Music,
}

impl Signal {
    #[cfg(feature = "libopus")]
    pub(crate) const fn raw(self) -> i32 {
        match self {
            Self::Auto => sys::OPUS_AUTO,
            Self::Voice => sys::OPUS_SIGNAL_VOICE,
            Self::Music => sys::OPUS_SIGNAL_MUSIC,
        }
    }
}

/// How frames of 40 to 120 ms are coded.
///
/// SILK alone codes 40 and 60 ms as one frame. In hybrid and CELT mode a longer packet is several frames of 20 ms, and
/// libopus 1.6.1 caps each of them at the *average* size of the bitrate (`opus_encode_native`, `curr_max`). In hybrid
/// mode SILK then quantizes again and again to get below the cap. Coding the frames one by one and joining them with
/// libopus's repacketizer gives every frame the room it asks for. Measured on packets of 60 ms, mono (CPU, PESQ-WB):
///
/// | mode | frame by frame, against whole |
/// |---|---|
/// | hybrid, 24 kbit/s | 15-30 % less CPU, +0.2 to +1.0 PESQ, 9 % more bits (whole falls short of the bitrate) |
/// | SILK, 16 and 24 kbit/s | as much CPU, -0.01 to -0.06 PESQ |
/// | CELT, 24 and 48 kbit/s | as much CPU, as good, 1-3 % more bits |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Split {
    /// Frame by frame where the last packet was hybrid, else whole.
    #[default]
    Auto,
    /// Always one call of libopus.
    Never,
    /// Always frame by frame. (A packet in which the mode changes is still coded whole.)
    Always,
}
