//! The audio that both ends of a hello name.

use serde::Serialize;
use sidetone_packet::MAX_PAYLOAD;
use thiserror::Error;

use super::lenient::{Fields, number, text};

/// How the payload of an audio packet is coded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum AudioFormat {
    /// One Opus packet.
    #[default]
    Opus,
    /// One frame of interleaved little-endian `i16`. Some clients ask for it; firmware does not.
    Pcm,
    /// A format that is not known here.
    Other(String),
}

impl AudioFormat {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Opus => "opus",
            Self::Pcm => "pcm",
            Self::Other(name) => name,
        }
    }

    pub(crate) fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "opus" => Self::Opus,
            "pcm" => Self::Pcm,
            _ => Self::Other(word.into()),
        }
    }
}

impl Serialize for AudioFormat {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// `audio_params` of a hello: what its sender sends.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct AudioParams {
    /// Coding.
    pub format: AudioFormat,
    /// Hz.
    pub sample_rate: u32,
    /// 1 or 2; firmware has 1.
    pub channels: u32,
    /// Milliseconds of audio in a packet. Firmware has 60, some clients 20.
    pub frame_duration: u32,
    /// Milliseconds of audio that the sender can hold for playing, where it says so (late firmware).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub play_buffer_duration: Option<u32>,
}

impl AudioParams {
    /// What firmware sends: Opus, 16 kHz, mono, 60 ms.
    pub const DEVICE: Self = Self::opus(16_000);

    /// What gateways send: Opus, 24 kHz, mono, 60 ms.
    pub const GATEWAY: Self = Self::opus(24_000);

    const fn opus(sample_rate: u32) -> Self {
        Self { format: AudioFormat::Opus, sample_rate, channels: 1, frame_duration: 60, play_buffer_duration: None }
    }

    /// Reads `audio_params`; what is missing or no number is as in `usual`.
    pub(crate) fn from_fields(fields: Option<&Fields>, usual: Self) -> Self {
        let Some(fields) = fields else { return usual };
        Self {
            format: text(fields, "format").map_or(usual.format, AudioFormat::from_word),
            sample_rate: number(fields, "sample_rate").unwrap_or(usual.sample_rate),
            channels: number(fields, "channels").unwrap_or(usual.channels),
            frame_duration: number(fields, "frame_duration").unwrap_or(usual.frame_duration),
            play_buffer_duration: number(fields, "play_buffer_duration"),
        }
    }

    /// Whether a session can carry this audio: a rate, channels and frame duration that Opus has; and PCM only in
    /// frames that fit a packet.
    ///
    /// # Errors
    /// [`UnsupportedAudio`], with the value at fault.
    pub fn check(&self) -> Result<(), UnsupportedAudio> {
        let Self { ref format, sample_rate, channels, frame_duration, .. } = *self;
        if matches!(format, AudioFormat::Other(_)) {
            return Err(UnsupportedAudio::Format);
        }
        if ![8_000, 12_000, 16_000, 24_000, 48_000].contains(&sample_rate) {
            return Err(UnsupportedAudio::SampleRate(sample_rate));
        }
        if !(1..=2).contains(&channels) {
            return Err(UnsupportedAudio::Channels(channels));
        }
        if ![5, 10, 20, 40, 60, 80, 100, 120].contains(&frame_duration) {
            return Err(UnsupportedAudio::FrameDuration(frame_duration));
        }
        let bytes = sample_rate / 1_000 * frame_duration * channels * 2;
        if *format == AudioFormat::Pcm && bytes as usize > MAX_PAYLOAD {
            return Err(UnsupportedAudio::PcmFrame(bytes));
        }
        Ok(())
    }
}

/// Audio that no session carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnsupportedAudio {
    /// A format other than Opus and PCM.
    #[error("unknown audio format: send opus")]
    Format,
    /// A rate that Opus does not have, in Hz.
    #[error("sample rate of {0} Hz: send 8000, 12000, 16000, 24000 or 48000")]
    SampleRate(u32),
    /// Neither mono nor stereo.
    #[error("{0} channels: send 1 or 2")]
    Channels(u32),
    /// A duration that Opus does not have, in milliseconds.
    #[error("frames of {0} ms: send 5, 10, 20, 40, 60, 80, 100 or 120")]
    FrameDuration(u32),
    /// A PCM frame of so many bytes.
    #[error("PCM frames of {0} bytes do not fit a packet of {MAX_PAYLOAD}: send shorter ones, or opus")]
    PcmFrame(u32),
}
