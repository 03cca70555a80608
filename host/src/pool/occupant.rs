//! What can live at a seat: a session, an encoder, a decoder, a tenant's packet functions. Each knows how it is opened
//! in a fresh instance, to go on where it stood.

use super::mirror::Mirror;
use crate::{Decoder, Encoder, EncoderConfig, Error, Instance, Key, Packets, Session};
use sidetone_opus::{Channels, SampleRate};
use sidetone_session::{Config, Quality};

/// Key schedules that a tenant's packet functions keep on a worker, for each direction.
pub(crate) const KEYS_KEPT: u32 = 64;

pub(crate) trait Occupant {
    /// What it is while it has an instance.
    type Guest;

    /// Opens it.
    fn open(&mut self, instance: Instance) -> Result<Self::Guest, Error>;

    /// Where it lives.
    fn instance(guest: &Self::Guest) -> &Instance;

    /// The instance is gone, and with it what waited there.
    fn died(&mut self) {}

    /// Whether it may go on in another instance now, with nothing lost.
    fn may_move(&self) -> bool {
        true
    }
}

/// A session: its key, and what of it survives an instance.
pub(crate) struct Stream {
    pub(crate) key: Key,
    pub(crate) mirror: Mirror,
    /// In force in the guest.
    pub(crate) quality: Quality,
    /// Packets that shared keystream, of this instance, that were counted already.
    pub(crate) overlaps_seen: u64,
    /// Datagrams taken in since they were counted.
    pub(crate) since_seen: u32,
}

impl Stream {
    pub(crate) const fn new(key: Key, config: Config) -> Self {
        Self { key, mirror: Mirror::new(config), quality: config.quality, overlaps_seen: 0, since_seen: 0 }
    }
}

impl Occupant for Stream {
    type Guest = Session;

    fn open(&mut self, instance: Instance) -> Result<Session, Error> {
        (self.overlaps_seen, self.since_seen) = (0, 0);
        let config = Config { quality: self.quality, ..*self.mirror.config() };
        Session::open(instance, &self.key, &config)
    }

    fn instance(guest: &Session) -> &Instance {
        guest.instance()
    }

    fn died(&mut self) {
        self.mirror.died();
    }

    fn may_move(&self) -> bool {
        self.mirror.between_frames()
    }
}

impl Occupant for EncoderConfig {
    type Guest = Encoder;

    fn open(&mut self, instance: Instance) -> Result<Encoder, Error> {
        Encoder::open(instance, self)
    }

    fn instance(guest: &Encoder) -> &Instance {
        guest.instance()
    }
}

/// A decoder: what PCM comes out of it.
#[derive(Clone, Copy)]
pub(crate) struct DecoderConfig {
    pub(crate) rate: SampleRate,
    pub(crate) channels: Channels,
}

impl Occupant for DecoderConfig {
    type Guest = Decoder;

    fn open(&mut self, instance: Instance) -> Result<Decoder, Error> {
        Decoder::open(instance, self.rate, self.channels)
    }

    fn instance(guest: &Decoder) -> &Instance {
        guest.instance()
    }
}

/// The packet functions and their key schedules, of one tenant on one worker.
pub(crate) struct PacketCache;

impl Occupant for PacketCache {
    type Guest = Packets;

    fn open(&mut self, instance: Instance) -> Result<Packets, Error> {
        Packets::open(instance, KEYS_KEPT)
    }

    fn instance(guest: &Packets) -> &Instance {
        guest.instance()
    }
}
