//! The 16-byte packet header. It travels in the clear and is also the initial counter block of the packet's keystream,
//! so every field of it, `payload_len` and `flags` included, selects the keystream.
//!
//! | offset | field           | type   |                                                        |
//! |--------|-----------------|--------|--------------------------------------------------------|
//! | 0      | type            | u8     | [`PACKET_TYPE`]                                        |
//! | 1      | flags           | u8     | 0 from devices; [`FLAG_DOWNLINK`] from our gateway     |
//! | 2      | payload_len     | u16 BE | bytes of ciphertext                                    |
//! | 4      | connection id   | u32 BE | from the nonce in the hello reply                      |
//! | 8      | timestamp       | u32 BE | milliseconds; firmware sends 0 uplink                  |
//! | 12     | sequence        | u32 BE | first packet 1, one more a packet                      |

use crate::error::HeaderError;

/// Bytes of header before the ciphertext.
pub const HEADER_LEN: usize = 16;

/// The most bytes of payload a packet may carry. Firmware sends 79-147 bytes a frame and receives 107-266; the bound
/// leaves room for high bitrates and stays below any path's MTU.
pub const MAX_PAYLOAD: usize = 1024;

/// The type byte of an audio packet, the only type there is.
pub const PACKET_TYPE: u8 = 1;

/// Flag bit that marks a packet as sent by the gateway.
///
/// The protocol uses one key for both directions and nothing in its header tells them apart, so that both ends of a
/// session may use the same counter blocks, and a packet can be reflected to its sender. Devices send flags 0 and do
/// not look at the flags they receive, so the gateway may set this bit without their knowing.
pub const FLAG_DOWNLINK: u8 = 0x01;

/// Bytes of an AES block, and so of the counter block.
pub(crate) const BLOCK_LEN: usize = 16;

/// The most counter blocks that one packet uses.
pub(crate) const MAX_BLOCKS: u32 = (MAX_PAYLOAD / BLOCK_LEN) as u32;

/// The way a packet travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the device to the gateway.
    Uplink,
    /// From the gateway to the device.
    Downlink,
}

impl Direction {
    /// The flags that a packet sealed for this direction carries.
    #[must_use]
    pub const fn flags(self) -> u8 {
        match self {
            Self::Uplink => 0,
            Self::Downlink => FLAG_DOWNLINK,
        }
    }
}

/// The header of an audio packet, in host byte order. The type byte is implied: it is always [`PACKET_TYPE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Header {
    /// Flag bits; see [`FLAG_DOWNLINK`]. Unknown bits are carried through.
    pub flags: u8,
    /// Bytes of ciphertext after the header.
    pub payload_len: u16,
    /// The session's id on the wire (ssrc), chosen by the gateway for each hello.
    pub connection_id: u32,
    /// Milliseconds. Uplink: 0, or (builds with server-side echo cancellation) the timestamp of a downlink packet that
    /// was played. Downlink: milliseconds since the hello.
    pub timestamp: u32,
    /// Number of the packet within its session and direction.
    pub sequence: u32,
}

impl Header {
    /// Reads a header from 16 bytes. The nonce of a hello reply is such a header, with payload length, timestamp and
    /// sequence zero.
    ///
    /// # Errors
    /// [`HeaderError::UnknownType`].
    pub fn parse(bytes: &[u8; HEADER_LEN]) -> Result<Self, HeaderError> {
        let [kind, flags, l0, l1, c0, c1, c2, c3, t0, t1, t2, t3, s0, s1, s2, s3] = *bytes;
        if kind != PACKET_TYPE {
            return Err(HeaderError::UnknownType { found: kind });
        }
        Ok(Self {
            flags,
            payload_len: u16::from_be_bytes([l0, l1]),
            connection_id: u32::from_be_bytes([c0, c1, c2, c3]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            sequence: u32::from_be_bytes([s0, s1, s2, s3]),
        })
    }

    /// Splits a datagram into its header and its ciphertext, which is exactly as long as the header says and between 1
    /// and [`MAX_PAYLOAD`] bytes.
    ///
    /// # Errors
    /// Every variant of [`HeaderError`]. (Firmware of 2025 ignored the length field, later firmware demands equality.)
    pub fn split(datagram: &[u8]) -> Result<(Self, &[u8]), HeaderError> {
        let Some((head, ciphertext)) = datagram.split_first_chunk::<HEADER_LEN>() else {
            return Err(HeaderError::Truncated { len: datagram.len() });
        };
        let header = Self::parse(head)?;
        if usize::from(header.payload_len) != ciphertext.len() {
            return Err(HeaderError::LengthMismatch { declared: header.payload_len, actual: ciphertext.len() });
        }
        if !(1..=MAX_PAYLOAD).contains(&ciphertext.len()) {
            return Err(HeaderError::PayloadSize { len: ciphertext.len() });
        }
        Ok((header, ciphertext))
    }

    /// The header's 16 bytes on the wire: also the initial counter block of its packet.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = PACKET_TYPE;
        bytes[1] = self.flags;
        bytes[2..4].copy_from_slice(&self.payload_len.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.connection_id.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.sequence.to_be_bytes());
        bytes
    }

    /// The nonce that a hello reply names for a connection id (as hex): a header with all else zero.
    #[must_use]
    pub fn hello_nonce(connection_id: u32) -> [u8; HEADER_LEN] {
        Self { connection_id, ..Self::default() }.to_bytes()
    }

    /// Bytes of the whole packet: header and payload.
    #[must_use]
    pub fn packet_len(&self) -> usize {
        HEADER_LEN + usize::from(self.payload_len)
    }

    /// Whether [`FLAG_DOWNLINK`] is set.
    #[must_use]
    pub fn is_downlink(&self) -> bool {
        self.flags & FLAG_DOWNLINK != 0
    }
}
