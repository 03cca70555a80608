//! How long an Opus packet lasts: the one thing Ogg must know of its content.

use crate::{Error, MAX_PACKET, Result};

/// 120 ms, the longest packet, in samples at 48 kHz.
const LONGEST: u32 = 5760;

/// What a packet decodes to, in samples per channel at 48 kHz, from its first two bytes (RFC 6716 sections 3.1 and
/// 3.2).
///
/// # Errors
/// [`Error::PacketTooLong`] above [`MAX_PACKET`] bytes, [`Error::Packet`] if it is empty, states no frames, or lasts
/// more than 120 ms.
pub fn packet_duration(packet: &[u8]) -> Result<u32> {
    if packet.len() > MAX_PACKET {
        return Err(Error::PacketTooLong(packet.len()));
    }
    let &[toc, ref rest @ ..] = packet else { return Err(Error::Packet("it has no bytes")) };
    let config = usize::from(toc >> 3);
    let frame = match config {
        0..12 => [480, 960, 1920, 2880][config % 4],
        12..16 => [480, 960][config % 2],
        _ => [120, 240, 480, 960][config % 4],
    };
    let frames = match (toc & 3, rest) {
        (0, _) => 1,
        (1 | 2, _) => 2,
        (_, [count, ..]) => u32::from(count & 0x3f),
        (_, []) => return Err(Error::Packet("it ends before its frame count")),
    };
    match frame * frames {
        0 => Err(Error::Packet("it states 0 frames")),
        1..=LONGEST => Ok(frame * frames),
        _ => Err(Error::Packet("it lasts more than 120 ms")),
    }
}
