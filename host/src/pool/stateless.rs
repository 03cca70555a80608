//! Short jobs on a pool that are no device session: an encoder or decoder by itself, single packets.

use super::codec::{PoolDecoder, PoolEncoder};
use super::handle::Handle;
use super::occupant::DecoderConfig;
use super::reply::Answer;
use super::session::Shape;
use super::work::{Opening, PacketWork, Work};
use super::worker::Worker;
use super::{Pool, PoolError, Reply};
use crate::{Candidate, EncoderConfig, Key};
use sidetone_opus::{Channels, SampleRate};
use sidetone_packet::Header;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

/// How long a job may wait, where the pool does not say otherwise: as long as a device's frame lasts.
const SHAPE: Shape = Shape { worth: [Duration::from_millis(60); 2], samples: 1, second: 1 };

impl Pool {
    /// Opens an encoder of a tenant, in an instance of its own on the least loaded worker. It counts as a session of the
    /// tenant, in its quota too; deadlines, restarts, shedding and metrics are those of sessions. A job may wait 60 ms
    /// before it is given up, or what [`Builder::max_wait`](super::Builder::max_wait) says.
    ///
    /// The reply's errors are those of [`open`](Self::open).
    pub fn encoder(&self, tenant: &str, config: EncoderConfig) -> Reply<PoolEncoder> {
        self.enter(tenant, SHAPE, |handle, answer| Opening::Encoder { config, encoder: PoolEncoder(handle), answer })
    }

    /// Opens a decoder of a tenant: as [`encoder`](Self::encoder).
    pub fn decoder(&self, tenant: &str, rate: SampleRate, channels: Channels) -> Reply<PoolDecoder> {
        let config = DecoderConfig { rate, channels };
        self.enter(tenant, SHAPE, |handle, answer| Opening::Decoder { config, decoder: PoolDecoder(handle), answer })
    }

    /// Seals one packet under a header of the caller's making; its `payload_len` is set from the payload. Never twice
    /// with the same key and header: **the caller answers for the nonce**, here nobody else does.
    ///
    /// The tenant's packets are sealed and opened in at most one instance a worker, which the first packet opens: it
    /// counts as a session of the tenant, keeps the schedules of the 64 keys used last, and is never another tenant's.
    /// It ends with the pool, or when the tenant is given another quota. Packets of one key are done in order, on one
    /// worker.
    ///
    /// The reply's errors: those of [`open`](Self::open); [`PoolError::Guest`] with
    /// [`Error::Seal`](crate::Error::Seal).
    pub fn seal(&self, tenant: &str, key: &Key, header: Header, payload: Vec<u8>) -> Reply<Vec<u8>> {
        self.packet(tenant, key, |key, answer| PacketWork::Seal(key, header, payload, answer))
    }

    /// Decrypts one packet: as [`seal`](Self::seal). No replay protection, and no judgement of the plaintext: this
    /// protocol has no authentication.
    ///
    /// The reply's errors: those of [`open`](Self::open); [`PoolError::Guest`] with
    /// [`Error::Open`](crate::Error::Open).
    pub fn open_packet(&self, tenant: &str, key: &Key, datagram: Vec<u8>) -> Reply<Candidate> {
        self.packet(tenant, key, |key, answer| PacketWork::Open(key, datagram, answer))
    }

    /// As [`seal`](Self::seal), on this thread where nothing else waits for the worker: see
    /// [`PoolSession::blocking_receive`](super::PoolSession::blocking_receive).
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    pub fn blocking_seal(
        &self,
        tenant: &str,
        key: &Key,
        header: Header,
        payload: Vec<u8>,
    ) -> Result<Vec<u8>, PoolError> {
        self.packet_here(tenant, key, |key, answer| PacketWork::Seal(key, header, payload, answer))
    }

    /// As [`open_packet`](Self::open_packet), on this thread where nothing else waits for the worker: see
    /// [`PoolSession::blocking_receive`](super::PoolSession::blocking_receive).
    ///
    /// # Errors
    /// As [`open_packet`](Self::open_packet).
    pub fn blocking_open_packet(&self, tenant: &str, key: &Key, datagram: Vec<u8>) -> Result<Candidate, PoolError> {
        self.packet_here(tenant, key, |key, answer| PacketWork::Open(key, datagram, answer))
    }

    /// Zeroises what [`seal`](Self::seal) and [`open_packet`](Self::open_packet) kept of a key.
    pub fn forget(&self, tenant: &str, key: &Key) -> Reply<()> {
        let forget = |answer| Work::Packet(PacketWork::Forget(key.clone(), answer));
        match self.tenant(tenant) {
            Ok(entry) => {
                let asked = entry.with_existing(self.worker_of(key).index, |handle| handle.submit(forget));
                asked.unwrap_or_else(|| Reply::known(Ok(())))
            }
            Err(error) => Reply::known(Err(error)),
        }
    }

    fn packet<T>(&self, tenant: &str, key: &Key, work: impl FnOnce(Key, Answer<T>) -> PacketWork) -> Reply<T> {
        let asked =
            self.with_packets(tenant, key, |handle| handle.submit(|answer| Work::Packet(work(key.clone(), answer))));
        asked.unwrap_or_else(|error| Reply::known(Err(error)))
    }

    fn packet_here<T>(
        &self,
        tenant: &str,
        key: &Key,
        work: impl FnOnce(Key, Answer<T>) -> PacketWork,
    ) -> Result<T, PoolError> {
        let here = |handle: &Handle| handle.submit_or_do(|answer| Work::Packet(work(key.clone(), answer)));
        let (errand, reply) = self.with_packets(tenant, key, here)?;
        if let Some(errand) = errand {
            errand.run();
        }
        reply.wait()
    }

    /// Does something with the instance that has a key's schedules, for one packet that the tenant's quota lets in.
    fn with_packets<T>(&self, tenant: &str, key: &Key, ask: impl FnOnce(&Handle) -> T) -> Result<T, PoolError> {
        let (entry, worker) = (self.tenant(tenant)?, self.worker_of(key));
        entry.tenant.admit(self.shared.clock.now(), 1)?;
        let first = || {
            self.place(&entry.tenant, worker, SHAPE, |handle| {
                (Work::Open(Opening::Packets(handle.meta.clone())), handle)
            })
        };
        entry.with(worker.index, first, ask)
    }

    /// The worker that has a key's schedules: the same for as long as the pool lives, and not to be told from outside.
    fn worker_of(&self, key: &Key) -> &Arc<Worker> {
        &self.workers[self.spread.hash_one(key.bytes()) as usize % self.workers.len()]
    }
}
