//! `interface packet`, with faults in the stateless functions.

use crate::bindings::exports::sidetone::media::packet as wit;
use crate::fault::{self, Spoil};
use crate::{Component, Faulty, packet};
use alloc::vec::Vec;
use wit::{CacheStats, Candidate, Header, Key, OpenError, SealError};

fn on_key(key: &Key) -> Spoil {
    let start = (key.high >> 32) as u32;
    if start >> 16 != 0xfa17 {
        return Spoil::Nothing;
    }
    fault::arm(start);
    fault::on_call()
}

impl wit::Guest for Faulty {
    type Sealer = packet::Sealer;
    type Opener = packet::Opener;

    fn seal(key: Key, header: Header, payload: Vec<u8>) -> Result<Vec<u8>, SealError> {
        let spoil = on_key(&key);
        let mut datagram = <Component as wit::Guest>::seal(key, header, payload)?;
        match spoil {
            Spoil::Length => drop(datagram.pop()),
            Spoil::Nonce => datagram[15] ^= 1,
            _ => spoil.list(&mut datagram),
        }
        Ok(datagram)
    }

    fn open(key: Key, datagram: Vec<u8>) -> Result<Candidate, OpenError> {
        let spoil = on_key(&key);
        let mut candidate = <Component as wit::Guest>::open(key, datagram)?;
        match spoil {
            Spoil::Length => candidate.payload.push(0),
            Spoil::Nonce => candidate.header.sequence ^= 1,
            _ => spoil.list(&mut candidate.payload),
        }
        Ok(candidate)
    }

    fn set_cache_capacity(capacity: u32) {
        <Component as wit::Guest>::set_cache_capacity(capacity);
    }

    fn forget(key: Key) {
        <Component as wit::Guest>::forget(key);
    }

    fn cache() -> (CacheStats, CacheStats) {
        <Component as wit::Guest>::cache()
    }
}
