//! `interface session`.

use crate::Component;
use crate::bindings::exports::sidetone::media::session as wit;
use crate::convert::key_bytes;
use crate::memory::wipe_voices;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;
use sidetone_opus::FrameDuration;
use sidetone_packet::HEADER_LEN;
use sidetone_session as ours;
use wit::{CodecError, Config, ConfigError, Key, OpenError, Quality, Received, SendError, State, Stats};

type Session = ours::Session<ours::Libopus>;

impl wit::Guest for Component {
    type Stream = Stream;
}

/// An open session; `None` only while it is being dropped. Boxed, because the generated glue moves a resource to the
/// stack before it drops it, and the session holds the last payload.
pub(crate) struct Stream(RefCell<Option<Box<Session>>>);

impl Drop for Stream {
    fn drop(&mut self) {
        *self.0.get_mut() = None;
        wipe_voices();
    }
}

impl Stream {
    fn with<T>(&self, call: impl FnOnce(&mut Session) -> T) -> T {
        let mut session = self.0.borrow_mut();
        call(session.as_mut().unwrap_or_else(|| core::arch::wasm32::unreachable()))
    }
}

impl wit::GuestStream for Stream {
    fn open(key: Key, config: Config) -> Result<wit::Stream, ConfigError> {
        let session = Session::new(&key_bytes(&key), &config.try_into()?)?;
        Ok(wit::Stream::new(Self(RefCell::new(Some(Box::new(session))))))
    }

    fn receive(&self, datagram: Vec<u8>) -> Result<Received, OpenError> {
        self.with(|session| Ok(session.receive(&datagram)?.into()))
    }

    fn send(&self, pcm: Vec<i16>, timestamp: u32) -> Result<Vec<Vec<u8>>, SendError> {
        self.with(|session| {
            let mut datagrams = Vec::new();
            session.send(&pcm, timestamp, |datagram| datagrams.push(datagram.to_vec()))?;
            Ok(datagrams)
        })
    }

    fn flush(&self, timestamp: u32) -> Result<Vec<Vec<u8>>, SendError> {
        self.with(|session| {
            let mut datagrams = Vec::new();
            session.flush(timestamp, |datagram| datagrams.push(datagram.to_vec()))?;
            Ok(datagrams)
        })
    }

    fn discard(&self) {
        self.with(Session::discard);
    }

    fn send_payload(&self, payload: Vec<u8>, timestamp: u32) -> Result<Vec<u8>, SendError> {
        self.with(|session| {
            let mut sealed = Vec::with_capacity(HEADER_LEN + payload.len());
            session.send_payload(&payload, timestamp, |datagram| sealed.extend_from_slice(datagram))?;
            Ok(sealed)
        })
    }

    fn set_quality(&self, quality: Quality) -> Result<(), CodecError> {
        self.with(|session| match session.set_quality(quality.into()) {
            Err(ours::SendError::Codec(error)) => Err(error.into()),
            _ => Ok(()),
        })
    }

    fn quality(&self) -> Quality {
        self.with(|session| session.quality().into())
    }

    fn stats(&self) -> Stats {
        self.with(|session| session.stats().into())
    }

    fn state(&self) -> State {
        self.with(|session| session.state().into())
    }

    fn undecodable(&self) -> Vec<u8> {
        self.with(|session| session.undecodable().map_or_else(Vec::new, |start| start.prefix().to_vec()))
    }
}

impl TryFrom<Config> for ours::Config {
    type Error = ConfigError;

