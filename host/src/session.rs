//! `interface session`: one device's voice stream, in an instance.

use crate::bindings::exports::sidetone::media::session as wit;
use crate::bounds::{datagram_fits, payload_fits};
use crate::{CodecError, ConfigError, Error, Instance, Key, OpenError, SendError};
use sidetone_session::{Config, Kind, Quality, State};
use wasmtime::component::ResourceAny;

pub use crate::bindings::exports::sidetone::media::session::Stats;

/// What came of one datagram. See [`sidetone_session::Received`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What it was.
    pub kind: Kind,
    /// Its sequence number.
    pub sequence: u32,
    /// Its timestamp, in ms, as the sender wrote it.
    pub timestamp: u32,
    /// Place of the first sample in the stream, in samples a channel, what was lost included.
    pub position: u64,
    /// Packets missing before this one.
    pub lost: u32,
    /// Of these: no audio.
    pub skipped: u32,
    /// Of these: made up, at the start of `samples`.
    pub concealed: u32,
    /// Of these: recovered, after what was made up.
    pub recovered: u32,
    /// Interleaved PCM: what fills the gap, then this packet's own.
    pub samples: Vec<i16>,
    /// The payload, where packets are to be passed on.
    pub payload: Vec<u8>,
}

/// A session in an instance of its own. Dropping it gives the slot back, whose memory is zeroed before it is used again.
#[derive(Debug)]
pub struct Session {
    instance: Instance,
    handle: ResourceAny,
}

impl Session {
    pub(crate) fn open(mut instance: Instance, key: &Key, config: &Config) -> Result<Self, Error> {
        let (key, config) = (key.to_wit(), wit::Config::from(config));
        let handle = instance
            .initialise(|guest, store| guest.sidetone_media_session().stream().call_open(store, key, config))?
            .map_err(ConfigError::from)?;
        Ok(Self { instance, handle })
    }

    /// Takes one datagram in.
    ///
    /// # Errors
    /// [`Error::Open`]: it was dropped, and the session is as it was, but for counters. A fatal error where the guest
    /// fails.
    pub fn receive(&mut self, datagram: &[u8]) -> Result<Received, Error> {
        datagram_fits(datagram)?;
        let handle = self.handle;
        let r = self
            .instance
            .operate(|guest, store| guest.sidetone_media_session().stream().call_receive(store, handle, datagram))?
            .map_err(OpenError::from)?;
        Ok(Received {
            kind: r.kind.into(),
            sequence: r.sequence,
            timestamp: r.timestamp,
            position: r.position,
            lost: r.lost,
            skipped: r.skipped,
            concealed: r.concealed,
            recovered: r.recovered,
            samples: r.samples,
            payload: r.payload,
        })
    }

    /// Takes interleaved PCM of any length and returns the datagrams that it filled. `timestamp` is in ms.
    ///
    /// # Errors
    /// [`Error::Send`]; a fatal error where the guest fails.
    pub fn send(&mut self, pcm: &[i16], timestamp: u32) -> Result<Vec<Vec<u8>>, Error> {
        let handle = self.handle;
        Ok(self
            .instance
            .operate(|guest, store| guest.sidetone_media_session().stream().call_send(store, handle, pcm, timestamp))?
            .map_err(SendError::from)?)
    }

    /// Ends a talk spurt: returns the datagrams of the tail, filled up with silence.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn flush(&mut self, timestamp: u32) -> Result<Vec<Vec<u8>>, Error> {
        let handle = self.handle;
        Ok(self
            .instance
            .operate(|guest, store| guest.sidetone_media_session().stream().call_flush(store, handle, timestamp))?
            .map_err(SendError::from)?)
    }

    /// Drops what waits to be sent: the speaker was interrupted.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn discard(&mut self) -> Result<(), Error> {
        let handle = self.handle;
        self.instance.operate(|guest, store| guest.sidetone_media_session().stream().call_discard(store, handle))
    }

    /// Seals a payload made elsewhere.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_payload(&mut self, payload: &[u8], timestamp: u32) -> Result<Vec<u8>, Error> {
        payload_fits(payload).map_err(SendError::from)?;
        let handle = self.handle;
        Ok(self
            .instance
            .operate(|guest, store| {
                guest.sidetone_media_session().stream().call_send_payload(store, handle, payload, timestamp)
            })?
            .map_err(SendError::from)?)
    }

    /// Takes a step of the quality ladder, from the next frame on.
    ///
    /// # Errors
    /// [`Error::Codec`]; a fatal error where the guest fails.
    pub fn set_quality(&mut self, quality: Quality) -> Result<(), Error> {
        let handle = self.handle;
        Ok(self
            .instance
            .operate(|guest, store| {
                guest.sidetone_media_session().stream().call_set_quality(store, handle, quality.into())
            })?
            .map_err(CodecError::from)?)
    }

    /// Counters.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn stats(&mut self) -> Result<Stats, Error> {
        let handle = self.handle;
        self.instance.operate(|guest, store| guest.sidetone_media_session().stream().call_stats(store, handle))
    }

    /// What must survive a restart.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn state(&mut self) -> Result<State, Error> {
        let handle = self.handle;
        let state =
            self.instance.operate(|guest, store| guest.sidetone_media_session().stream().call_state(store, handle))?;
        Ok(state.into())
    }

    /// The first 16 bytes of the last payload that could not be decoded.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn undecodable(&mut self) -> Result<Vec<u8>, Error> {
        let handle = self.handle;
        self.instance.operate(|guest, store| guest.sidetone_media_session().stream().call_undecodable(store, handle))
    }

    /// Closes the session inside its instance, which zeroises its keys, and hands the instance back.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn close(mut self) -> Result<Instance, Error> {
        let handle = self.handle;
        self.instance.operate(|_, store| handle.resource_drop(store))?;
        Ok(self.instance)
    }

    /// The instance the session lives in.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        &self.instance
    }
}
