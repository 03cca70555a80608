//! `interface codec`.

use crate::Component;
use crate::bindings::exports::sidetone::media::codec as wit;
use crate::memory::wipe_voices;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use sidetone_opus::packet::{Packet, has_redundancy};
use sidetone_opus::{Channels, Decoder, Encoder, LIBOPUS_VERSION, MAX_PACKET, MAX_SAMPLES, SampleRate};
use wit::{CodecError, EncoderConfig, PacketInfo};

impl wit::Guest for Component {
    type Encoder = OpusEncoder;
    type Decoder = OpusDecoder;

    fn libopus_version() -> (u8, u8, u8) {
        let mut parts = LIBOPUS_VERSION.split('.').map(|part| part.parse().unwrap_or(0));
        let mut next = || parts.next().unwrap_or(0);
        (next(), next(), next())
    }

    fn parse(packet: Vec<u8>) -> Result<PacketInfo, CodecError> {
        let parsed = Packet::parse(&packet).map_err(sidetone_opus::Error::from)?;
        Ok(PacketInfo {
            mode: parsed.mode().into(),
            bandwidth: parsed.bandwidth().into(),
            channels: parsed.channels().count() as u8,
            frames: parsed.frame_count() as u8,
            duration: parsed.duration_micros(),
            redundancy: has_redundancy(&packet),
        })
    }
}

pub(crate) struct OpusEncoder(RefCell<(Encoder, Box<[u8; MAX_PACKET]>)>);

impl Drop for OpusEncoder {
    fn drop(&mut self) {
        wipe_voices();
    }
}

fn configure(encoder: &mut Encoder, config: &EncoderConfig) -> Result<(), CodecError> {
    encoder.set_bitrate(config.bitrate.into())?;
    encoder.set_complexity(u32::from(config.complexity).try_into()?)?;
    encoder.set_vbr(config.vbr)?;
    encoder.set_dtx(config.dtx)?;
    encoder.set_fec(config.fec)?;
    encoder.set_expected_loss(config.expected_loss.into())?;
    encoder.set_max_bandwidth(config.max_bandwidth.into())?;
    encoder.set_signal(config.signal.into())?;
    encoder.set_split(config.split.into());
    Ok(())
}

impl wit::GuestEncoder for OpusEncoder {
    fn open(config: EncoderConfig) -> Result<wit::Encoder, CodecError> {
        let rate = SampleRate::try_from(config.sample_rate)?;
        let channels = Channels::try_from(u32::from(config.channels))?;
        let mut encoder = Encoder::new(rate, channels, config.application.into())?;
        configure(&mut encoder, &config)?;
        Ok(wit::Encoder::new(Self(RefCell::new((encoder, Box::new([0; MAX_PACKET]))))))
    }

    fn configure(&self, config: EncoderConfig) -> Result<(), CodecError> {
        let encoder = &mut self.0.borrow_mut().0;
        if config.sample_rate != encoder.rate().hz() {
            return Err(CodecError::SampleRate(config.sample_rate));
        }
        if usize::from(config.channels) != encoder.channels().count() {
            return Err(CodecError::Channels(config.channels.into()));
        }
        configure(encoder, &config)
    }

    fn encode(&self, pcm: Vec<i16>) -> Result<Vec<u8>, CodecError> {
        let (encoder, packet) = &mut *self.0.borrow_mut();
        let len = encoder.encode(&pcm, packet.as_mut_slice())?;
        Ok(packet[..len].to_vec())
    }

    fn final_range(&self) -> u32 {
        self.0.borrow().0.final_range()
    }

    fn lookahead(&self) -> u32 {
        self.0.borrow().0.lookahead() as u32
    }

    fn reset(&self) {
        self.0.borrow_mut().0.reset();
    }
}

pub(crate) struct OpusDecoder(RefCell<Decoder>);

impl Drop for OpusDecoder {
    fn drop(&mut self) {
        wipe_voices();
    }
}

impl OpusDecoder {
    /// Runs one call of the decoder on a buffer of `samples` a channel; longer than a packet can be is no frame.
    fn with_room(
        &self,
        samples: usize,
        call: impl FnOnce(&mut Decoder, &mut [i16]) -> Result<usize, sidetone_opus::Error>,
    ) -> Result<Vec<i16>, CodecError> {
        let decoder = &mut *self.0.borrow_mut();
        let room = samples.saturating_mul(decoder.channels().count());
        if samples > MAX_SAMPLES {
            return Err(CodecError::FrameLength(room as u32));
        }
        let mut pcm = vec![0; room];
        let written = call(decoder, &mut pcm)?;
        pcm.truncate(written);
        Ok(pcm)
    }
}

impl wit::GuestDecoder for OpusDecoder {
    fn open(sample_rate: u32, channels: u8) -> Result<wit::Decoder, CodecError> {
        let decoder = Decoder::new(sample_rate.try_into()?, u32::from(channels).try_into()?)?;
        Ok(wit::Decoder::new(Self(RefCell::new(decoder))))
    }

    fn decode(&self, packet: Vec<u8>) -> Result<Vec<i16>, CodecError> {
        let rate = self.0.borrow().rate();
        let samples = Packet::parse(&packet).map_err(sidetone_opus::Error::from)?.samples(rate);
        self.with_room(samples, |decoder, pcm| decoder.decode(&packet, pcm))
    }

    fn recover(&self, following: Vec<u8>, samples: u32) -> Result<Vec<i16>, CodecError> {
        self.with_room(samples as usize, |decoder, pcm| decoder.decode_fec(&following, pcm))
    }

    fn conceal(&self, samples: u32) -> Result<Vec<i16>, CodecError> {
        self.with_room(samples as usize, Decoder::conceal)
    }

    fn final_range(&self) -> u32 {
        self.0.borrow().final_range()
    }

    fn reset(&self) {
        self.0.borrow_mut().reset();
    }
}
