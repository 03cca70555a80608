//! `interface packet`.

use crate::Component;
use crate::bindings::exports::sidetone::media::packet as wit;
use crate::convert::key_bytes;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::num::NonZeroUsize;
use sidetone_packet as packet;
use sidetone_packet::{HEADER_LEN, MAX_PAYLOAD, ScheduleCache, wipe_stack};
use wit::{Accepted, CacheStats, Candidate, Direction, Header, Key, OpenError, OpenedState, SealError, SealedState};

/// The key-schedule cache behind the stateless functions. An instance has one thread.
struct Shared(RefCell<Option<ScheduleCache>>);

// SAFETY: wasm32-unknown-unknown without atomics: nobody else can be here.
#[allow(unsafe_code, reason = "a static must be Sync")]
unsafe impl Sync for Shared {}

static CACHE: Shared = Shared(RefCell::new(None));

fn with_cache<T>(call: impl FnOnce(&mut ScheduleCache) -> T) -> T {
    let result = call(CACHE.0.borrow_mut().get_or_insert_default());
    wipe_stack::<4>();
    result
}

impl wit::Guest for Component {
    type Sealer = Sealer;
    type Opener = Opener;

    fn seal(key: Key, header: Header, payload: Vec<u8>) -> Result<Vec<u8>, SealError> {
        let mut out = vec![0; HEADER_LEN + payload.len()];
        let header = packet::Header { payload_len: payload.len() as u16, ..header.into() };
        with_cache(|cache| packet::seal_with(cache.for_sealing(&key_bytes(&key)), &header, &payload, &mut out))?;
        Ok(out)
    }

    fn open(key: Key, datagram: Vec<u8>) -> Result<Candidate, OpenError> {
        let mut payload = vec![0; datagram.len().min(MAX_PAYLOAD)];
        let header =
            with_cache(|cache| packet::open_with(cache.for_opening(&key_bytes(&key)), &datagram, &mut payload))?;
        payload.truncate(header.payload_len.into());
        Ok(Candidate { header: header.into(), payload })
    }

    fn set_cache_capacity(capacity: u32) {
        let capacity = NonZeroUsize::new(capacity as usize).unwrap_or(NonZeroUsize::MIN);
        *CACHE.0.borrow_mut() = Some(ScheduleCache::with_capacity(capacity));
    }

    fn forget(key: Key) {
        with_cache(|cache| cache.forget(&key_bytes(&key)));
    }

    fn cache() -> (CacheStats, CacheStats) {
        let stats = |c: packet::CacheCounters| CacheStats { hits: c.hits, misses: c.misses, evictions: c.evictions };
        with_cache(|cache| (stats(cache.sealing_counters()), stats(cache.opening_counters())))
    }
}

pub(crate) struct Sealer(RefCell<packet::Sealer>);

impl wit::GuestSealer for Sealer {
    fn new(key: Key, connection_id: u32, direction: Direction) -> Self {
        let sealer = packet::Sealer::new(&key_bytes(&key), connection_id, direction.into());
        wipe_stack::<4>();
        Self(RefCell::new(sealer))
    }

    fn seal(&self, timestamp: u32, payload: Vec<u8>) -> Result<Vec<u8>, SealError> {
        let mut out = vec![0; HEADER_LEN + payload.len()];
        self.0.borrow_mut().seal(timestamp, &payload, &mut out)?;
        Ok(out)
    }

    fn state(&self) -> SealedState {
        self.0.borrow().state().into()
    }

    fn restore(&self, state: SealedState) {
        self.0.borrow_mut().restore(state.into());
    }
}

pub(crate) struct Opener(RefCell<(packet::Opener, Option<packet::Candidate>)>);

impl wit::GuestOpener for Opener {
    fn new(key: Key, connection_id: u32, direction: Direction) -> Self {
        let opener =
            packet::Opener::new(&key_bytes(&key), connection_id, direction.into(), packet::OpenerConfig::default());
        wipe_stack::<4>();
        Self(RefCell::new((opener, None)))
    }

    fn open(&self, datagram: Vec<u8>) -> Result<Candidate, OpenError> {
        self.reject();
        let (opener, waiting) = &mut *self.0.borrow_mut();
        let mut payload = vec![0; datagram.len().min(MAX_PAYLOAD)];
        let candidate = opener.open(&datagram, &mut payload)?;
        payload.truncate(candidate.payload_len());
        let header = (*candidate.header()).into();
        *waiting = Some(candidate);
        Ok(Candidate { header, payload })
    }

    fn accept(&self, sequence: u32) -> Result<Accepted, OpenError> {
        let (opener, waiting) = &mut *self.0.borrow_mut();
        let candidate = waiting
            .take_if(|candidate| candidate.header().sequence == sequence)
            .ok_or(OpenError::NoCandidate(sequence))?;
        let accepted = opener.accept(candidate)?;
        Ok(Accepted {
            gap: accepted.gap,
            late: accepted.late,
            keystream_overlap: accepted.keystream_overlap,
            resynchronised: accepted.resynchronised,
        })
    }

    fn reject(&self) {
        let (opener, waiting) = &mut *self.0.borrow_mut();
        if let Some(candidate) = waiting.take() {
            // The candidate is this opener's own: it cannot be refused.
            let _ = opener.reject(candidate);
        }
    }

    fn state(&self) -> OpenedState {
        self.0.borrow().0.state().into()
    }

    fn restore(&self, state: OpenedState) {
        self.0.borrow_mut().0.restore(state.into());
    }
}
