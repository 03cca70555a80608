//! What is too long to be anything: told from here, before it is copied into a guest, whose memory it would fill.

use crate::{CodecError, OpenError, SealError};
use sidetone_opus::MAX_SAMPLES;
use sidetone_packet::HEADER_LEN;

/// No payload is longer: a header has 16 bits for its length.
const LONGEST: usize = u16::MAX as usize;

pub(crate) fn datagram_fits(datagram: &[u8]) -> Result<(), OpenError> {
    let payload = datagram.len().saturating_sub(HEADER_LEN);
    if payload > LONGEST { Err(OpenError::PayloadSize(told(payload))) } else { Ok(()) }
}

pub(crate) fn payload_fits(payload: &[u8]) -> Result<(), SealError> {
    if payload.len() > LONGEST { Err(SealError::PayloadSize(told(payload.len()))) } else { Ok(()) }
}

/// Of two channels at most.
pub(crate) fn frame_fits(pcm: &[i16]) -> Result<(), CodecError> {
    if pcm.len() > 2 * MAX_SAMPLES { Err(CodecError::FrameLength(told(pcm.len()))) } else { Ok(()) }
}

pub(crate) fn packet_fits(packet: &[u8]) -> Result<(), CodecError> {
    if packet.len() > LONGEST { Err(CodecError::NotOpus) } else { Ok(()) }
}

/// A length as an error tells it.
fn told(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
