//! Bridges: where the speech of a call goes, and where the answer comes from.
//!
//! A [`Bridge`] opens a [`Leg`] for each call. A leg is a queue each way, so that a slow or dead back end costs its
//! own calls and nothing else: audio to it is dropped oldest first; what comes from it stays in order, speech and messages
//! alike, and waits until the device can take it.
//!
//! The shape fits a speech server, which hears a turn and answers it, and a room, which has 10 ms of 48 kHz in both
//! directions all the time, with participants that come and go: PCM may be of any length, at any rate that Opus has;
//! what a leg sends between [`Tts::Start`] and [`Tts::Stop`] is played, whenever it comes.

mod codecs;
mod echo;
mod leg;
mod record;
mod websocket;

pub(crate) use codecs::TENANT;
pub use codecs::{Codecs, Coding, TranscodeError, Transcoder};
pub use echo::Echo;
pub(crate) use leg::Put;
pub use leg::{Leg, LegEnd, Over, Room, leg};
pub use record::Recorder;
pub use websocket::SpeechServer;

use crate::config::{BridgeConfig, BridgeKind};
use crate::error::StartError;
use sidetone_opus::{Channels, SampleRate};
use sidetone_protocol::message::{AudioFormat, DeviceHello, GatewayBody, ListenMode, Tts, Unknown};
use std::fmt;
use std::net::IpAddr;
use thiserror::Error;

/// A kind of back end.
pub trait Bridge: Send + Sync + fmt::Debug {
    /// Its name in the configuration.
    fn name(&self) -> &'static str;

    /// Opens a leg for a call, at once: what takes time (a connection) happens behind the leg, and its failure comes as
    /// [`ToDevice::Closed`].
    ///
    /// # Errors
    /// [`BridgeError`]: the call is refused.
    fn open(&self, call: &Call) -> Result<Leg, BridgeError>;

    /// Whether a call that came now would find its back end, as far as is known.
    fn is_ready(&self) -> bool {
        true
    }

    /// Instances of the component that a call may take for [`Codecs`], beside its own: the pool is made for as many.
    fn instances(&self) -> u32 {
        0
    }
}

/// The bridge that `[bridge]` asks for.
pub(crate) fn from_config(config: &BridgeConfig) -> Result<Box<dyn Bridge>, StartError> {
    let bridge: Box<dyn Bridge> = match config.kind {
        BridgeKind::Record => return Ok(Box::new(Recorder::new(config)?)),
        BridgeKind::Echo => Box::new(Echo),
        BridgeKind::Websocket => Box::new(SpeechServer::new(config)?),
    };
    Ok(if config.record { Box::new(Recorder::around(bridge, config)?) } else { bridge })
}

/// A call that asks for a leg.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its session id.
    pub session_id: String,
    /// The device.
    pub device: String,
    /// Its tenant.
    pub tenant: String,
    /// Where its control connection comes from.
    pub peer: Option<IpAddr>,
    /// What the device said.
    pub hello: DeviceHello,
    /// What the device is told that it will hear: rate in Hz, ms a packet.
    pub downlink: (u32, u32),
    /// Opus in the sandbox, for a back end that needs other audio than the device has.
    pub codecs: Codecs,
}

impl Call {
    /// Channels of what the device hears.
    #[must_use]
    pub fn downlink_channels(&self) -> Channels {
        let said = &self.hello.audio_params;
        if said.format == AudioFormat::Pcm { self.uplink_channels() } else { Channels::Mono }
    }

    /// Channels of what the device says.
    #[must_use]
    pub const fn uplink_channels(&self) -> Channels {
        if self.hello.audio_params.channels == 2 { Channels::Stereo } else { Channels::Mono }
    }
}

/// The form in which a leg takes the device's audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Decoded, mono or as negotiated, interleaved, at this rate. Gaps are concealed.
    Pcm(SampleRate),
    /// The packets' payloads as the device coded them.
    Packets,
}

/// What a leg is told.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ToBackEnd {
    /// The device's audio, in the leg's form.
    Audio(Heard),
    /// The microphone opens for a turn.
    StartCapture(ListenMode),
    /// The user has finished.
    StopCapture,
    /// A wake word was heard, or text was typed.
    WakeWord(String),
    /// The user interrupts: say no more. Audio that is under way is dropped, up to the next [`Tts::Start`].
    Abort(Option<String>),
    /// A JSON-RPC message of the device.
    Mcp(serde_json::Value),
    /// A message that is not known here.
    Relay(Unknown),
}

/// Audio of the device.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// PCM; `position` is the place of its first sample in the stream, in samples a channel, losses included.
    Pcm {
        /// Samples.
        samples: Vec<i16>,
        /// Place in the stream.
        position: u64,
    },
    /// A payload, with the timestamp (ms) that the device gave it.
    Packet {
        /// Opus.
        payload: Vec<u8>,
        /// Milliseconds.
        timestamp: u32,
    },
}

/// What a leg has the device play, in order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Speech {
    /// A mark between the audio. Audio before [`Tts::Start`] or after [`Tts::Stop`] is dropped, as firmware would.
    Mark(Tts),
    /// What follows, up to the stop, is live: where the device holds enough to play, more of it is dropped, since it
    /// would only come later and later. (Speech that was composed waits instead, and is heard whole.)
    Live,
    /// PCM of any length, at the leg's rate, in the channels of the downlink.
    Pcm(Vec<i16>),
    /// An Opus packet of the downlink's duration.
    Packet(Vec<u8>),
}

/// What comes from a leg, in the order in which the device sees it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ToDevice {
    /// To be played.
    Speech(Speech),
    /// To be told: stt, llm, mcp, alert, goodbye, or what is not known here.
    Say(GatewayBody),
    /// The back end is gone: the device is told by an alert, and the session ends.
    Closed(String),
}

impl From<Speech> for ToDevice {
    fn from(speech: Speech) -> Self {
        Self::Speech(speech)
    }
}

impl From<GatewayBody> for ToDevice {
    fn from(body: GatewayBody) -> Self {
        Self::Say(body)
    }
}

/// Why no leg was opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// The back end takes no more calls now.
    #[error("the back end takes no more calls: {0}")]
    Busy(String),
    /// It cannot be used.
    #[error("the back end is not available: {0}")]
    Unavailable(String),
}
