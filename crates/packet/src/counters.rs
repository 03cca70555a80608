//! What an opener has seen, by cause.

/// Counts of an [`Opener`](crate::Opener) since it was built, in packets unless said otherwise. Every datagram handed
/// to it is counted once as refused before opening, or as opened; every opened one that the caller decided about is
/// counted once as accepted, rejected, held or overtaken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Passed every check that a header allows, and decrypted.
    pub opened: u64,
    /// Found plausible by the caller, and taken into the stream.
    pub accepted: u64,
    /// Of the accepted: arrived after a packet with a higher sequence number.
    pub late: u64,
    /// Sequence numbers that were passed over when the window moved on. A late packet fills one of them afterwards.
    pub skipped: u64,
    /// Of the accepted: share keystream with an earlier accepted packet (`keystream_overlap_total`). Whoever records
    /// both learns the XOR of parts of their plaintexts.
    pub keystream_overlap: u64,
    /// Of the accepted: moved the window over a gap larger than the forward limit.
    pub resynchronised: u64,
    /// Opened, but found implausible by the caller.
    pub rejected: u64,
    /// Plausible, but too far ahead to be believed alone.
    pub held: u64,
    /// Opened, but another candidate took their place in the window before they were accepted.
    pub overtaken: u64,
    /// Refused: shorter than a header.
    pub truncated: u64,
    /// Refused: type byte other than 1.
    pub unknown_type: u64,
    /// Refused: length other than the header's.
    pub length_mismatch: u64,
    /// Refused: payload of 0 bytes or more than [`MAX_PAYLOAD`](crate::MAX_PAYLOAD).
    pub payload_size: u64,
    /// Refused: connection id of another session.
    pub foreign_connection: u64,
    /// Refused: direction bit of the opposite direction.
    pub wrong_direction: u64,
    /// Refused: sequence number accepted before.
    pub replayed: u64,
    /// Refused: sequence number behind the replay window.
    pub too_old: u64,
}
