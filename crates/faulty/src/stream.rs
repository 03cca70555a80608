//! `interface session`, with faults.

use crate::Faulty;
use crate::bindings::exports::sidetone::media::session as wit;
use crate::convert::key_bytes;
use crate::fault::{self, Spoil};
use alloc::vec::Vec;
use core::cell::RefCell;
use sidetone_session as ours;
use wit::{CodecError, Config, ConfigError, Key, OpenError, Quality, Received, SendError, State, Stats};

type Session = ours::Session<ours::Libopus>;

impl wit::Guest for Faulty {
    type Stream = Stream;
}

pub(crate) struct Stream(RefCell<Session>);

impl wit::GuestStream for Stream {
    fn open(key: Key, config: Config) -> Result<wit::Stream, ConfigError> {
        let config: ours::Config = config.try_into()?;
        fault::arm(config.connection_id);
        fault::on_open(config.resume != ours::State::START);
        Ok(wit::Stream::new(Self(RefCell::new(Session::new(&key_bytes(&key), &config)?))))
    }

    fn receive(&self, datagram: Vec<u8>) -> Result<Received, OpenError> {
        let spoil = fault::on_call();
        let mut received: Received = self.0.borrow_mut().receive(&datagram)?.into();
        if spoil == Spoil::Length {
            received.samples.resize(received.samples.len() + 1000, 0);
        }
        spoil.list(&mut received.samples);
        Ok(received)
    }

    fn send(&self, pcm: Vec<i16>, timestamp: u32) -> Result<Vec<Vec<u8>>, SendError> {
        let spoil = fault::on_call();
        let mut datagrams = Vec::new();
        self.0.borrow_mut().send(&pcm, timestamp, |datagram| datagrams.push(datagram.to_vec()))?;
        for datagram in &mut datagrams {
            match spoil {
                // A header that claims more than there is.
                Spoil::Length => datagram[2] = 0xff,
                // The first sequence number again.
                Spoil::Nonce => datagram[12..16].copy_from_slice(&[0, 0, 0, 1]),
                _ => spoil.list(datagram),
            }
        }
        spoil.lists(&mut datagrams);
        Ok(datagrams)
    }

    fn flush(&self, timestamp: u32) -> Result<Vec<Vec<u8>>, SendError> {
        let mut datagrams = Vec::new();
        self.0.borrow_mut().flush(timestamp, |datagram| datagrams.push(datagram.to_vec()))?;
        Ok(datagrams)
    }

    fn discard(&self) {
        self.0.borrow_mut().discard();
    }

    fn send_payload(&self, payload: Vec<u8>, timestamp: u32) -> Result<Vec<u8>, SendError> {
        let mut sealed = Vec::new();
        self.0.borrow_mut().send_payload(&payload, timestamp, |datagram| sealed.extend_from_slice(datagram))?;
        Ok(sealed)
    }

    fn set_quality(&self, quality: Quality) -> Result<(), CodecError> {
        match self.0.borrow_mut().set_quality(quality.into()) {
            Err(ours::SendError::Codec(error)) => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn quality(&self) -> Quality {
        self.0.borrow().quality().into()
    }

    fn stats(&self) -> Stats {
        self.0.borrow().stats().into()
    }

    fn state(&self) -> State {
        self.0.borrow().state().into()
    }

    fn undecodable(&self) -> Vec<u8> {
        self.0.borrow().undecodable().map_or_else(Vec::new, |start| start.prefix().to_vec())
    }
}
