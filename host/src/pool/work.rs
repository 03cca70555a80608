//! What a session can be asked to do, with where the answer goes.

use super::queue::Queued;
use super::reply::Answer;
use super::{PoolError, PoolSession, SessionStats};
use crate::{Key, Received};
use sidetone_session::{Config, Quality, State};

/// Datagrams that a call filled.
pub(crate) type Datagrams = Vec<Vec<u8>>;

pub(crate) enum Work {
    Open { key: Key, config: Config, session: PoolSession, answer: Answer<PoolSession> },
    Receive(Vec<u8>, Answer<Received>),
    Send(Vec<i16>, u32, Answer<Datagrams>),
    SendPayload(Vec<u8>, u32, Answer<Vec<u8>>),
    Flush(u32, Answer<Datagrams>),
    Discard(Answer<()>),
    Pin(Option<Quality>, Answer<()>),
    Stats(Answer<SessionStats>),
    State(Answer<State>),
    Close(Option<Answer<()>>),
}

impl Work {
    /// Ends the work with an error.
    pub(crate) fn refuse(self, error: PoolError) {
        // Whoever dropped the reply does not want to know.
        match self {
            Self::Open { answer, .. } => drop(answer.send(Err(error))),
            Self::Receive(_, answer) => drop(answer.send(Err(error))),
            Self::Send(_, _, answer) | Self::Flush(_, answer) => drop(answer.send(Err(error))),
            Self::SendPayload(_, _, answer) => drop(answer.send(Err(error))),
            Self::Discard(answer) | Self::Pin(_, answer) | Self::Close(Some(answer)) => drop(answer.send(Err(error))),
            Self::Stats(answer) => drop(answer.send(Err(error))),
            Self::State(answer) => drop(answer.send(Err(error))),
            Self::Close(None) => {}
        }
    }

    /// Audio of one moment: of no use when that has passed.
    pub(crate) const fn is_audio(&self) -> bool {
        matches!(self, Self::Receive(..) | Self::Send(..) | Self::SendPayload(..))
    }

    /// Audio, or the end of audio, that waits to be sent.
    pub(crate) const fn is_outgoing(&self) -> bool {
        matches!(self, Self::Send(..) | Self::SendPayload(..) | Self::Flush(..))
    }
}

impl Queued for Work {
    /// Opening and closing cannot be given up; all else is bounded.
    fn is_frame(&self) -> bool {
        !matches!(self, Self::Open { .. } | Self::Close(_))
    }
}
