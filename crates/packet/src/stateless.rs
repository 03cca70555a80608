//! One packet at a time, without session state: for callers that keep the state themselves. Nothing here checks for
//! replays or reused nonces.

use crate::error::{OpenError, SealError};
use crate::header::{HEADER_LEN, Header, MAX_PAYLOAD};
use crate::key_schedule::KeySchedule;

/// Seals `payload` under `header` and returns the bytes written to `out`. The header's `payload_len` is set from the
/// payload, whatever it was.
///
/// Never seal two packets with the same key and header: their XOR would be the XOR of the plaintexts.
/// [`Sealer`](crate::Sealer) sees to that.
///
/// # Errors
/// [`SealError::PayloadSize`], [`SealError::OutputTooSmall`].
pub fn seal_with(schedule: &KeySchedule, header: &Header, payload: &[u8], out: &mut [u8]) -> Result<usize, SealError> {
    let payload_len = payload_len(payload)?;
    let header = Header { payload_len, ..*header };
    let (needed, capacity) = (header.packet_len(), out.len());
    let Some(packet) = out.get_mut(..needed) else {
        return Err(SealError::OutputTooSmall { needed, capacity });
    };
    let iv = header.to_bytes();
    let (head, body) = packet.split_at_mut(HEADER_LEN);
    head.copy_from_slice(&iv);
    body.copy_from_slice(payload);
    schedule.apply_keystream(&iv, body);
    Ok(needed)
}

/// Decrypts a packet into `out` and returns its header; the plaintext is the first `payload_len` bytes of `out`.
/// Checks type and length only: not the connection id, not the direction, not whether it was seen before.
///
/// # Errors
/// [`OpenError::Header`], [`OpenError::OutputTooSmall`].
pub fn open_with(schedule: &KeySchedule, datagram: &[u8], out: &mut [u8]) -> Result<Header, OpenError> {
    let (header, ciphertext) = Header::split(datagram)?;
    decrypt(schedule, &header, ciphertext, out)?;
    Ok(header)
}

pub(crate) fn decrypt(
    schedule: &KeySchedule,
    header: &Header,
    ciphertext: &[u8],
    out: &mut [u8],
) -> Result<(), OpenError> {
    let (needed, capacity) = (ciphertext.len(), out.len());
    let Some(plaintext) = out.get_mut(..needed) else {
        return Err(OpenError::OutputTooSmall { needed, capacity });
    };
    plaintext.copy_from_slice(ciphertext);
    schedule.apply_keystream(&header.to_bytes(), plaintext);
    Ok(())
}

/// The payload's length as the header carries it.
pub(crate) fn payload_len(payload: &[u8]) -> Result<u16, SealError> {
    let len = payload.len();
    match u16::try_from(len) {
        Ok(short) if (1..=MAX_PAYLOAD).contains(&len) => Ok(short),
        _ => Err(SealError::PayloadSize { len }),
    }
}
