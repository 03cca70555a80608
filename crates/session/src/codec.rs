//! The seam between a stream and its codec: libopus here, an imported interface in a composed component, a faulty one
//! in tests.

use crate::{Outgoing, Quality};
#[cfg(feature = "libopus")]
use sidetone_opus::{Bitrate, Decoder, Encoder, packet};
use sidetone_opus::{Channels, Error, SampleRate};

/// A pair of codecs.
pub trait Codec {
    /// Makes packets.
    type Encoder: FrameEncoder;
    /// Takes them apart.
    type Decoder: FrameDecoder;

    /// An encoder for a stream.
    ///
    /// # Errors
    /// What the codec refuses.
    fn encoder(outgoing: &Outgoing) -> Result<Self::Encoder, Error>;

    /// A decoder whose PCM has this rate and these channels.
    ///
    /// # Errors
    /// What the codec refuses.
    fn decoder(rate: SampleRate, channels: Channels) -> Result<Self::Decoder, Error>;
}

/// Makes one packet of one frame.
pub trait FrameEncoder {
    /// Encodes one frame of interleaved `i16` and returns the bytes written.
    ///
    /// # Errors
    /// What the codec refuses.
    fn encode(&mut self, frame: &[i16], out: &mut [u8]) -> Result<usize, Error>;

    /// Takes a step of the quality ladder, at a frame boundary.
    ///
    /// # Errors
    /// What the codec refuses.
    fn set_quality(&mut self, quality: Quality, outgoing: &Outgoing) -> Result<(), Error>;

    /// Samples a channel by which the coded audio lags behind the input.
    fn lookahead(&self) -> usize;

    /// Forgets what came before.
    fn reset(&mut self);
}

/// Makes one frame of one packet. Each call fills `pcm` from its start and returns the samples of all channels.
pub trait FrameDecoder {
    /// Decodes a packet.
    ///
    /// # Errors
    /// What the codec refuses.
    fn decode(&mut self, packet: &[u8], pcm: &mut [i16]) -> Result<usize, Error>;

    /// Recovers a lost frame of `pcm.len()` samples from the packet that follows it; `Ok(None)` where that packet
    /// carries no redundancy.
    ///
    /// # Errors
    /// What the codec refuses.
    fn recover(&mut self, following: &[u8], pcm: &mut [i16]) -> Result<Option<usize>, Error>;

    /// Makes up a lost frame of `pcm.len()` samples.
    ///
    /// # Errors
    /// What the codec refuses.
    fn conceal(&mut self, pcm: &mut [i16]) -> Result<usize, Error>;
}

/// libopus, called directly.
#[cfg(feature = "libopus")]
#[derive(Debug, Clone, Copy)]
pub struct Libopus;

#[cfg(feature = "libopus")]
impl Codec for Libopus {
    type Encoder = Encoder;
    type Decoder = Decoder;

    fn encoder(outgoing: &Outgoing) -> Result<Encoder, Error> {
        let mut encoder = Encoder::new(outgoing.rate, outgoing.channels, outgoing.application)?;
        encoder.set_vbr(outgoing.vbr)?;
        encoder.set_dtx(outgoing.dtx)?;
        encoder.set_fec(outgoing.fec)?;
        encoder.set_expected_loss(u32::from(outgoing.expected_loss))?;
        encoder.set_signal(outgoing.signal)?;
        encoder.set_split(outgoing.split);
        Ok(encoder)
    }

    fn decoder(rate: SampleRate, channels: Channels) -> Result<Decoder, Error> {
        Decoder::new(rate, channels)
    }
}

#[cfg(feature = "libopus")]
impl FrameEncoder for Encoder {
    fn encode(&mut self, frame: &[i16], out: &mut [u8]) -> Result<usize, Error> {
        Self::encode(self, frame, out)
    }

    fn set_quality(&mut self, quality: Quality, outgoing: &Outgoing) -> Result<(), Error> {
        self.set_complexity(quality.complexity())?;
        self.set_max_bandwidth(quality.max_bandwidth())?;
        let wanted = match outgoing.bitrate {
            // A step down must not raise it above what libopus chooses.
            Bitrate::Auto if quality != Quality::Full => Bitrate::BitsPerSecond(auto_bitrate(outgoing)),
            bitrate => bitrate,
        };
        self.set_bitrate(quality.bitrate(wanted, outgoing.channels))
    }

    fn lookahead(&self) -> usize {
        Self::lookahead(self)
    }

    fn reset(&mut self) {
        Self::reset(self);
    }
}

/// What [`Bitrate::Auto`] means to libopus (`user_bitrate_to_bitrate`): 60 bits a packet, and one a sample.
#[cfg(feature = "libopus")]
const fn auto_bitrate(outgoing: &Outgoing) -> u32 {
    60 * (1_000_000 / outgoing.frame.micros()) + outgoing.rate.hz() * outgoing.channels.count() as u32
}

#[cfg(feature = "libopus")]
impl FrameDecoder for Decoder {
    fn decode(&mut self, packet: &[u8], pcm: &mut [i16]) -> Result<usize, Error> {
        Self::decode(self, packet, pcm)
    }

    fn recover(&mut self, following: &[u8], pcm: &mut [i16]) -> Result<Option<usize>, Error> {
        if !packet::has_redundancy(following) {
            return Ok(None);
        }
        self.decode_fec(following, pcm).map(Some)
    }

    fn conceal(&mut self, pcm: &mut [i16]) -> Result<usize, Error> {
        Self::conceal(self, pcm)
    }
}
