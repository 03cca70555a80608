//! The decoder.
#![allow(unsafe_code, reason = "calls libopus")]

use crate::packet::{Packet, PacketError};
use crate::{Channels, Error, MAX_SAMPLES, SampleRate};
use core::ptr::{self, NonNull};
use opus_wasm_sys as sys;

/// Decodes one stream of Opus packets to interleaved `i16` PCM.
///
/// About 20-45 kB of state; making one costs a few microseconds.
pub struct Decoder {
    state: NonNull<sys::OpusDecoder>,
    rate: SampleRate,
    channels: Channels,
}

// SAFETY: the state is owned by this value alone and libopus keeps no thread-bound data.
unsafe impl Send for Decoder {}

impl Decoder {
    /// A decoder whose PCM has this rate and these channels, whatever the packets were made from.
    ///
    /// # Errors
    /// [`Error::NoMemory`].
    pub fn new(rate: SampleRate, channels: Channels) -> Result<Self, Error> {
        let mut code = 0;
        // SAFETY: both arguments are among those libopus takes; `code` outlives the call.
        let state =
            unsafe { sys::opus_decoder_create(rate.hz().cast_signed(), channels.count() as i32, &raw mut code) };
        match NonNull::new(state) {
            Some(state) if code == sys::OPUS_OK => Ok(Self { state, rate, channels }),
            _ => Err(Error::from_code(code)),
        }
    }

    /// Rate of the PCM.
    #[must_use]
    pub const fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Channels of the PCM.
    #[must_use]
    pub const fn channels(&self) -> Channels {
        self.channels
    }

    /// Decodes `packet` into `pcm` and returns the samples of all channels written.
    ///
    /// # Errors
    /// [`Error::Packet`] and [`Error::Undecodable`] for bad bytes, [`Error::OutputTooSmall`] where `pcm` does
    /// not hold the packet's audio ([`MAX_SAMPLES`] times the channels always does). The stream goes on in
    /// every case.
    pub fn decode(&mut self, packet: &[u8], pcm: &mut [i16]) -> Result<usize, Error> {
        let need = Packet::parse(packet)?.samples(self.rate) * self.channels.count();
        check_room(pcm, need)?;
        self.call(packet, pcm, need, false)
    }

    /// Recovers, from the redundancy (in-band FEC, RFC 6716 §2.1.7) in the packet that *follows* a lost one,
    /// the end of the lost audio; concealment fills what the redundancy does not cover. `pcm.len()` says how
    /// much was lost (a multiple of 2.5 ms).
    ///
    /// # Errors
    /// As [`decode`](Self::decode); [`Error::FrameLength`] where `pcm` is no multiple of 2.5 ms.
    pub fn decode_fec(&mut self, following: &[u8], pcm: &mut [i16]) -> Result<usize, Error> {
        Packet::parse(following)?;
        self.check_lost(pcm.len())?;
        self.call(following, pcm, pcm.len(), true)
    }

    /// Makes up audio for a lost packet (RFC 6716 §4.4). `pcm.len()` says how much was lost: a multiple of
    /// 2.5 ms, 120 ms at most.
    ///
    /// # Errors
    /// [`Error::FrameLength`] where `pcm` is no multiple of 2.5 ms or longer than 120 ms.
    pub fn conceal(&mut self, pcm: &mut [i16]) -> Result<usize, Error> {
        self.check_lost(pcm.len())?;
        self.call(&[], pcm, pcm.len(), false)
    }

    /// Back to the state of a new decoder.
    pub fn reset(&mut self) {
        // SAFETY: a valid state; this request takes no argument and cannot fail.
        unsafe { sys::opus_decoder_ctl(self.state.as_ptr(), sys::OPUS_RESET_STATE) };
    }

    /// State of the range coder after the last packet: equal to the encoder's
    /// ([`Encoder::final_range`](crate::Encoder::final_range)) if, and only if, both did the same.
    #[must_use]
    pub fn final_range(&self) -> u32 {
        let mut range = 0u32;
        // SAFETY: the request writes one u32 through the pointer.
        unsafe {
            sys::opus_decoder_ctl(self.state.as_ptr(), sys::OPUS_GET_FINAL_RANGE_REQUEST, &raw mut range);
        }
        range
    }

    fn check_lost(&self, samples: usize) -> Result<(), Error> {
        let per_channel = samples / self.channels.count();
        let step = self.rate.hz() as usize / 400;
        let max = MAX_SAMPLES * self.rate.hz() as usize / 48_000;
        let whole = samples.is_multiple_of(self.channels.count()) && per_channel.is_multiple_of(step);
        if whole && (step..=max).contains(&per_channel) {
            return Ok(());
        }
        Err(Error::FrameLength { samples, rate: self.rate.hz(), channels: self.channels.count() as u8 })
    }

    fn call(&mut self, packet: &[u8], pcm: &mut [i16], room: usize, fec: bool) -> Result<usize, Error> {
        let data = if packet.is_empty() { ptr::null() } else { packet.as_ptr() };
        let len = i32::try_from(packet.len()).map_err(|_| Error::Packet(PacketError::TooLong(packet.len())))?;
        // SAFETY: `data` holds `len` bytes, `pcm` at least `room` samples of all channels.
        let samples = unsafe {
            sys::opus_decode(
                self.state.as_ptr(),
                data,
                len,
                pcm.as_mut_ptr(),
                (room / self.channels.count()) as i32,
                i32::from(fec),
            )
        };
        match usize::try_from(samples) {
            Ok(samples) => Ok(samples * self.channels.count()),
            Err(_) => Err(Error::from_code(samples)),
        }
    }
}

fn check_room(pcm: &[i16], need: usize) -> Result<(), Error> {
    if pcm.len() < need {
        return Err(Error::OutputTooSmall { have: pcm.len(), need });
    }
    Ok(())
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: made by opus_decoder_create, destroyed once.
        unsafe { sys::opus_decoder_destroy(self.state.as_ptr()) };
    }
}

impl core::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Decoder").field("rate", &self.rate).field("channels", &self.channels).finish_non_exhaustive()
    }
}
