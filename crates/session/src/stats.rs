//! What a session has done so far.

use sidetone_packet::Counters;

/// Counts since the session was opened, in packets (one packet is one frame) unless said otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// What the packet layer saw: every refused datagram by cause, keystream overlaps, late packets.
    pub packets: Counters,
    /// Decoded, or passed on undecoded where that was asked for.
    pub received: u64,
    /// Missing when a later packet came. One that comes after all is counted as late besides.
    pub lost: u64,
    /// Of the lost: made up by the decoder.
    pub concealed: u64,
    /// Of the lost: recovered from the redundancy of the packet after them.
    pub recovered: u64,
    /// Of the lost: neither, because the gap was too long or concealment is off.
    pub skipped: u64,
    /// Believed, but the decoder failed: concealed, never played.
    pub undecodable: u64,
    /// Text swallowed.
    pub text: u64,
    /// Implausible after decryption since the last one that was believed. Many mean a wrong key.
    pub implausible_in_a_row: u32,
    /// Encoded (or passed on) and sealed.
    pub sent: u64,
    /// Bytes of payload received, of the packets counted in `received`.
    pub received_bytes: u64,
    /// Bytes of payload sent.
    pub sent_bytes: u64,
    /// Samples a channel of silence added to fill the last frame of a talk spurt.
    pub padded_samples: u64,
}
