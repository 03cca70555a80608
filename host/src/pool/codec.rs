//! An encoder or decoder of a pool by itself, as its owner holds it: for jobs that are no device session.

use super::handle::{Handle, show};
use super::reply::Reply;
use super::work::{DecodeWork, EncodeWork, Work};
use super::{PoolError, SessionId};
use std::fmt;

/// An encoder in an instance of its own on one worker of a pool: a stream's frames never spread over several codecs.
///
/// Works as a [`PoolSession`](super::PoolSession) does: every method queues its work at once, in the order of the calls;
/// what fails is opened again with the same settings, and says so with
/// [`PoolError::Restarted`](super::PoolError::Restarted). What is gone then is the codec's memory of the frames before.
/// Dropping it closes it. The quality ladder leaves it alone.
pub struct PoolEncoder(pub(crate) Handle);

impl PoolEncoder {
    /// Encodes one frame of interleaved PCM (2.5 to 120 ms) and returns the packet.
    pub fn encode(&self, pcm: Vec<i16>) -> Reply<Vec<u8>> {
        self.0.frame(|answer| Work::Encode(EncodeWork::Encode(pcm, answer)))
    }

    /// The same, on this thread where nothing else waits for its worker: see
    /// [`PoolSession::blocking_receive`](super::PoolSession::blocking_receive).
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn blocking_encode(&self, pcm: Vec<i16>) -> Result<Vec<u8>, PoolError> {
        self.0.call(|answer| Work::Encode(EncodeWork::Encode(pcm, answer)))
    }

    /// As [`encode`](Self::encode), with the state of the range coder after it: what a right decoder ends in, too.
    pub fn encode_with_range(&self, pcm: Vec<i16>) -> Reply<(Vec<u8>, u32)> {
        self.0.frame(|answer| Work::Encode(EncodeWork::WithRange(pcm, answer)))
    }

    /// Samples a channel by which the coded audio lags behind.
    pub fn lookahead(&self) -> Reply<u32> {
        self.0.submit(|answer| Work::Encode(EncodeWork::Lookahead(answer)))
    }

    /// Closes it once what is queued was done; the reply comes when the slot is free.
    pub fn close(self) -> Reply<()> {
        self.0.close()
    }

    /// Its number in the pool.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.0.meta.id
    }

    /// The worker it lives on.
    #[must_use]
    pub fn worker(&self) -> usize {
        self.0.worker.index
    }
}

impl fmt::Debug for PoolEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "PoolEncoder", &self.0)
    }
}

/// A decoder in an instance of its own on one worker of a pool. See [`PoolEncoder`].
pub struct PoolDecoder(pub(crate) Handle);

impl PoolDecoder {
    /// Decodes a packet to interleaved PCM.
    pub fn decode(&self, packet: Vec<u8>) -> Reply<Vec<i16>> {
        self.0.frame(|answer| Work::Decode(DecodeWork::Decode(packet, answer)))
    }

    /// The same, on this thread where nothing else waits for its worker: see
    /// [`PoolSession::blocking_receive`](super::PoolSession::blocking_receive).
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn blocking_decode(&self, packet: Vec<u8>) -> Result<Vec<i16>, PoolError> {
        self.0.call(|answer| Work::Decode(DecodeWork::Decode(packet, answer)))
    }

    /// Recovers the last `samples` a channel before `following` from the redundancy in it, as far as that goes.
    pub fn recover(&self, following: Vec<u8>, samples: u32) -> Reply<Vec<i16>> {
        self.0.frame(|answer| Work::Decode(DecodeWork::Recover(following, samples, answer)))
    }

    /// Makes up `samples` a channel for a lost packet.
    pub fn conceal(&self, samples: u32) -> Reply<Vec<i16>> {
        self.0.frame(|answer| Work::Decode(DecodeWork::Conceal(samples, answer)))
    }

    /// State of the range coder after the last packet: equal to the encoder's.
    pub fn final_range(&self) -> Reply<u32> {
        self.0.submit(|answer| Work::Decode(DecodeWork::FinalRange(answer)))
    }

    /// Closes it once what is queued was done; the reply comes when the slot is free.
    pub fn close(self) -> Reply<()> {
        self.0.close()
    }

    /// Its number in the pool.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.0.meta.id
    }

    /// The worker it lives on.
    #[must_use]
    pub fn worker(&self) -> usize {
        self.0.worker.index
    }
}

impl fmt::Debug for PoolDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "PoolDecoder", &self.0)
    }
}
