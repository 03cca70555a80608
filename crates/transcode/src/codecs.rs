//! What a job needs of an encoder and a decoder, whoever owns the instance.

use sidetone_host::{Error, PoolError};
use thiserror::Error as ThisError;

/// The instance did not do what was asked.
#[derive(Debug, Clone, ThisError)]
#[non_exhaustive]
pub enum Fault {
    /// One that the caller owns.
    #[error(transparent)]
    Instance(#[from] Error),
    /// One of a pool.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

/// An encoder in an instance of its own, for one stream.
pub trait Encode {
    /// Encodes one frame of interleaved PCM and returns the packet, and where the range coder ended.
    ///
    /// # Errors
    /// The guest refuses the frame, or failed.
    fn encode(&mut self, pcm: &[i16]) -> Result<(Vec<u8>, u32), Fault>;

    /// Samples a channel by which the coded audio lags behind.
    ///
    /// # Errors
    /// The guest failed.
    fn lookahead(&mut self) -> Result<u32, Fault>;
}

/// A decoder in an instance of its own, for one stream. `None`: the guest refuses what it was given, and is as before.
pub trait Decode {
    /// Decodes a packet to interleaved PCM.
    ///
    /// # Errors
    /// The guest failed.
    fn decode(&mut self, packet: &[u8]) -> Result<Option<Vec<i16>>, Fault>;

    /// The last `samples` a channel before `following`, from the redundancy in it.
    ///
    /// # Errors
    /// The guest failed.
    fn recover(&mut self, following: &[u8], samples: u32) -> Result<Option<Vec<i16>>, Fault>;

    /// Makes up `samples` a channel for a lost packet.
    ///
    /// # Errors
    /// The guest failed.
    fn conceal(&mut self, samples: u32) -> Result<Option<Vec<i16>>, Fault>;

    /// Where the range coder ended after the last packet.
    ///
    /// # Errors
    /// The guest failed.
    fn final_range(&mut self) -> Result<u32, Fault>;
}

impl Encode for sidetone_host::Encoder {
    fn encode(&mut self, pcm: &[i16]) -> Result<(Vec<u8>, u32), Fault> {
        let packet = Self::encode(self, pcm)?;
        Ok((packet, self.final_range()?))
    }

    fn lookahead(&mut self) -> Result<u32, Fault> {
        Ok(Self::lookahead(self)?)
    }
}

impl Decode for sidetone_host::Decoder {
    fn decode(&mut self, packet: &[u8]) -> Result<Option<Vec<i16>>, Fault> {
        survived(Self::decode(self, packet))
    }

    fn recover(&mut self, following: &[u8], samples: u32) -> Result<Option<Vec<i16>>, Fault> {
        survived(Self::recover(self, following, samples))
    }

    fn conceal(&mut self, samples: u32) -> Result<Option<Vec<i16>>, Fault> {
        survived(Self::conceal(self, samples))
    }

    fn final_range(&mut self) -> Result<u32, Fault> {
        Ok(Self::final_range(self)?)
    }
}

/// A packet that the guest refuses is damaged; a guest that failed is a fault of ours.
fn survived<T>(result: Result<T, Error>) -> Result<Option<T>, Fault> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_fatal() => Err(error.into()),
        Err(_) => Ok(None),
    }
}
