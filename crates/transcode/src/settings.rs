//! What is asked of a codec, and what that comes to for one clip.

use crate::encode::nearest;
use sidetone_host::EncoderConfig;
use sidetone_opus::{Application, Bandwidth, Bitrate, Channels, FrameDuration, SampleRate, Signal, Split};

/// The PCM that the codec works with. What is not asked for follows from the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PcmOptions {
    /// Rate that the codec works at, and that a WAV file written has.
    pub rate: Option<SampleRate>,
    /// Channels that the codec works with.
    pub channels: Option<Channels>,
}

impl PcmOptions {
    /// Rate and channels to decode packets to that came of such a rate (0: not known), with so many channels.
    #[must_use]
    pub fn decoder_for(&self, (input_rate, channels): (u32, Channels)) -> (SampleRate, Channels) {
        (self.rate.unwrap_or_else(|| nearest(input_rate)), self.channels.unwrap_or(channels))
    }
}

/// What is asked of the encoder. What is not asked for is as voice devices have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EncoderOptions {
    /// Target bitrate.
    pub bitrate: Option<Bitrate>,
    /// 0 to 10.
    pub complexity: Option<u8>,
    /// Audio in a packet.
    pub frame: Option<FrameDuration>,
    /// What to optimise for.
    pub application: Option<Application>,
    /// Variable bitrate, said outright: the default.
    pub vbr: bool,
    /// Constant bitrate.
    pub cbr: bool,
    /// Discontinuous transmission.
    pub dtx: bool,
    /// In-band FEC.
    pub fec: bool,
    /// Loss to prepare for, in percent.
    pub expected_loss: Option<u8>,
    /// Highest bandwidth.
    pub bandwidth: Option<Bandwidth>,
    /// What the signal is.
    pub signal: Option<Signal>,
    /// How frames above 20 ms are coded.
    pub split: Option<Split>,
}

/// How one clip is encoded.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Of the encoder.
    pub codec: EncoderConfig,
    /// Audio in a packet.
    pub frame: FrameDuration,
}

impl EncoderOptions {
    /// Whether any was given.
    #[must_use]
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    /// What they come to for a clip; `loss` is what the line will lose, in percent, where that is known.
    #[must_use]
    pub fn settings(&self, rate: SampleRate, channels: Channels, loss: Option<f64>) -> Settings {
        let voice = EncoderConfig::voice(rate, channels);
        // Without an expectation libopus makes no redundancy at all.
        let expected = if self.fec { loss.map_or(10, |percent| percent.ceil().max(1.0) as u8) } else { 0 };
        let codec = EncoderConfig {
            application: self.application.unwrap_or(voice.application),
            bitrate: self.bitrate.unwrap_or(voice.bitrate),
            complexity: self.complexity.unwrap_or(voice.complexity),
            vbr: !self.cbr,
            dtx: self.dtx,
            fec: self.fec,
            expected_loss: self.expected_loss.unwrap_or(expected),
            max_bandwidth: self.bandwidth.unwrap_or(voice.max_bandwidth),
            signal: self.signal.unwrap_or(voice.signal),
            split: self.split.unwrap_or(voice.split),
            ..voice
        };
        Settings { codec, frame: self.frame.unwrap_or(FrameDuration::Ms60) }
    }
}
