//! `interface packet`: the packet crypto by itself, in an instance.

use crate::bindings::exports::sidetone::media::types as wt;
use crate::{Error, Instance, Key, OpenError, SealError};
use sidetone_packet::{Direction, Header};
use wasmtime::component::ResourceAny;

/// A datagram that was decrypted and waits for a judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its header.
    pub header: Header,
    /// Its plaintext.
    pub payload: Vec<u8>,
}

/// Seals one direction of one session, in an instance of its own.
#[derive(Debug)]
pub struct Sealer {
    instance: Instance,
    handle: ResourceAny,
}

impl Sealer {
    /// Opens a sealer in `instance`.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn open(mut instance: Instance, key: &Key, connection_id: u32, direction: Direction) -> Result<Self, Error> {
        let key = key.to_wit();
        let handle = instance.initialise(|guest, store| {
            guest.sidetone_media_packet().sealer().call_constructor(store, key, connection_id, direction.into())
        })?;
        Ok(Self { instance, handle })
    }

    /// Header and ciphertext of the session's next packet.
    ///
    /// # Errors
    /// [`Error::Seal`]; a fatal error where the guest fails.
    pub fn seal(&mut self, timestamp: u32, payload: &[u8]) -> Result<Vec<u8>, Error> {
        let handle = self.handle;
        Ok(self
            .instance
            .operate(|guest, store| {
                guest.sidetone_media_packet().sealer().call_seal(store, handle, timestamp, payload)
            })?
            .map_err(SealError::from)?)
    }
}

/// Opens one direction of one session, in an instance of its own.
#[derive(Debug)]
pub struct Opener {
    instance: Instance,
    handle: ResourceAny,
}

impl Opener {
    /// Opens an opener in `instance`.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn open(mut instance: Instance, key: &Key, connection_id: u32, direction: Direction) -> Result<Self, Error> {
        let key = key.to_wit();
        let handle = instance.initialise(|guest, store| {
            guest.sidetone_media_packet().opener().call_constructor(store, key, connection_id, direction.into())
        })?;
        Ok(Self { instance, handle })
    }

    /// Checks and decrypts a datagram. The replay window moves when it is [accepted](Self::accept).
    ///
    /// # Errors
    /// [`Error::Open`]; a fatal error where the guest fails.
    pub fn decrypt(&mut self, datagram: &[u8]) -> Result<Candidate, Error> {
        let handle = self.handle;
        let candidate = self
            .instance
            .operate(|guest, store| guest.sidetone_media_packet().opener().call_open(store, handle, datagram))?
            .map_err(OpenError::from)?;
        let wt::Header { flags, payload_len, connection_id, timestamp, sequence } = candidate.header;
        let header = Header { flags, payload_len, connection_id, timestamp, sequence };
        Ok(Candidate { header, payload: candidate.payload })
    }

    /// The candidate of this sequence number is plausible: the replay window moves. Returns how many packets are
    /// missing before it.
    ///
    /// # Errors
    /// [`Error::Open`]; a fatal error where the guest fails.
    pub fn accept(&mut self, sequence: u32) -> Result<u32, Error> {
        let handle = self.handle;
        let accepted = self
            .instance
            .operate(|guest, store| guest.sidetone_media_packet().opener().call_accept(store, handle, sequence))?
            .map_err(OpenError::from)?;
        Ok(accepted.gap)
    }
}