    fn try_from(config: Config) -> Result<Self, ConfigError> {
        let Config { role, connection_id, incoming, outgoing, quality, resume } = config;
        Ok(Self {
            role: role.into(),
            connection_id,
            incoming: ours::Incoming {
                payload: incoming.payload.into(),
                delivery: incoming.delivery.into(),
                frame: FrameDuration::from_micros(incoming.frame)?,
                channels: u32::from(incoming.channels).try_into()?,
                rate: incoming.sample_rate.try_into()?,
                max_concealed: incoming.max_concealed,
                forward_limit: incoming.forward_limit,
                accept_unmarked_downlink: incoming.accept_unmarked_downlink,
            },
            outgoing: ours::Outgoing {
                payload: outgoing.payload.into(),
                frame: FrameDuration::from_micros(outgoing.frame)?,
                channels: u32::from(outgoing.channels).try_into()?,
                rate: outgoing.sample_rate.try_into()?,
                application: outgoing.application.into(),
                bitrate: outgoing.bitrate.into(),
                vbr: outgoing.vbr,
                dtx: outgoing.dtx,
                fec: outgoing.fec,
                expected_loss: outgoing.expected_loss,
                signal: outgoing.signal.into(),
                split: outgoing.split.into(),
                timestamps: outgoing.timestamps.into(),
            },
            quality: quality.into(),
            resume: resume.map_or(ours::State::START, Into::into),
        })
    }
}

impl From<sidetone_opus::Error> for ConfigError {
    fn from(error: sidetone_opus::Error) -> Self {
        Self::Codec(error.into())
    }
}

impl From<ours::ConfigError> for ConfigError {
    fn from(error: ours::ConfigError) -> Self {
        match error {
            ours::ConfigError::PcmFrameTooLong { bytes } => Self::PcmFrameTooLong(bytes as u32),
            ours::ConfigError::Codec(error) => error.into(),
            _ => Self::Codec(CodecError::Internal(0)),
        }
    }
}

impl From<ours::SendError> for SendError {
    fn from(error: ours::SendError) -> Self {
        match error {
            ours::SendError::Uneven { samples, .. } => Self::Uneven(samples as u32),
            ours::SendError::Codec(error) => Self::Codec(error.into()),
            ours::SendError::Seal(error) => Self::Seal(error.into()),
            _ => Self::Codec(CodecError::Internal(0)),
        }
    }
}

impl From<ours::ReceiveError> for OpenError {
    fn from(error: ours::ReceiveError) -> Self {
        match error {
            ours::ReceiveError::Open(error) => error.into(),
            ours::ReceiveError::Accept(error) => error.into(),
            ours::ReceiveError::NotAsNegotiated { micros, channels, .. } => Self::NotAsNegotiated((micros, channels)),
            ours::ReceiveError::PcmLength { bytes, .. } => Self::PcmLength(bytes as u32),
            _ => Self::NotOpus,
        }
    }
}

impl From<ours::Received<'_>> for Received {
    fn from(r: ours::Received<'_>) -> Self {
        let ours::Received { kind, sequence, timestamp, position, lost, skipped, concealed, recovered, .. } = r;
        let (samples, payload) = (r.samples.to_vec(), r.payload.to_vec());
        let kind = kind.into();
        Self { kind, sequence, timestamp, position, lost, skipped, concealed, recovered, samples, payload }
    }
}

impl From<ours::State> for State {
    fn from(s: ours::State) -> Self {
        Self { sealed: s.sealed.into(), opened: s.opened.into(), position: s.position }
    }
}

impl From<State> for ours::State {
    fn from(s: State) -> Self {
        Self { sealed: s.sealed.into(), opened: s.opened.into(), position: s.position }
    }
}

impl From<ours::Stats> for Stats {
    fn from(s: ours::Stats) -> Self {
        let p = s.packets;
        Self {
            received: s.received,
            received_bytes: s.received_bytes,
            sent: s.sent,
            sent_bytes: s.sent_bytes,
            lost: s.lost,
            concealed: s.concealed,
            recovered: s.recovered,
            skipped: s.skipped,
            undecodable: s.undecodable,
            text: s.text,
            implausible_in_a_row: s.implausible_in_a_row,
            padded_samples: s.padded_samples,
            accepted: p.accepted,
            late: p.late,
            keystream_overlap: p.keystream_overlap,
            resynchronised: p.resynchronised,
            rejected: p.rejected,
            held: p.held,
            malformed: p.truncated + p.unknown_type + p.length_mismatch + p.payload_size,
            foreign_connection: p.foreign_connection,
            wrong_direction: p.wrong_direction,
            replayed: p.replayed,
            too_old: p.too_old,
        }
    }
}
