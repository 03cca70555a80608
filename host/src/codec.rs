//! `interface codec`: Opus by itself, in an instance.

use crate::bindings::exports::sidetone::media::codec as wit;
use crate::bounds::{frame_fits, packet_fits};
use crate::{Error, Instance};
use sidetone_opus::{Application, Bandwidth, Bitrate, Channels, SampleRate, Signal, Split};
use wasmtime::component::ResourceAny;

impl Instance {
    /// The version of libopus inside the component: major, minor, patch.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn libopus_version(&mut self) -> Result<(u8, u8, u8), Error> {
        self.operate(|guest, store| guest.sidetone_media_codec().call_libopus_version(store))
    }
}

/// How an encoder is set up. Numbers are checked by the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderConfig {
    /// Rate of the PCM handed in.
    pub rate: SampleRate,
    /// Channels of the PCM handed in.
    pub channels: Channels,
    /// What the encoder optimises for.
    pub application: Application,
    /// Target bitrate.
    pub bitrate: Bitrate,
    /// 0 to 10.
    pub complexity: u8,
    /// Variable bitrate.
    pub vbr: bool,
    /// Discontinuous transmission.
    pub dtx: bool,
    /// In-band FEC.
    pub fec: bool,
    /// Loss to prepare for, in percent.
    pub expected_loss: u8,
    /// Highest bandwidth.
    pub max_bandwidth: Bandwidth,
    /// What the signal is.
    pub signal: Signal,
    /// How frames longer than 20 ms are coded.
    pub split: Split,
}

impl EncoderConfig {
    /// Voice at libopus's defaults and full complexity.
    #[must_use]
    pub const fn voice(rate: SampleRate, channels: Channels) -> Self {
        Self {
            rate,
            channels,
            application: Application::Voip,
            bitrate: Bitrate::Auto,
            complexity: 10,
            vbr: true,
            dtx: false,
            fec: false,
            expected_loss: 0,
            max_bandwidth: Bandwidth::Full,
            signal: Signal::Auto,
            split: Split::Auto,
        }
    }

    fn to_wit(self) -> wit::EncoderConfig {
        wit::EncoderConfig {
            sample_rate: self.rate.hz(),
            channels: self.channels.count() as u8,
            application: self.application.into(),
            bitrate: self.bitrate.into(),
            complexity: self.complexity,
            vbr: self.vbr,
            dtx: self.dtx,
            fec: self.fec,
            expected_loss: self.expected_loss,
            max_bandwidth: self.max_bandwidth.into(),
            signal: self.signal.into(),
            split: self.split.into(),
        }
    }
}

/// An encoder in an instance of its own.
#[derive(Debug)]
pub struct Encoder {
    instance: Instance,
    handle: ResourceAny,
}

impl Encoder {
    /// Opens an encoder in `instance`.
    ///
    /// # Errors
    /// [`Error::Codec`] for a setting out of range; a fatal error where the guest fails.
    pub fn open(mut instance: Instance, config: &EncoderConfig) -> Result<Self, Error> {
        let config = config.to_wit();
        let handle = instance
            .initialise(|guest, store| guest.sidetone_media_codec().encoder().call_open(store, config))?
            .map_err(crate::CodecError::from)?;
        Ok(Self { instance, handle })
    }

    /// Encodes one frame of interleaved PCM (2.5 to 120 ms) and returns the packet.
    ///
    /// # Errors
    /// [`Error::Codec`] where the PCM is no frame; a fatal error where the guest fails.
    pub fn encode(&mut self, pcm: &[i16]) -> Result<Vec<u8>, Error> {
        frame_fits(pcm)?;
        let handle = self.handle;
        Ok(self
            .instance
            .operate(|guest, store| guest.sidetone_media_codec().encoder().call_encode(store, handle, pcm))?
            .map_err(crate::CodecError::from)?)
    }

    /// State of the range coder after the last packet.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn final_range(&mut self) -> Result<u32, Error> {
        let handle = self.handle;
        self.instance.operate(|guest, store| guest.sidetone_media_codec().encoder().call_final_range(store, handle))
    }

    /// Samples a channel by which the coded audio lags behind.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn lookahead(&mut self) -> Result<u32, Error> {
        let handle = self.handle;
        self.instance.operate(|guest, store| guest.sidetone_media_codec().encoder().call_lookahead(store, handle))
    }

    /// The instance the encoder lives in.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Drops the encoder inside its instance, which wipes what it held of the audio, and hands the instance back.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn close(mut self) -> Result<Instance, Error> {
        let handle = self.handle;
        self.instance.operate(|_, store| handle.resource_drop(store))?;
        Ok(self.instance)
    }
}

/// A decoder in an instance of its own.
#[derive(Debug)]
pub struct Decoder {
    instance: Instance,
    handle: ResourceAny,
}

impl Decoder {
    /// Opens a decoder in `instance`.
    ///
    /// # Errors
    /// A fatal error where the guest fails.
    pub fn open(mut instance: Instance, rate: SampleRate, channels: Channels) -> Result<Self, Error> {
        let (rate, channels) = (rate.hz(), channels.count() as u8);
        let handle = instance
            .initialise(|guest, store| guest.sidetone_media_codec().decoder().call_open(store, rate, channels))?
            .map_err(crate::CodecError::from)?;
        Ok(Self { instance, handle })
    }

    /// Decodes a packet to interleaved PCM.
    ///
    /// # Errors
    /// [`Error::Codec`] for bytes that are no packet; a fatal error where the guest fails.
    pub fn decode(&mut self, packet: &[u8]) -> Result<Vec<i16>, Error> {
        packet_fits(packet)?;
        let handle = self.handle;
        Ok(self
            .instance
            .operate(|guest, store| guest.sidetone_media_codec().decoder().call_decode(store, handle, packet))?
            .map_err(crate::CodecError::from)?)
    }

    /// Recovers the last `samples` a channel before `following` from the redundancy in it, as far as that goes.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn recover(&mut self, following: &[u8], samples: u32) -> Result<Vec<i16>, Error> {
        packet_fits(following)?;
        let handle = self.handle;
        Ok(self
            .instance
            .operate(|guest, store| {
                guest.sidetone_media_codec().decoder().call_recover(store, handle, following, samples)
            })?
            .map_err(crate::CodecError::from)?)
    }

    /// Makes up `samples` a channel for a lost packet.
    ///
    /// # Errors
    /// [`Error::Codec`] where that is no multiple of 2.5 ms; a fatal error where the guest fails.
    pub fn conceal(&mut self, samples: u32) -> Result<Vec<i16>, Error> {
        let handle = self.handle;
        Ok(self
            .instance
            .operate(|guest, store| guest.sidetone_media_codec().decoder().call_conceal(store, handle, samples))?
            .map_err(crate::CodecError::from)?)
    }

    /// State of the range coder after the last packet: equal to the encoder's.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn final_range(&mut self) -> Result<u32, Error> {
        let handle = self.handle;
        self.instance.operate(|guest, store| guest.sidetone_media_codec().decoder().call_final_range(store, handle))
    }

    /// The instance the decoder lives in.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Drops the decoder inside its instance, which wipes what it held of the audio, and hands the instance back.
    ///
    /// # Errors
    /// Fatal ones.
    pub fn close(mut self) -> Result<Instance, Error> {
        let handle = self.handle;
        self.instance.operate(|_, store| handle.resource_drop(store))?;
        Ok(self.instance)
    }
}
