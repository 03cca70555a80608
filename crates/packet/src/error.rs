//! What can be wrong with a packet, one variant a cause, each with the value that was wrong. No variant holds key
//! material or plaintext.

use thiserror::Error;

use crate::header::{HEADER_LEN, MAX_PAYLOAD, PACKET_TYPE};
use crate::replay::WINDOW;

/// A datagram is not a well-formed packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Shorter than a header.
    #[error("datagram of {len} bytes is shorter than the {HEADER_LEN}-byte header")]
    Truncated {
        /// Bytes of the datagram.
        len: usize,
    },
    /// The type byte is not [`PACKET_TYPE`].
    #[error("packet type {found} is unknown, only {PACKET_TYPE} is defined")]
    UnknownType {
        /// The type byte.
        found: u8,
    },
    /// The datagram is longer or shorter than its header says.
    #[error("header declares {declared} bytes of payload, the datagram carries {actual}")]
    LengthMismatch {
        /// The header's `payload_len`.
        declared: u16,
        /// Bytes after the header.
        actual: usize,
    },
    /// The payload is empty or longer than [`MAX_PAYLOAD`].
    #[error("payload of {len} bytes is outside 1..={MAX_PAYLOAD}")]
    PayloadSize {
        /// Bytes of payload.
        len: usize,
    },
}

/// A datagram was refused before its plaintext could be judged. The opener's state is as it was, but for a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not a well-formed packet.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A packet of another session.
    #[error("connection id {found:08x} is not this session's {expected:08x}")]
    ForeignConnection {
        /// The packet's connection id.
        found: u32,
        /// The session's connection id.
        expected: u32,
    },
    /// The direction bit says that the packet travels the other way: most likely one of our own, reflected.
    #[error("flags {flags:#04x} mark a packet of the opposite direction")]
    WrongDirection {
        /// The packet's flags.
        flags: u8,
    },
    /// The sequence number has been accepted before.
    #[error("sequence {sequence} was accepted before")]
    Replayed {
        /// The packet's sequence number.
        sequence: u32,
    },
    /// The sequence number lies behind the replay window, where nothing is known any more.
    #[error("sequence {sequence} is {WINDOW} or more behind the highest accepted, {highest}")]
    TooOld {
        /// The packet's sequence number.
        sequence: u32,
        /// The highest accepted sequence number.
        highest: u32,
    },
    /// The caller's buffer cannot hold the plaintext. Not counted: the packet is not to blame.
    #[error("output of {capacity} bytes cannot hold {needed} bytes of plaintext")]
    OutputTooSmall {
        /// Bytes of plaintext.
        needed: usize,
        /// Bytes of the buffer.
        capacity: usize,
    },
}

/// A plausible packet was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// Too far ahead of the stream to be believed alone. The packet is to be dropped; once enough plausible packets
    /// in a row ([`PACKETS_IN_A_ROW`](crate::PACKETS_IN_A_ROW)) continue from there, the window moves.
    #[error("sequence {sequence} is {ahead} ahead of the stream: held until {more_needed} more follow it")]
    Held {
        /// The packet's sequence number.
        sequence: u32,
        /// How far ahead of the highest accepted sequence number it is (of 0 where nothing was accepted yet).
        ahead: u32,
        /// Packets that have yet to follow.
        more_needed: u32,
    },
    /// Another candidate moved the window after this one was opened, and with it this one's number is taken or lost.
    #[error("sequence {sequence} was overtaken between open and accept")]
    Overtaken {
        /// The packet's sequence number.
        sequence: u32,
    },
    /// The candidate was opened by an opener of another session.
    #[error("candidate of connection {found:08x} given to the opener of {expected:08x}")]
    ForeignCandidate {
        /// The candidate's connection id.
        found: u32,
        /// The opener's connection id.
        expected: u32,
    },
}

/// A payload was not sealed. The sealer's state is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SealError {
    /// The payload is empty or longer than [`MAX_PAYLOAD`].
    #[error("payload of {len} bytes is outside 1..={MAX_PAYLOAD}")]
    PayloadSize {
        /// Bytes of payload.
        len: usize,
    },
    /// The caller's buffer cannot hold the packet.
    #[error("output of {capacity} bytes cannot hold a packet of {needed}")]
    OutputTooSmall {
        /// Bytes of the packet.
        needed: usize,
        /// Bytes of the buffer.
        capacity: usize,
    },
    /// Every sequence number has been used: the session needs a new key, which a new hello brings.
    #[error("all sequence numbers are used: start a session with a new key")]
    SequenceExhausted,
    /// Every downlink timestamp has been used: the session needs a new key, which a new hello brings.
    #[error("all timestamps are used: start a session with a new key")]
    TimestampExhausted,
}
