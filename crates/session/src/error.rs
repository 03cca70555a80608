//! What a session can refuse.

use sidetone_opus::packet::PacketError;
use sidetone_packet::{AcceptError, MAX_PAYLOAD, OpenError, SealError};
use thiserror::Error;

/// A session was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A frame of PCM does not fit a packet.
    #[error(
        "a PCM frame of {bytes} bytes does not fit a packet of {MAX_PAYLOAD}: negotiate a shorter frame or a lower rate"
    )]
    PcmFrameTooLong {
        /// Bytes of one frame.
        bytes: usize,
    },
    /// The codec refused a setting.
    #[error(transparent)]
    Codec(#[from] sidetone_opus::Error),
}

/// A datagram was dropped. The session is as it was, but for counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The header told against it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Decrypted, but no Opus: wrong key, damage, or forgery.
    #[error("implausible payload: {0}")]
    NotOpus(#[from] PacketError),
    /// Decrypted and Opus, but not what was negotiated.
    #[error(
        "implausible payload: {micros} µs on {channels} channel(s), negotiated were {expected_micros} µs on {expected_channels}"
    )]
    NotAsNegotiated {
        /// Duration the packet claims, in microseconds.
        micros: u32,
        /// Channels the packet claims.
        channels: u8,
        /// Negotiated duration, in microseconds.
        expected_micros: u32,
        /// Negotiated channels.
        expected_channels: u8,
    },
    /// A PCM payload of another length than a frame's.
    #[error("PCM payload of {bytes} bytes, a frame has {expected}")]
    PcmLength {
        /// Bytes that came.
        bytes: usize,
        /// Bytes of a frame.
        expected: usize,
    },
    /// Plausible, but not taken into the stream.
    #[error(transparent)]
    Accept(#[from] AcceptError),
}

impl ReceiveError {
    /// Whether the plaintext was nonsense: many in a row mean a wrong key.
    #[must_use]
    pub const fn is_implausible(&self) -> bool {
        matches!(self, Self::NotOpus(_) | Self::NotAsNegotiated { .. } | Self::PcmLength { .. })
    }
}

/// Audio was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SendError {
    /// Samples that are no multiple of the channels.
    #[error("{samples} samples do not divide into {channels} channels")]
    Uneven {
        /// Samples given.
        samples: usize,
        /// Channels of the session.
        channels: u8,
    },
    /// The encoder failed.
    #[error(transparent)]
    Codec(#[from] sidetone_opus::Error),
    /// The packet was not sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}
