//! Opus for back ends that need other audio than the device has: coded in the sandbox, like everything else.

use sidetone_host::{Key, Pool, PoolError, PoolSession};
use sidetone_opus::packet::{Packet, PacketError};
use sidetone_opus::{Channels, FrameDuration, SampleRate};
use sidetone_packet::{Direction, HEADER_LEN, MAX_PAYLOAD, Opener, OpenerConfig, Sealer};
use sidetone_session::{Config, Kind};
use std::sync::Arc;
use thiserror::Error;
use zeroize::Zeroizing;

/// The tenant of the pool that transcoders belong to. Without a quota, unless `[tenants.bridge]` gives it one.
pub(crate) const TENANT: &str = "bridge";

/// Where a bridge gets its transcoders from.
#[derive(Clone, Debug)]
pub struct Codecs(Arc<Pool>);

/// What a transcoder turns into what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coding {
    /// Rate of the PCM that is encoded.
    pub rate: SampleRate,
    /// Its channels.
    pub channels: Channels,
    /// Duration of the packets that come of it.
    pub frame: FrameDuration,
    /// Rate of the PCM that packets are decoded to.
    pub decoded_rate: SampleRate,
    /// Its channels.
    pub decoded_channels: Channels,
}

/// An encoder and a decoder in one instance of the pool, opened when first used. Its packets are of a stream of their
/// own.
///
/// The instance knows sealed packets only, so that they are sealed and opened here, with a key that never leaves this
/// process.
#[derive(Debug)]
pub struct Transcoder {
    codecs: Codecs,
    coding: Coding,
    open: Option<Open>,
}

struct Open {
    session: PoolSession,
    sealer: Sealer,
    opener: Opener,
    /// What packets it decodes.
    frame: FrameDuration,
    channels: Channels,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.session.fmt(f)
    }
}

/// A frame was not coded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TranscodeError {
    /// It is no Opus packet.
    #[error("no Opus packet: {0}")]
    Packet(#[from] PacketError),
    /// A packet of a duration that no encoder makes.
    #[error("a packet of {0} µs: 2.5, 5, 10, 20, 40, 60, 80, 100 and 120 ms are decoded")]
    Duration(u32),
    /// A packet of so many bytes.
    #[error("a packet of {0} bytes, {MAX_PAYLOAD} are the most")]
    TooLong(usize),
    /// The packet is damaged.
    #[error("a packet that cannot be decoded")]
    Damaged,
    /// The pool has no instance for it, or the instance failed.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// There are no random bytes for a key.
    #[error("no random bytes")]
    Random,
}

impl Codecs {
    pub(crate) const fn new(pool: Arc<Pool>) -> Self {
        Self(pool)
    }

    /// A transcoder. It takes an instance once it is used.
    #[must_use]
    pub fn transcoder(&self, coding: Coding) -> Transcoder {
        Transcoder { codecs: self.clone(), coding, open: None }
    }
}

impl Transcoder {
    /// Encodes PCM of any length: the packets that it filled.
    ///
    /// # Errors
    /// [`TranscodeError::Pool`], [`TranscodeError::Random`]. The frame is lost; the next call may do better.
    pub async fn encode(&mut self, pcm: Vec<i16>) -> Result<Vec<Vec<u8>>, TranscodeError> {
        let (frame, channels) =
            self.open.as_ref().map_or((self.coding.frame, Channels::Mono), |o| (o.frame, o.channels));
        let open = self.opened(frame, channels).await?;
        let datagrams = open.session.send(pcm, 0).await;
        let datagrams = datagrams.inspect_err(|error| self.forget(error))?;
        let Some(open) = &mut self.open else { return Ok(Vec::new()) };
        let mut packets = Vec::with_capacity(datagrams.len());
        for datagram in datagrams {
            let mut payload = vec![0; MAX_PAYLOAD];
            // What the instance seals with this key opens with it.
            let Ok(candidate) = open.opener.open(&datagram, &mut payload) else { continue };
            payload.truncate(candidate.payload_len());
            if open.opener.accept(candidate).is_ok() {
                packets.push(payload);
            }
        }
        Ok(packets)
    }

    /// Decodes a packet of any duration that Opus encoders make.
    ///
    /// # Errors
    /// [`TranscodeError`]: the packet is lost; the next may do better.
    pub async fn decode(&mut self, packet: &[u8]) -> Result<Vec<i16>, TranscodeError> {
        let parsed = Packet::parse(packet)?;
        let micros = parsed.duration_micros();
        let frame = FrameDuration::from_micros(micros).map_err(|_| TranscodeError::Duration(micros))?;
        if packet.len() > MAX_PAYLOAD {
            return Err(TranscodeError::TooLong(packet.len()));
        }
        let wanted = self.coding.decoded_channels;
        let known = self.open.as_ref().map_or(wanted, |open| open.channels);
        let channels = if parsed.channels() == Channels::Stereo { Channels::Stereo } else { known };
        let open = self.opened(frame, channels).await?;
        let mut datagram = vec![0; HEADER_LEN + packet.len()];
        if open.sealer.seal(0, packet, &mut datagram).is_err() {
            return Err(TranscodeError::TooLong(packet.len()));
        }
        let received = open.session.receive(datagram).await;
        let received = received.inspect_err(|error| self.forget(error))?;
        if received.kind != Kind::Audio {
            return Err(TranscodeError::Damaged);
        }
        Ok(match (channels, wanted) {
            (Channels::Stereo, Channels::Mono) => mixed_down(&received.samples),
            _ => received.samples,
        })
    }

    /// The instance, for packets like these.
    async fn opened(&mut self, frame: FrameDuration, channels: Channels) -> Result<&mut Open, TranscodeError> {
        let fits = |open: &Open| open.frame == frame && open.channels == channels;
        if !self.open.as_ref().is_some_and(fits) {
            self.open = None;
            self.open = Some(self.codecs.open(&self.coding, frame, channels).await?);
        }
        self.open.as_mut().ok_or(TranscodeError::Damaged)
    }

    /// An instance that is gone for good is replaced by the next call.
    fn forget(&mut self, error: &PoolError) {
        if error.is_closed() {
            self.open = None;
        }
    }
}

impl Codecs {
    async fn open(&self, coding: &Coding, frame: FrameDuration, channels: Channels) -> Result<Open, TranscodeError> {
        let mut key = Zeroizing::new([0; 16]);
        getrandom::fill(&mut *key).map_err(|_| TranscodeError::Random)?;
        let key = Key::new(*key);
        let mut config = Config::gateway(0);
        let incoming = &mut config.incoming;
        (incoming.frame, incoming.channels, incoming.rate) = (frame, channels, coding.decoded_rate);
        let outgoing = &mut config.outgoing;
        (outgoing.frame, outgoing.channels, outgoing.rate) = (coding.frame, coding.channels, coding.rate);
        let session = self.0.open(TENANT, &key, config).await?;
        let sealer = Sealer::new(key.bytes(), 0, Direction::Uplink);
        let opener = Opener::new(key.bytes(), 0, Direction::Downlink, OpenerConfig::default());
        Ok(Open { session, sealer, opener, frame, channels })
    }
}

/// The mean of both channels.
pub(crate) fn mixed_down(stereo: &[i16]) -> Vec<i16> {
    stereo.chunks_exact(2).map(|pair| ((i32::from(pair[0]) + i32::from(pair[1])) / 2) as i16).collect()
}
