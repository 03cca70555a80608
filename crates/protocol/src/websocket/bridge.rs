//! Audio frames between a gateway and a speech server (xiaozhi-server), which has many devices on one protocol.

use super::{FrameError, check_payload, split};
use crate::message::MAX_MESSAGE;

/// Audio of a device on its way to the speech server. Version and type are left zero, as both known gateways do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GatewayFrame<'b> {
    /// Milliseconds, from the device's packet.
    pub timestamp: u32,
    /// Opus.
    pub payload: &'b [u8],
}

impl<'b> GatewayFrame<'b> {
    /// Bytes before the payload.
    pub const HEADER_LEN: usize = 16;

    /// Reads a frame: for a server.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn decode(bytes: &'b [u8]) -> Result<Self, FrameError> {
        let (&[_, _, _, _, _, _, _, _, t0, t1, t2, t3, s0, s1, s2, s3], payload) = split::<16>(bytes)?;
        check_payload(Some(u32::from_be_bytes([s0, s1, s2, s3])), payload, MAX_MESSAGE)?;
        Ok(Self { timestamp: u32::from_be_bytes([t0, t1, t2, t3]), payload })
    }

    /// Writes the frame.
    ///
    /// # Errors
    /// [`FrameError::Size`].
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        check_payload(None, self.payload, MAX_MESSAGE)?;
        let mut bytes = Vec::with_capacity(Self::HEADER_LEN + self.payload.len());
        bytes.extend([0; 8]);
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend((self.payload.len() as u32).to_be_bytes());
        bytes.extend(self.payload);
        Ok(bytes)
    }
}

/// Audio of the speech server on its way to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServerFrame<'b> {
    /// Number of the frame; restarts at 0 with each sentence.
    pub sequence: u32,
    /// Milliseconds.
    pub timestamp: u32,
    /// Opus.
    pub payload: &'b [u8],
}

impl<'b> ServerFrame<'b> {
    /// Bytes before the payload.
    pub const HEADER_LEN: usize = 16;

    /// Reads a frame. The length stands in it twice; the second, of 32 bits, is the one that counts.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn decode(bytes: &'b [u8]) -> Result<Self, FrameError> {
        let (&[kind, _, _, _, n0, n1, n2, n3, t0, t1, t2, t3, s0, s1, s2, s3], payload) = split::<16>(bytes)?;
        if kind != 1 {
            return Err(FrameError::Kind { found: kind.into() });
        }
        check_payload(Some(u32::from_be_bytes([s0, s1, s2, s3])), payload, u16::MAX.into())?;
        let sequence = u32::from_be_bytes([n0, n1, n2, n3]);
        Ok(Self { sequence, timestamp: u32::from_be_bytes([t0, t1, t2, t3]), payload })
    }

    /// Writes the frame: for a server.
    ///
    /// # Errors
    /// [`FrameError::Size`].
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        check_payload(None, self.payload, u16::MAX.into())?;
        let mut bytes = Vec::with_capacity(Self::HEADER_LEN + self.payload.len());
        bytes.extend([1, 0]);
        bytes.extend((self.payload.len() as u16).to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend((self.payload.len() as u32).to_be_bytes());
        bytes.extend(self.payload);
        Ok(bytes)
    }
}
