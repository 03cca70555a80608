//! What a session, codec or packet cache can be asked to do, with where the answer goes.

use super::codec::{PoolDecoder, PoolEncoder};
use super::occupant::DecoderConfig;
use super::queue::Queued;
use super::reply::Answer;
use super::session::Meta;
use super::{PoolError, PoolSession, SessionStats};
use crate::{Candidate, EncoderConfig, Key, Received};
use sidetone_packet::Header;
use sidetone_session::{Config, Quality, State};
use std::sync::Arc;

/// Datagrams that a call filled.
pub(crate) type Datagrams = Vec<Vec<u8>>;

pub(crate) enum Work {
    Open(Opening),
    Stream(StreamWork),
    Encode(EncodeWork),
    Decode(DecodeWork),
    Packet(PacketWork),
    Close(Option<Answer<()>>),
}

/// The first work of a lane.
pub(crate) enum Opening {
    Session {
        key: Key,
        config: Config,
        session: PoolSession,
        answer: Answer<PoolSession>,
    },
    Encoder {
        config: EncoderConfig,
        encoder: PoolEncoder,
        answer: Answer<PoolEncoder>,
    },
    Decoder {
        config: DecoderConfig,
        decoder: PoolDecoder,
        answer: Answer<PoolDecoder>,
    },
    /// Nobody waits for it: the first packet opens its instance.
    Packets(Arc<Meta>),
}

pub(crate) enum StreamWork {
    Receive(Vec<u8>, Answer<Received>),
    Send(Vec<i16>, u32, Answer<Datagrams>),
    SendPayload(Vec<u8>, u32, Answer<Vec<u8>>),
    Flush(u32, Answer<Datagrams>),
    Discard(Answer<()>),
    Pin(Option<Quality>, Answer<()>),
    Stats(Answer<SessionStats>),
    State(Answer<State>),
}

pub(crate) enum EncodeWork {
    Encode(Vec<i16>, Answer<Vec<u8>>),
    WithRange(Vec<i16>, Answer<(Vec<u8>, u32)>),
    Lookahead(Answer<u32>),
}

pub(crate) enum DecodeWork {
    Decode(Vec<u8>, Answer<Vec<i16>>),
    Recover(Vec<u8>, u32, Answer<Vec<i16>>),
    Conceal(u32, Answer<Vec<i16>>),
    FinalRange(Answer<u32>),
}

pub(crate) enum PacketWork {
    Seal(Key, Header, Vec<u8>, Answer<Vec<u8>>),
    Open(Key, Vec<u8>, Answer<Candidate>),
    Forget(Key, Answer<()>),
}

/// Tells whoever waits. One who dropped the reply does not want to know.
fn refuse<T>(answer: Answer<T>, error: PoolError) {
    drop(answer.send(Err(error)));
}

impl Work {
    /// Ends the work with an error.
    pub(crate) fn refuse(self, error: PoolError) {
        match self {
            Self::Open(Opening::Session { answer, .. }) => refuse(answer, error),
            Self::Open(Opening::Encoder { answer, .. }) => refuse(answer, error),
            Self::Open(Opening::Decoder { answer, .. }) => refuse(answer, error),
            Self::Stream(work) => work.refuse(error),
            Self::Encode(work) => work.refuse(error),
            Self::Decode(work) => work.refuse(error),
            Self::Packet(work) => work.refuse(error),
            Self::Close(Some(answer)) => refuse(answer, error),
            Self::Open(Opening::Packets(_)) | Self::Close(None) => {}
        }
    }

    /// Audio of one moment: of no use when that has passed.
    pub(crate) const fn is_audio(&self) -> bool {
        match self {
            Self::Stream(work) => work.is_audio(),
            Self::Encode(work) => !matches!(work, EncodeWork::Lookahead(_)),
            Self::Decode(work) => !matches!(work, DecodeWork::FinalRange(_)),
            Self::Packet(work) => !matches!(work, PacketWork::Forget(..)),
            Self::Open(_) | Self::Close(_) => false,
        }
    }

    /// Audio that came in, and not audio to be sent.
    pub(crate) const fn is_incoming(&self) -> bool {
        matches!(self, Self::Stream(StreamWork::Receive(..)) | Self::Decode(_))
    }

    /// Audio, or the end of audio, that waits to be sent.
    pub(crate) const fn is_outgoing(&self) -> bool {
        matches!(self, Self::Stream(StreamWork::Send(..) | StreamWork::SendPayload(..) | StreamWork::Flush(..)))
    }
}

impl StreamWork {
    pub(crate) const fn is_audio(&self) -> bool {
        matches!(self, Self::Receive(..) | Self::Send(..) | Self::SendPayload(..))
    }

    fn refuse(self, error: PoolError) {
        match self {
            Self::Receive(_, answer) => refuse(answer, error),
            Self::Send(_, _, answer) | Self::Flush(_, answer) => refuse(answer, error),
            Self::SendPayload(_, _, answer) => refuse(answer, error),
            Self::Discard(answer) | Self::Pin(_, answer) => refuse(answer, error),
            Self::Stats(answer) => refuse(answer, error),
            Self::State(answer) => refuse(answer, error),
        }
    }
}

impl EncodeWork {
    fn refuse(self, error: PoolError) {
        match self {
            Self::Encode(_, answer) => refuse(answer, error),
            Self::WithRange(_, answer) => refuse(answer, error),
            Self::Lookahead(answer) => refuse(answer, error),
        }
    }
}

impl DecodeWork {
    fn refuse(self, error: PoolError) {
        match self {
            Self::Decode(_, answer) | Self::Recover(_, _, answer) | Self::Conceal(_, answer) => refuse(answer, error),
            Self::FinalRange(answer) => refuse(answer, error),
        }
    }
}

impl PacketWork {
    fn refuse(self, error: PoolError) {
        match self {
            Self::Seal(.., answer) => refuse(answer, error),
            Self::Open(.., answer) => refuse(answer, error),
            Self::Forget(_, answer) => refuse(answer, error),
        }
    }
}

impl Queued for Work {
    /// Opening and closing cannot be given up; all else is bounded.
    fn is_frame(&self) -> bool {
        !matches!(self, Self::Open(_) | Self::Close(_))
    }
}
