//! `interface packet`: the packet crypto by itself, in an instance.

use crate::bindings::exports::sidetone::media::{packet as wp, types as wt};
use crate::bounds::{datagram_fits, payload_fits};
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

impl From<wp::Candidate> for Candidate {
    fn from(candidate: wp::Candidate) -> Self {
        let wt::Header { flags, payload_len, connection_id, timestamp, sequence } = candidate.header;
        let header = Header { flags, payload_len, connection_id, timestamp, sequence };
        Self { header, payload: candidate.payload }
    }
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
        payload_fits(payload)?;
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
        datagram_fits(datagram)?;
        let handle = self.handle;
        let candidate = self
            .instance
            .operate(|guest, store| guest.sidetone_media_packet().opener().call_open(store, handle, datagram))?
            .map_err(OpenError::from)?;
        Ok(candidate.into())
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

/// The stateless functions, with the key schedules that were used last, in an instance of its own. Whoever shares one
/// shares an instance, and so a memory, in which keys lie: keep to one tenant.
#[derive(Debug)]
pub struct Packets {
    instance: Instance,
}

impl Packets {
    /// Takes `instance`, which keeps the schedules of at most `keys` keys for each direction (0 counts as 1).
    ///
    /// # Errors
    /// Fatal ones.
    pub fn open(mut instance: Instance, keys: u32) -> Result<Self, Error> {
        instance.initialise(|guest, store| guest.sidetone_media_packet().call_set_cache_capacity(store, keys))?;
        Ok(Self { instance })
    }

    /// Seals one packet under a header of the caller's making; its `payload_len` is set from the payload. Never twice
    /// with the same key and header: the caller answers for the nonce.
    ///
    /// # Errors
    /// [`Error::Seal`]; a fatal error where the guest fails.
    pub fn seal(&mut self, key: &Key, header: &Header, payload: &[u8]) -> Result<Vec<u8>, Error> {
        payload_fits(payload)?;
        let (key, header) = (key.to_wit(), to_wit(header));
        Ok(self
            .instance
            .operate(|guest, store| guest.sidetone_media_packet().call_seal(store, key, header, payload))?
            .map_err(SealError::from)?)
    }

    /// Decrypts one packet. No replay protection, and no judgement of the plaintext.
    ///
    /// # Errors
    /// [`Error::Open`]; a fatal error where the guest fails.
    pub fn decrypt(&mut self, key: &Key, datagram: &[u8]) -> Result<Candidate, Error> {
        datagram_fits(datagram)?;
        let key = key.to_wit();
        let candidate = self
            .instance
            .operate(|guest, store| guest.sidetone_media_packet().call_open(store, key, datagram))?
            .map_err(OpenError::from)?;
        Ok(candidate.into())
    }

    /// Zeroises the schedules of a key, where they are kept.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn forget(&mut self, key: &Key) -> Result<(), Error> {
        let key = key.to_wit();
        self.instance.operate(|guest, store| guest.sidetone_media_packet().call_forget(store, key))
    }

    /// Key schedules found and made since the start, of sealing and of opening.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn cache(&mut self) -> Result<[CacheCounts; 2], Error> {
        let counts = |stats: wp::CacheStats| CacheCounts { hits: stats.hits, misses: stats.misses };
        let (sealing, opening) =
            self.instance.operate(|guest, store| guest.sidetone_media_packet().call_cache(store))?;
        Ok([counts(sealing), counts(opening)])
    }

    /// The instance.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        &self.instance
    }
}

/// What a cache of key schedules found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheCounts {
    /// Schedules that were there.
    pub hits: u64,
    /// Schedules that had to be made.
    pub misses: u64,
}

fn to_wit(header: &Header) -> wt::Header {
    let Header { flags, payload_len, connection_id, timestamp, sequence } = *header;
    wt::Header { flags, payload_len, connection_id, timestamp, sequence }
}
