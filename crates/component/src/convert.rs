//! Between the types of the WIT files and those of the crates: same names, same values.

use crate::bindings::exports::sidetone::media::{codec as wc, session as ws, types as wt};
use sidetone_opus as opus;
use sidetone_packet as packet;
use sidetone_session as session;
use zeroize::Zeroizing;

/// Enums and records whose variants and fields have the same names on both sides.
macro_rules! same_enum {
    ($($wit:ty => $ours:ty { $($variant:ident),* })*) => {
        $(impl From<$wit> for $ours {
            fn from(value: $wit) -> Self {
                match value { $(<$wit>::$variant => Self::$variant,)* }
            }
        }
        impl From<$ours> for $wit {
            fn from(value: $ours) -> Self {
                match value { $(<$ours>::$variant => Self::$variant,)* }
            }
        })*
    };
}

same_enum! {
    wt::Application => opus::Application { Voip, Audio, LowDelay }
    wt::Bandwidth => opus::Bandwidth { Narrow, Medium, Wide, SuperWide, Full }
    wt::Signal => opus::Signal { Auto, Voice, Music }
    wt::Split => opus::Split { Auto, Never, Always }
    wt::Direction => packet::Direction { Uplink, Downlink }
    wc::Mode => opus::packet::Mode { Silk, Hybrid, Celt }
    ws::Role => session::Role { Gateway, Device }
    ws::Payload => session::Payload { Opus, Pcm }
    ws::Delivery => session::Delivery { Pcm, Packets }
    ws::Timestamps => session::Timestamps { Elapsed, Zero }
    ws::Quality => session::Quality { Minimal, Medium, Full }
    ws::Kind => session::Kind { Audio, Undecodable, Late, Text }
}

impl From<wt::Bitrate> for opus::Bitrate {
    fn from(value: wt::Bitrate) -> Self {
        match value {
            wt::Bitrate::Auto => Self::Auto,
            wt::Bitrate::Max => Self::Max,
            wt::Bitrate::BitsPerSecond(bits) => Self::BitsPerSecond(bits),
        }
    }
}

impl From<opus::Error> for wt::CodecError {
    fn from(error: opus::Error) -> Self {
        match error {
            opus::Error::SampleRate(hz) => Self::SampleRate(hz),
            opus::Error::Channels(count) => Self::Channels(count),
            opus::Error::FrameDuration(micros) => Self::FrameDuration(micros),
            opus::Error::FrameLength { samples, .. } => Self::FrameLength(samples as u32),
            opus::Error::Bitrate(bits) => Self::Bitrate(bits),
            opus::Error::Complexity(value) => Self::Complexity(value),
            opus::Error::Loss(percent) => Self::ExpectedLoss(percent),
            opus::Error::OutputTooSmall { need, .. } => Self::TooSmall(need as u32),
            opus::Error::Packet(_) => Self::NotOpus,
            opus::Error::Undecodable => Self::Undecodable,
            opus::Error::NoMemory => Self::NoMemory,
            opus::Error::Internal(code) => Self::Internal(code),
            _ => Self::Internal(0),
        }
    }
}

/// The 16 bytes of a key, zeroised when dropped: the outermost frame of a call is where no wipe of the stack reaches.
pub(crate) fn key_bytes(key: &wt::Key) -> Zeroizing<[u8; packet::KEY_LEN]> {
    let mut bytes = Zeroizing::new([0; packet::KEY_LEN]);
    bytes[..8].copy_from_slice(&key.high.to_be_bytes());
    bytes[8..].copy_from_slice(&key.low.to_be_bytes());
    bytes
}

impl From<packet::Header> for wt::Header {
    fn from(h: packet::Header) -> Self {
        let packet::Header { flags, payload_len, connection_id, timestamp, sequence } = h;
        Self { flags, payload_len, connection_id, timestamp, sequence }
    }
}

impl From<wt::Header> for packet::Header {
    fn from(h: wt::Header) -> Self {
        let wt::Header { flags, payload_len, connection_id, timestamp, sequence } = h;
        Self { flags, payload_len, connection_id, timestamp, sequence }
    }
}

impl From<packet::SealError> for wt::SealError {
    fn from(error: packet::SealError) -> Self {
        match error {
            packet::SealError::TimestampExhausted => Self::TimestampExhausted,
            packet::SealError::PayloadSize { len } => Self::PayloadSize(len as u32),
            packet::SealError::OutputTooSmall { needed, .. } => Self::PayloadSize(needed as u32),
            _ => Self::SequenceExhausted,
        }
    }
}

impl From<packet::OpenError> for wt::OpenError {
    fn from(error: packet::OpenError) -> Self {
        use packet::{HeaderError, OpenError};
        match error {
            OpenError::Header(HeaderError::Truncated { len }) => Self::Truncated(len as u32),
            OpenError::Header(HeaderError::UnknownType { found }) => Self::UnknownType(found),
            OpenError::Header(HeaderError::LengthMismatch { declared, actual }) => {
                Self::LengthMismatch((declared, actual as u32))
            }
            OpenError::Header(HeaderError::PayloadSize { len }) => Self::PayloadSize(len as u32),
            OpenError::ForeignConnection { found, .. } => Self::ForeignConnection(found),
            OpenError::WrongDirection { flags } => Self::WrongDirection(flags),
            OpenError::Replayed { sequence } => Self::Replayed(sequence),
            OpenError::TooOld { sequence, .. } => Self::TooOld(sequence),
            OpenError::OutputTooSmall { needed, .. } => Self::PayloadSize(needed as u32),
            _ => Self::Truncated(0),
        }
    }
}

impl From<packet::AcceptError> for wt::OpenError {
    fn from(error: packet::AcceptError) -> Self {
        match error {
            packet::AcceptError::Held { sequence, .. } => Self::Held(sequence),
            packet::AcceptError::Overtaken { sequence } => Self::Overtaken(sequence),
            packet::AcceptError::ForeignCandidate { found, .. } => Self::ForeignConnection(found),
            _ => Self::NoCandidate(0),
        }
    }
}

impl From<packet::SealerState> for wt::SealedState {
    fn from(s: packet::SealerState) -> Self {
        Self { next_sequence: s.next_sequence, last_timestamp: s.last_timestamp }
    }
}

impl From<wt::SealedState> for packet::SealerState {
    fn from(s: wt::SealedState) -> Self {
        Self { next_sequence: s.next_sequence, last_timestamp: s.last_timestamp }
    }
}

impl From<packet::OpenerState> for wt::OpenedState {
    fn from(s: packet::OpenerState) -> Self {
        Self { highest: s.highest, window_high: (s.window >> 64) as u64, window_low: s.window as u64 }
    }
}

impl From<wt::OpenedState> for packet::OpenerState {
    fn from(s: wt::OpenedState) -> Self {
        Self { highest: s.highest, window: u128::from(s.window_high) << 64 | u128::from(s.window_low) }
    }
}
