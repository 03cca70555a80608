//! A session like the real one, with faults in front of its calls.

use crate::fault::{self, Spoil};
use alloc::vec::Vec;
use real::{
    Codec, Config, ConfigError, Libopus, Quality, ReceiveError, Received, SendError, State, Stats, Undecodable,
};

/// See [`real::Session`], whose calls these are.
pub struct Session<C: Codec> {
    real: real::Session<C>,
    /// Samples that are not there.
    made_up: Vec<i16>,
}

impl Session<Libopus> {
    pub fn new(key: &[u8; 16], config: &Config) -> Result<Self, ConfigError> {
        fault::on_open(config.connection_id, config.resume != State::START);
        Ok(Self { real: real::Session::new(key, config)?, made_up: Vec::new() })
    }
}

impl<C: Codec> Session<C> {
    pub fn receive(&mut self, datagram: &[u8]) -> Result<Received<'_>, ReceiveError> {
        let spoil = fault::on_call();
        let mut received = self.real.receive(datagram)?;
        if spoil == Spoil::Length {
            self.made_up.resize(received.samples.len() + 1000, 0);
            received.samples = &self.made_up;
        }
        Ok(received)
    }

    pub fn send(&mut self, pcm: &[i16], timestamp_ms: u32, mut emit: impl FnMut(&[u8])) -> Result<u32, SendError> {
        let spoil = fault::on_call();
        self.real.send(pcm, timestamp_ms, |datagram| {
            let mut datagram = datagram.to_vec();
            match spoil {
                Spoil::Nothing => {}
                // A header that claims more than there is.
                Spoil::Length => datagram[2] = 0xff,
                // The first sequence number again.
                Spoil::Nonce => datagram[12..16].copy_from_slice(&[0, 0, 0, 1]),
            }
            emit(&datagram);
        })
    }

    pub fn flush(&mut self, timestamp_ms: u32, emit: impl FnMut(&[u8])) -> Result<u32, SendError> {
        self.real.flush(timestamp_ms, emit)
    }

    pub fn discard(&mut self) {
        self.real.discard();
    }

    pub fn send_payload(
        &mut self,
        payload: &[u8],
        timestamp_ms: u32,
        emit: impl FnMut(&[u8]),
    ) -> Result<(), SendError> {
        self.real.send_payload(payload, timestamp_ms, emit)
    }

    pub fn set_quality(&mut self, quality: Quality) -> Result<(), SendError> {
        self.real.set_quality(quality)
    }

    pub fn quality(&self) -> Quality {
        self.real.quality()
    }

    pub fn stats(&self) -> Stats {
        self.real.stats()
    }

    pub fn undecodable(&self) -> Option<Undecodable> {
        self.real.undecodable()
    }

    pub fn state(&self) -> State {
        self.real.state()
    }
}
