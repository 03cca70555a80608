//! What a guest refuses, as values: none of these harms the instance.

use crate::bindings::exports::sidetone::media::{session as ws, types as wt};
use thiserror::Error;

/// A setting, frame or packet that the codec refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say it")]
pub enum CodecError {
    #[error("sample rate {0} Hz is not one of 8000, 12000, 16000, 24000, 48000")]
    SampleRate(u32),
    #[error("{0} channels: Opus codes 1 or 2")]
    Channels(u32),
    #[error("frame of {0} µs: Opus has 2500, 5000, 10000, 20000, 40000, 60000, 80000, 100000, 120000")]
    FrameDuration(u32),
    #[error("{0} samples are no Opus frame (2.5 to 120 ms)")]
    FrameLength(u32),
    #[error("bitrate {0} bits/s is not within 500 to 512000")]
    Bitrate(u32),
    #[error("complexity {0} is not within 0 to 10")]
    Complexity(u32),
    #[error("expected loss {0} % is not within 0 to 100")]
    ExpectedLoss(u32),
    #[error("a packet of {0} bytes does not fit")]
    TooSmall(u32),
    #[error("not an Opus packet")]
    NotOpus,
    #[error("libopus cannot decode this packet")]
    Undecodable,
    #[error("no memory left for a codec")]
    NoMemory,
    #[error("libopus error {0}")]
    Internal(i32),
}

impl From<wt::CodecError> for CodecError {
    fn from(error: wt::CodecError) -> Self {
        use wt::CodecError as W;
        match error {
            W::SampleRate(v) => Self::SampleRate(v),
            W::Channels(v) => Self::Channels(v),
            W::FrameDuration(v) => Self::FrameDuration(v),
            W::FrameLength(v) => Self::FrameLength(v),
            W::Bitrate(v) => Self::Bitrate(v),
            W::Complexity(v) => Self::Complexity(v),
            W::ExpectedLoss(v) => Self::ExpectedLoss(v),
            W::TooSmall(v) => Self::TooSmall(v),
            W::NotOpus => Self::NotOpus,
            W::Undecodable => Self::Undecodable,
            W::NoMemory => Self::NoMemory,
            W::Internal(v) => Self::Internal(v),
        }
    }
}

/// Why a datagram was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say it")]
pub enum OpenError {
    #[error("datagram of {0} bytes is shorter than the 16-byte header")]
    Truncated(u32),
    #[error("packet type {0} is unknown, only 1 is defined")]
    UnknownType(u8),
    #[error("header declares {declared} bytes of payload, the datagram carries {actual}")]
    LengthMismatch { declared: u16, actual: u32 },
    #[error("payload of {0} bytes is outside 1 to 1024")]
    PayloadSize(u32),
    #[error("connection id {0:08x} is not this session's")]
    ForeignConnection(u32),
    #[error("flags {0:#04x} mark a packet of the opposite direction")]
    WrongDirection(u8),
    #[error("sequence {0} was accepted before")]
    Replayed(u32),
    #[error("sequence {0} lies behind the replay window")]
    TooOld(u32),
    #[error("sequence {0} is too far ahead to be believed alone")]
    Held(u32),
    #[error("sequence {0} was taken by another packet")]
    Overtaken(u32),
    #[error("implausible payload: no Opus packet")]
    NotOpus,
    #[error("implausible payload: {micros} µs on {channels} channel(s) was not negotiated")]
    NotAsNegotiated { micros: u32, channels: u8 },
    #[error("PCM payload of {0} bytes is no frame")]
    PcmLength(u32),
    #[error("no candidate of sequence {0} waits")]
    NoCandidate(u32),
}

impl OpenError {
    /// Whether the plaintext was nonsense: many in a row mean a wrong key.
    #[must_use]
    pub const fn is_implausible(&self) -> bool {
        matches!(self, Self::NotOpus | Self::NotAsNegotiated { .. } | Self::PcmLength(_))
    }

    /// A word for it, for metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Truncated(_) => "truncated",
            Self::UnknownType(_) => "unknown_type",
            Self::LengthMismatch { .. } => "length_mismatch",
            Self::PayloadSize(_) => "payload_size",
            Self::ForeignConnection(_) => "foreign_connection",
            Self::WrongDirection(_) => "wrong_direction",
            Self::Replayed(_) => "replayed",
            Self::TooOld(_) => "too_old",
            Self::Held(_) => "held",
            Self::Overtaken(_) => "overtaken",
            Self::NotOpus => "not_opus",
            Self::NotAsNegotiated { .. } => "not_as_negotiated",
            Self::PcmLength(_) => "pcm_length",
            Self::NoCandidate(_) => "no_candidate",
        }
    }
}

impl From<wt::OpenError> for OpenError {
    fn from(error: wt::OpenError) -> Self {
        use wt::OpenError as W;
        match error {
            W::Truncated(v) => Self::Truncated(v),
            W::UnknownType(v) => Self::UnknownType(v),
            W::LengthMismatch((declared, actual)) => Self::LengthMismatch { declared, actual },
            W::PayloadSize(v) => Self::PayloadSize(v),
            W::ForeignConnection(v) => Self::ForeignConnection(v),
            W::WrongDirection(v) => Self::WrongDirection(v),
            W::Replayed(v) => Self::Replayed(v),
            W::TooOld(v) => Self::TooOld(v),
            W::Held(v) => Self::Held(v),
            W::Overtaken(v) => Self::Overtaken(v),
            W::NotOpus => Self::NotOpus,
            W::NotAsNegotiated((micros, channels)) => Self::NotAsNegotiated { micros, channels },
            W::PcmLength(v) => Self::PcmLength(v),
            W::NoCandidate(v) => Self::NoCandidate(v),
        }
    }
}

/// Why a payload was not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say it")]
pub enum SealError {
    #[error("payload of {0} bytes is outside 1 to 1024")]
    PayloadSize(u32),
    #[error("all sequence numbers are used: start a session with a new key")]
    SequenceExhausted,
    #[error("all timestamps are used: start a session with a new key")]
    TimestampExhausted,
}

impl From<wt::SealError> for SealError {
    fn from(error: wt::SealError) -> Self {
        match error {
            wt::SealError::PayloadSize(v) => Self::PayloadSize(v),
            wt::SealError::SequenceExhausted => Self::SequenceExhausted,
            wt::SealError::TimestampExhausted => Self::TimestampExhausted,
        }
    }
}

/// Why a session was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ConfigError {
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error("a PCM frame of {0} bytes does not fit a packet of 1024: negotiate a shorter frame or a lower rate")]
    PcmFrameTooLong(u32),
}

impl From<ws::ConfigError> for ConfigError {
    fn from(error: ws::ConfigError) -> Self {
        match error {
            ws::ConfigError::Codec(error) => Self::Codec(error.into()),
            ws::ConfigError::PcmFrameTooLong(v) => Self::PcmFrameTooLong(v),
        }
    }
}

/// Why PCM was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say it")]
pub enum SendError {
    #[error("{0} samples do not divide into the session's channels")]
    Uneven(u32),
    #[error("{samples} samples are more than a second of PCM: send at most {most} at a time")]
    TooLong { samples: usize, most: usize },
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl From<ws::SendError> for SendError {
    fn from(error: ws::SendError) -> Self {
        match error {
            ws::SendError::Uneven(v) => Self::Uneven(v),
            ws::SendError::Codec(error) => Self::Codec(error.into()),
            ws::SendError::Seal(error) => Self::Seal(error.into()),
        }
    }
}
