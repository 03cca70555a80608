//! Binary frames of the WebSocket flavours: [`device`](crate::websocket::Version) frames of versions 1 to 3, and those
//! between a gateway and a speech server ([`ServerFrame`], [`GatewayFrame`]). All numbers are big-endian.
//!
//! | frame                        | layout                                                                       |
//! |------------------------------|------------------------------------------------------------------------------|
//! | version 1                    | Opus                                                                         |
//! | version 2                    | u16 version, u16 type (0 Opus, 1 JSON), u32 0, u32 timestamp, u32 size, payload |
//! | version 3                    | u8 type, u8 0, u16 size, payload                                             |
//! | [`GatewayFrame`], to server  | 8 zero bytes, u32 timestamp, u32 size, Opus                                  |
//! | [`ServerFrame`], from server | u8 1, u8 0, u16 size, u32 sequence, u32 timestamp, u32 size, Opus            |
//!
//! Reserved bytes are not looked at, lengths are exact. (Firmware believes the size field and reads past the end.)

mod bridge;

pub use bridge::{GatewayFrame, ServerFrame};
use thiserror::Error;

use crate::message::MAX_MESSAGE;

/// A binary frame that cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Shorter than its header.
    #[error("frame of {len} bytes is shorter than its {needed}-byte header")]
    Truncated {
        /// Bytes that came.
        len: usize,
        /// Bytes of the header.
        needed: usize,
    },
    /// The version field is another than was agreed on.
    #[error("frame of version {found}, the connection has {expected}")]
    Version {
        /// The version field.
        found: u16,
        /// The connection's version.
        expected: u16,
    },
    /// A type that this frame does not have.
    #[error("frame type {found} is unknown here")]
    Kind {
        /// The type field.
        found: u16,
    },
    /// Longer or shorter than its header says.
    #[error("header declares {declared} bytes of payload, the frame carries {actual}")]
    Length {
        /// The size field.
        declared: u32,
        /// Bytes after the header.
        actual: usize,
    },
    /// A payload of no bytes, or of more than the frame can say or a message may have.
    #[error("payload of {len} bytes is outside 1..={most}")]
    Size {
        /// Bytes of payload.
        len: usize,
        /// The most there may be.
        most: usize,
    },
    /// Version 1 has audio only.
    #[error("JSON does not go into a binary frame of version 1: send it as text")]
    JsonInVersion1,
}

/// Version of the binary frames, named by the device's `Protocol-Version` header and its hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Version {
    /// Bare Opus: firmware's default.
    #[default]
    V1,
    /// With timestamp.
    V2,
    /// Short header.
    V3,
}

impl Version {
    /// The version of a number; `None` where there is no such version.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            3 => Some(Self::V3),
            _ => None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }

    /// Bytes before the payload.
    #[must_use]
    pub const fn header_len(self) -> usize {
        match self {
            Self::V1 => 0,
            Self::V2 => 16,
            Self::V3 => 4,
        }
    }

    /// The most bytes of payload.
    #[must_use]
    pub const fn max_payload(self) -> usize {
        match self {
            Self::V1 | Self::V2 => MAX_MESSAGE,
            Self::V3 => u16::MAX as usize,
        }
    }
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// Audio.
    #[default]
    Opus,
    /// A message.
    Json,
}

impl Kind {
    const fn number(self) -> u8 {
        match self {
            Self::Opus => 0,
            Self::Json => 1,
        }
    }

    fn from_number(found: u16) -> Result<Self, FrameError> {
        match found {
            0 => Ok(Self::Opus),
            1 => Ok(Self::Json),
            _ => Err(FrameError::Kind { found }),
        }
    }
}

/// A binary frame between a device and a gateway.
///
/// ```
/// use sidetone_protocol::websocket::{Frame, Kind, Version};
///
/// let frame = Frame { kind: Kind::Opus, timestamp: 0, payload: &[0x58] };
/// assert_eq!(frame.encode(Version::V3)?, [0, 0, 0, 1, 0x58]);
/// assert_eq!(Frame::decode(Version::V3, &[0, 0, 0, 1, 0x58])?, frame);
/// # Ok::<(), sidetone_protocol::websocket::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame<'b> {
    /// What the payload is.
    pub kind: Kind,
    /// Milliseconds; only version 2 carries it, 0 in the others.
    pub timestamp: u32,
    /// Opus or JSON.
    pub payload: &'b [u8],
}

impl<'b> Frame<'b> {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn decode(version: Version, bytes: &'b [u8]) -> Result<Self, FrameError> {
        let (kind, timestamp, declared, payload) = match version {
            Version::V1 => (Kind::Opus, 0, None, bytes),
            Version::V2 => {
                let (&[v0, v1, k0, k1, _, _, _, _, t0, t1, t2, t3, s0, s1, s2, s3], payload) = split::<16>(bytes)?;
                let found = u16::from_be_bytes([v0, v1]);
                if found != 2 {
                    return Err(FrameError::Version { found, expected: 2 });
                }
                let kind = Kind::from_number(u16::from_be_bytes([k0, k1]))?;
                (kind, u32::from_be_bytes([t0, t1, t2, t3]), Some(u32::from_be_bytes([s0, s1, s2, s3])), payload)
            }
            Version::V3 => {
                let (&[kind, _, s0, s1], payload) = split::<4>(bytes)?;
                (Kind::from_number(kind.into())?, 0, Some(u16::from_be_bytes([s0, s1]).into()), payload)
            }
        };
        check_payload(declared, payload, version.max_payload())?;
        Ok(Self { kind, timestamp, payload })
    }

    /// Writes the frame. Versions 1 and 3 leave the timestamp out.
    ///
    /// # Errors
    /// [`FrameError::Size`], [`FrameError::JsonInVersion1`].
    pub fn encode(&self, version: Version) -> Result<Vec<u8>, FrameError> {
        let Self { kind, timestamp, payload } = *self;
        check_payload(None, payload, version.max_payload())?;
        let mut bytes = Vec::with_capacity(version.header_len() + payload.len());
        match version {
            Version::V1 if kind == Kind::Json => return Err(FrameError::JsonInVersion1),
            Version::V1 => {}
            Version::V2 => {
                bytes.extend([0, 2, 0, kind.number(), 0, 0, 0, 0]);
                bytes.extend(timestamp.to_be_bytes());
                bytes.extend((payload.len() as u32).to_be_bytes());
            }
            Version::V3 => {
                bytes.extend([kind.number(), 0]);
                bytes.extend((payload.len() as u16).to_be_bytes());
            }
        }
        bytes.extend(payload);
        Ok(bytes)
    }
}

fn split<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), FrameError> {
    bytes.split_first_chunk().ok_or(FrameError::Truncated { len: bytes.len(), needed: N })
}

fn check_payload(declared: Option<u32>, payload: &[u8], most: usize) -> Result<(), FrameError> {
    let len = payload.len();
    if let Some(declared) = declared.filter(|&declared| declared as usize != len) {
        return Err(FrameError::Length { declared, actual: len });
    }
    match (1..=most).contains(&len) {
        true => Ok(()),
        false => Err(FrameError::Size { len, most }),
    }
}
