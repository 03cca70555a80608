//! What a session is told when it opens.

use crate::{ConfigError, Quality, State};
use sidetone_opus::{Application, Bitrate, Channels, FrameDuration, SampleRate, Signal, Split};
use sidetone_packet::{DEFAULT_FORWARD_LIMIT, Direction, MAX_PAYLOAD};

/// Which end of the wire a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Opens uplink, seals downlink.
    Gateway,
    /// Opens downlink, seals uplink.
    Device,
}

impl Role {
    pub(crate) const fn opens(self) -> Direction {
        match self {
            Self::Gateway => Direction::Uplink,
            Self::Device => Direction::Downlink,
        }
    }

    pub(crate) const fn seals(self) -> Direction {
        match self {
            Self::Gateway => Direction::Downlink,
            Self::Device => Direction::Uplink,
        }
    }
}

/// What the payload of an audio packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Payload {
    /// One Opus packet.
    #[default]
    Opus,
    /// One frame of interleaved little-endian `i16`. Only where a session negotiated `"format":"pcm"`: never a
    /// fallback for bytes that are no Opus.
    Pcm,
}

/// What a session makes of the audio that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Delivery {
    /// Decoded samples.
    #[default]
    Pcm,
    /// The payload as it is, judged but not decoded, for a back end that takes Opus itself.
    Packets,
}

/// Timestamps of the packets a device sends. (A gateway's always increase.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Timestamps {
    /// Milliseconds, as given to `send`, one frame duration more for each further packet of the same call, and raised
    /// where that is not above the last one sent. No keystream is used twice.
    #[default]
    Elapsed,
    /// Always 0, as firmware does. About a quarter of the packets then share keystream with a neighbour.
    Zero,
}

/// The stream that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incoming {
    /// What its packets carry.
    pub payload: Payload,
    /// What is made of them.
    pub delivery: Delivery,
    /// Negotiated duration of a packet: one of another duration is not believed.
    pub frame: FrameDuration,
    /// Negotiated channels: a packet with more is not believed. (One with fewer is: at low bitrates an encoder of
    /// stereo codes mono.)
    pub channels: Channels,
    /// Rate of the PCM that is delivered (and, for [`Payload::Pcm`], of the PCM on the wire).
    pub rate: SampleRate,
    /// Most packets made up for a gap; of a longer gap the rest is skipped. 0: no concealment, as real firmware.
    pub max_concealed: u8,
    /// How far ahead one packet alone may jump, in packets.
    pub forward_limit: u32,
    /// A device that speaks to other gateways than ours: they never set the direction bit.
    pub accept_unmarked_downlink: bool,
}

/// The stream that goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing {
    /// What its packets carry.
    pub payload: Payload,
    /// Duration of a packet.
    pub frame: FrameDuration,
    /// Channels of the PCM handed in, and coded.
    pub channels: Channels,
    /// Rate of the PCM handed in. The other side decodes at whatever rate it likes.
    pub rate: SampleRate,
    /// What the encoder optimises for.
    pub application: Application,
    /// Bitrate; [`Quality`] may cap it.
    pub bitrate: Bitrate,
    /// Variable bitrate.
    pub vbr: bool,
    /// Discontinuous transmission.
    pub dtx: bool,
    /// In-band FEC.
    pub fec: bool,
    /// Loss to prepare for, in percent.
    pub expected_loss: u8,
    /// What the signal is.
    pub signal: Signal,
    /// How frames longer than 20 ms are coded.
    pub split: Split,
    /// Timestamps, for [`Role::Device`].
    pub timestamps: Timestamps,
}

/// Everything a session is told when it opens, but the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Which end this is.
    pub role: Role,
    /// The session's connection id (ssrc), from the nonce of the hello.
    pub connection_id: u32,
    /// The stream that comes in.
    pub incoming: Incoming,
    /// The stream that goes out.
    pub outgoing: Outgoing,
    /// Quality to start with.
    pub quality: Quality,
    /// Where to continue; [`State::START`] for a new key.
    pub resume: State,
}

impl Config {
    /// The gateway's end of a call with a usual device: it speaks 16 kHz mono in 60 ms frames and hears 24 kHz.
    #[must_use]
    pub const fn gateway(connection_id: u32) -> Self {
        Self::new(Role::Gateway, connection_id, SampleRate::Hz16000, SampleRate::Hz24000, Quality::Full)
    }

    /// The device's end of the same call, coding with the least effort as firmware does.
    #[must_use]
    pub const fn device(connection_id: u32) -> Self {
        Self::new(Role::Device, connection_id, SampleRate::Hz24000, SampleRate::Hz16000, Quality::Minimal)
    }

    const fn new(role: Role, connection_id: u32, hears: SampleRate, speaks: SampleRate, quality: Quality) -> Self {
        Self {
            role,
            connection_id,
            incoming: Incoming {
                payload: Payload::Opus,
                delivery: Delivery::Pcm,
                frame: FrameDuration::Ms60,
                channels: Channels::Mono,
                rate: hears,
                max_concealed: 5,
                forward_limit: DEFAULT_FORWARD_LIMIT,
                accept_unmarked_downlink: false,
            },
            outgoing: Outgoing {
                payload: Payload::Opus,
                frame: FrameDuration::Ms60,
                channels: Channels::Mono,
                rate: speaks,
                application: Application::Voip,
                bitrate: Bitrate::Auto,
                vbr: true,
                dtx: false,
                fec: false,
                expected_loss: 0,
                signal: Signal::Auto,
                split: Split::Auto,
                timestamps: Timestamps::Elapsed,
            },
            quality,
            resume: State::START,
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        pcm_fits(self.incoming.payload, self.incoming.frame_samples())?;
        pcm_fits(self.outgoing.payload, self.outgoing.frame_samples())
    }
}

impl Incoming {
    /// Samples of all channels of one frame.
    #[must_use]
    pub const fn frame_samples(&self) -> usize {
        self.frame.samples(self.rate) * self.channels.count()
    }
}

impl Outgoing {
    /// Samples of all channels of one frame.
    #[must_use]
    pub const fn frame_samples(&self) -> usize {
        self.frame.samples(self.rate) * self.channels.count()
    }
}

const fn pcm_fits(payload: Payload, samples: usize) -> Result<(), ConfigError> {
    let bytes = samples * 2;
    match payload {
        Payload::Pcm if bytes > MAX_PAYLOAD => Err(ConfigError::PcmFrameTooLong { bytes }),
        _ => Ok(()),
    }
}
