//! Encoders and decoders of a pool for one job: each in a fresh instance, within its tenant's quota. What the quota
//! refuses now is asked again a little later; what fails ends the job.

use crate::{Problem, Stop};
use sidetone_host::pool::{Refusal, Reply};
use sidetone_host::{EncoderConfig, Pool, PoolDecoder, PoolEncoder, PoolError};
use sidetone_opus::{Channels, SampleRate};
use sidetone_transcode::{Decode, Encode, Fault};
use std::time::Duration;

/// How long to wait before a refused call is made again.
const AGAIN: Duration = Duration::from_millis(10);

/// What a job has of a pool.
pub(crate) struct Codecs<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) tenant: &'a str,
    pub(crate) stop: &'a Stop,
}

impl Codecs<'_> {
    pub(crate) fn encoder(&self, config: &EncoderConfig) -> Result<Encoder<'_>, Problem> {
        let open = || self.pool.encoder(self.tenant, *config);
        self.open(open).map(|encoder| Encoder { encoder, stop: self.stop })
    }

    pub(crate) fn decoder(&self, rate: SampleRate, channels: Channels) -> Result<Decoder<'_>, Problem> {
        let open = || self.pool.decoder(self.tenant, rate, channels);
        self.open(open).map(|decoder| Decoder { decoder, stop: self.stop })
    }

    fn open<T>(&self, open: impl FnMut() -> Reply<T>) -> Result<T, Problem> {
        match patiently(self.stop, open) {
            Err(PoolError::UnknownTenant(name)) => {
                Err(Problem::give_back(format!("this worker knows no tenant {name:?}; start it with --tenant {name}")))
            }
            result => {
                self.stop.check()?;
                Ok(result?)
            }
        }
    }
}

/// Asks until the quota has room, or nobody wants it any more: then with the refusal.
pub(crate) fn patiently<T>(stop: &Stop, mut ask: impl FnMut() -> Reply<T>) -> Result<T, PoolError> {
    loop {
        match ask().wait() {
            Err(PoolError::Refused(Refusal::Sessions { .. } | Refusal::Frames { .. } | Refusal::Cpu { .. }))
            | Err(PoolError::Busy { .. })
                if stop.check().is_ok() =>
            {
                std::thread::sleep(AGAIN);
            }
            result => return result,
        }
    }
}

pub(crate) struct Encoder<'a> {
    encoder: PoolEncoder,
    stop: &'a Stop,
}

impl Encode for Encoder<'_> {
    fn encode(&mut self, pcm: &[i16]) -> Result<(Vec<u8>, u32), Fault> {
        Ok(patiently(self.stop, || self.encoder.encode_with_range(pcm.to_vec()))?)
    }

    fn lookahead(&mut self) -> Result<u32, Fault> {
        Ok(patiently(self.stop, || self.encoder.lookahead())?)
    }
}

pub(crate) struct Decoder<'a> {
    decoder: PoolDecoder,
    stop: &'a Stop,
}

impl Decode for Decoder<'_> {
    fn decode(&mut self, packet: &[u8]) -> Result<Option<Vec<i16>>, Fault> {
        survived(patiently(self.stop, || self.decoder.decode(packet.to_vec())))
    }

    fn recover(&mut self, following: &[u8], samples: u32) -> Result<Option<Vec<i16>>, Fault> {
        survived(patiently(self.stop, || self.decoder.recover(following.to_vec(), samples)))
    }

    fn conceal(&mut self, samples: u32) -> Result<Option<Vec<i16>>, Fault> {
        survived(patiently(self.stop, || self.decoder.conceal(samples)))
    }

    fn final_range(&mut self) -> Result<u32, Fault> {
        Ok(patiently(self.stop, || self.decoder.final_range())?)
    }
}

/// What the guest refuses is a damaged packet.
fn survived<T>(result: Result<T, PoolError>) -> Result<Option<T>, Fault> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(PoolError::Guest(error)) if !error.is_fatal() => Ok(None),
        Err(error) => Err(error.into()),
    }
}
