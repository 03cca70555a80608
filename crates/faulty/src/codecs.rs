//! `interface codec`, with faults.

use crate::bindings::exports::sidetone::media::codec as wit;
use crate::fault::{self, Spoil};
use crate::{Component, Faulty};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use sidetone_opus::{Decoder, Encoder, MAX_PACKET, MAX_SAMPLES};
use wit::{Bitrate, CodecError, EncoderConfig, PacketInfo};

impl wit::Guest for Faulty {
    type Encoder = FaultyEncoder;
    type Decoder = FaultyDecoder;

    fn libopus_version() -> (u8, u8, u8) {
        <Component as wit::Guest>::libopus_version()
    }

    fn parse(packet: Vec<u8>) -> Result<PacketInfo, CodecError> {
        <Component as wit::Guest>::parse(packet)
    }
}

pub(crate) struct FaultyEncoder(RefCell<(Encoder, Box<[u8; MAX_PACKET]>)>);

impl wit::GuestEncoder for FaultyEncoder {
    fn open(config: EncoderConfig) -> Result<wit::Encoder, CodecError> {
        if let Bitrate::BitsPerSecond(bits @ 0x1_0000..0x2_0000) = config.bitrate {
            fault::arm_kind(bits);
        }
        fault::on_open(false);
        let (rate, channels) = (config.sample_rate.try_into()?, u32::from(config.channels).try_into()?);
        let mut encoder = Encoder::new(rate, channels, config.application.into())?;
        encoder.set_complexity(u32::from(config.complexity).try_into()?)?;
        Ok(wit::Encoder::new(Self(RefCell::new((encoder, Box::new([0; MAX_PACKET]))))))
    }

    fn configure(&self, _: EncoderConfig) -> Result<(), CodecError> {
        Ok(())
    }

    fn encode(&self, pcm: Vec<i16>) -> Result<Vec<u8>, CodecError> {
        let spoil = fault::on_call();
        let (encoder, out) = &mut *self.0.borrow_mut();
        let len = encoder.encode(&pcm, out.as_mut_slice())?;
        let mut packet = out[..len].to_vec();
        if spoil == Spoil::Length {
            packet.resize(MAX_PACKET + 1, 0);
        }
        spoil.list(&mut packet);
        Ok(packet)
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

pub(crate) struct FaultyDecoder(RefCell<Decoder>);

impl wit::GuestDecoder for FaultyDecoder {
    fn open(sample_rate: u32, channels: u8) -> Result<wit::Decoder, CodecError> {
        let decoder = Decoder::new(sample_rate.try_into()?, u32::from(channels).try_into()?)?;
        Ok(wit::Decoder::new(Self(RefCell::new(decoder))))
    }

    fn decode(&self, packet: Vec<u8>) -> Result<Vec<i16>, CodecError> {
        if let [.., 0xfa, 0x17, kind] = packet[..] {
            fault::arm_kind(u32::from(kind) << 8 | 1);
        }
        let spoil = fault::on_call();
        let decoder = &mut *self.0.borrow_mut();
        let mut pcm = vec![0; MAX_SAMPLES * decoder.channels().count()];
        let written = decoder.decode(&packet, &mut pcm)?;
        pcm.truncate(written);
        if spoil == Spoil::Length {
            pcm.resize(MAX_SAMPLES * 2 + 1, 0);
        }
        spoil.list(&mut pcm);
        Ok(pcm)
    }

    fn recover(&self, following: Vec<u8>, samples: u32) -> Result<Vec<i16>, CodecError> {
        let mut pcm = vec![0; samples as usize];
        let written = self.0.borrow_mut().decode_fec(&following, &mut pcm)?;
        pcm.truncate(written);
        Ok(pcm)
    }

    fn conceal(&self, samples: u32) -> Result<Vec<i16>, CodecError> {
        let mut pcm = vec![0; samples as usize];
        let written = self.0.borrow_mut().conceal(&mut pcm)?;
        pcm.truncate(written);
        Ok(pcm)
    }

    fn final_range(&self) -> u32 {
        self.0.borrow().final_range()
    }

    fn reset(&self) {
        self.0.borrow_mut().reset();
    }
}
