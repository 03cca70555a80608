//! The encoder, and how it codes frames longer than 20 ms.
#![allow(unsafe_code, reason = "calls libopus")]

use crate::packet::{Mode, Toc};
use crate::repacketizer::Repacketizer;
use crate::{
    Application, Bandwidth, Bitrate, Channels, Complexity, Error, FrameDuration, MAX_FRAME_PACKET, SampleRate, Signal,
    Split,
};
use alloc::boxed::Box;
use alloc::vec;
use opus_wasm_sys as sys;

/// Encodes interleaved `i16` PCM to one stream of Opus packets.
///
/// About 45 kB of state, twice that where frames are [split](Split).
pub struct Encoder {
    /// `OpusEncoder` and its parts: contiguous and without pointers into itself, as libopus documents, so
    /// that a copy of the bytes is a copy of the encoder.
    state: Box<[u64]>,
    rate: SampleRate,
    channels: Channels,
    vbr: bool,
    split: Split,
    last_toc: Option<Toc>,
    splitter: Option<Splitter>,
}

/// What splitting needs beside the encoder; made at the first frame that is split.
struct Splitter {
    repacketizer: Repacketizer,
    /// The encoder before the packet: to start over where the frames cannot be joined.
    before: Box<[u64]>,
    packets: Box<[[u8; MAX_FRAME_PACKET]]>,
}

impl Encoder {
    /// An encoder for PCM of this rate and channels. Defaults are libopus's: bitrate by rate and channels,
    /// complexity 9, VBR, no FEC, no DTX.
    ///
    /// # Errors
    /// [`Error::NoMemory`].
    pub fn new(rate: SampleRate, channels: Channels, application: Application) -> Result<Self, Error> {
        let count = channels.count() as i32;
        // SAFETY: takes a channel count of 1 or 2.
        let bytes = unsafe { sys::opus_encoder_get_size(count) };
        let words = usize::try_from(bytes).map_err(|_| Error::from_code(bytes))?.div_ceil(8);
        let mut state = vec![0u64; words].into_boxed_slice();
        // SAFETY: the state has the size libopus asked for and the alignment of its widest field.
        let code = unsafe {
            sys::opus_encoder_init(state.as_mut_ptr().cast(), rate.hz().cast_signed(), count, application.raw())
        };
        if code != sys::OPUS_OK {
            return Err(Error::from_code(code));
        }
        Ok(Self { state, rate, channels, vbr: true, split: Split::Auto, last_toc: None, splitter: None })
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

    /// Target bitrate.
    ///
    /// # Errors
    /// [`Error::Bitrate`] outside 500 to 512000 bits/s.
    pub fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), Error> {
        self.set(sys::OPUS_SET_BITRATE_REQUEST, bitrate.raw()?)
    }

    /// The bitrate in force, in bits/s.
    #[must_use]
    pub fn bitrate(&self) -> u32 {
        self.get(sys::OPUS_GET_BITRATE_REQUEST)
    }

    /// Samples a channel by which the coded audio lags behind the input (6.5 ms; 2.5 ms with
    /// [`Application::LowDelay`]). An Ogg file's pre-skip, at 48 kHz, says the same.
    #[must_use]
    pub fn lookahead(&self) -> usize {
        self.get(sys::OPUS_GET_LOOKAHEAD_REQUEST) as usize
    }

    /// CPU against sound.
    ///
    /// # Errors
    /// None in practice: [`Complexity`] holds no bad value.
    pub fn set_complexity(&mut self, complexity: Complexity) -> Result<(), Error> {
        self.set(sys::OPUS_SET_COMPLEXITY_REQUEST, i32::from(complexity.get()))
    }

    /// Variable (true) or constant bitrate.
    ///
    /// # Errors
    /// None in practice.
    pub fn set_vbr(&mut self, vbr: bool) -> Result<(), Error> {
        self.set(sys::OPUS_SET_VBR_REQUEST, i32::from(vbr))?;
        self.vbr = vbr;
        Ok(())
    }

    /// Discontinuous transmission: packets of one or two bytes while nobody speaks.
    ///
    /// # Errors
    /// None in practice.
    pub fn set_dtx(&mut self, dtx: bool) -> Result<(), Error> {
        self.set(sys::OPUS_SET_DTX_REQUEST, i32::from(dtx))
    }

    /// In-band forward error correction; takes effect where [`set_expected_loss`](Self::set_expected_loss)
    /// is above zero and SILK has bits for it.
    ///
    /// # Errors
    /// None in practice.
    pub fn set_fec(&mut self, fec: bool) -> Result<(), Error> {
        self.set(sys::OPUS_SET_INBAND_FEC_REQUEST, i32::from(fec))
    }

    /// Loss to prepare for, in percent.
    ///
    /// # Errors
    /// [`Error::Loss`] above 100.
    pub fn set_expected_loss(&mut self, percent: u32) -> Result<(), Error> {
        if percent > 100 {
            return Err(Error::Loss(percent));
        }
        self.set(sys::OPUS_SET_PACKET_LOSS_PERC_REQUEST, percent.cast_signed())
    }

    /// Highest bandwidth the encoder may choose.
    ///
    /// # Errors
    /// None in practice.
    pub fn set_max_bandwidth(&mut self, bandwidth: Bandwidth) -> Result<(), Error> {
        self.set(sys::OPUS_SET_MAX_BANDWIDTH_REQUEST, bandwidth.raw())
    }

    /// What the signal is.
    ///
    /// # Errors
    /// None in practice.
    pub fn set_signal(&mut self, signal: Signal) -> Result<(), Error> {
        self.set(sys::OPUS_SET_SIGNAL_REQUEST, signal.raw())
    }

    /// How frames longer than 20 ms are coded.
    pub const fn set_split(&mut self, split: Split) {
        self.split = split;
    }

    /// Encodes one frame (2.5 to 120 ms) into `out` and returns the bytes of the packet.
    ///
    /// # Errors
    /// [`Error::FrameLength`] where `pcm` is no frame; [`Error::OutputTooSmall`] where `out` is empty or too
    /// small for the number of frames ([`MAX_PACKET`](crate::MAX_PACKET) always does).
    pub fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Result<usize, Error> {
        let channels = self.channels.count();
        let duration = FrameDuration::from_samples(pcm.len() / channels, self.rate)
            .filter(|_| pcm.len().is_multiple_of(channels))
            .ok_or(Error::FrameLength { samples: pcm.len(), rate: self.rate.hz(), channels: channels as u8 })?;
        if let Some(room) = self.room_for_split(duration, out.len())
            && let Some(len) = self.encode_split(pcm, room, out)?
        {
            return Ok(len);
        }
        self.encode_whole(pcm, out)
    }

    /// Back to the state of a new encoder with the same settings.
    pub fn reset(&mut self) {
        // SAFETY: a valid state; this request takes no argument and cannot fail.
        unsafe { sys::opus_encoder_ctl(self.as_ptr(), sys::OPUS_RESET_STATE) };
        self.last_toc = None;
    }

    /// State of the range coder after the last packet; the decoder of the packet arrives at the same.
    #[must_use]
    pub fn final_range(&self) -> u32 {
        self.get(sys::OPUS_GET_FINAL_RANGE_REQUEST)
    }

    fn encode_whole(&mut self, pcm: &[i16], out: &mut [u8]) -> Result<usize, Error> {
        if out.is_empty() {
            return Err(Error::OutputTooSmall { have: 0, need: 1 });
        }
        let len = self.call(pcm, out)?;
        self.last_toc = Some(Toc(out[0]));
        Ok(len)
    }

    /// Bytes each 20 ms frame may take, where the frame is to be split.
    fn room_for_split(&self, duration: FrameDuration, out: usize) -> Option<usize> {
        let frames = duration.micros() as usize / 20_000;
        let wanted = match self.split {
            Split::Never => false,
            Split::Always => true,
            Split::Auto => self.last_toc.is_some_and(|toc| toc.mode() == Mode::Hybrid),
        };
        // Constant bitrate is libopus's business: it makes all packets equally long.
        if !wanted || !self.vbr || frames < 2 {
            return None;
        }
        // TOC, frame count, and a length of up to two bytes for each frame but the last.
        let room = out.checked_sub(2 * frames)? / frames;
        let mean = self.bitrate() as usize / 50 / 8;
        (room >= 2 * mean).then(|| room.min(MAX_FRAME_PACKET))
    }

    /// Encodes frames of 20 ms and joins them. `None`, with the encoder as it was before, where they
    /// cannot be joined because the mode changed between them: libopus knows how to do that inside a packet.
    fn encode_split(&mut self, pcm: &[i16], room: usize, out: &mut [u8]) -> Result<Option<usize>, Error> {
        let frame = FrameDuration::Ms20.samples(self.rate) * self.channels.count();
        let frames = pcm.len() / frame;
        let mut splitter = match self.splitter.take() {
            Some(splitter) => splitter,
            None => Splitter::new(self.state.len())?,
        };
        splitter.before.copy_from_slice(&self.state);

        let mut lengths = [0usize; 6];
        let mut first = None;
        for (index, chunk) in pcm.chunks_exact(frame).enumerate() {
            let packet = &mut splitter.packets[index];
            lengths[index] = self.call(chunk, &mut packet[..room])?;
            let toc = Toc(packet[0]);
            if !first.get_or_insert(toc).is_joinable_with(toc) {
                self.state.copy_from_slice(&splitter.before);
                self.splitter = Some(splitter);
                return Ok(None);
            }
        }
        let packets = splitter.packets.iter().zip(lengths).map(|(packet, len)| &packet[..len]).take(frames);
        let len = splitter.repacketizer.join(packets, out)?;
        self.last_toc = first;
        self.splitter = Some(splitter);
        Ok(Some(len))
    }

    fn call(&mut self, pcm: &[i16], out: &mut [u8]) -> Result<usize, Error> {
        let room = i32::try_from(out.len()).unwrap_or(i32::MAX);
        let samples = (pcm.len() / self.channels.count()) as i32;
        // SAFETY: `pcm` holds `samples` of all channels, `out` at least `room` bytes.
        let len = unsafe { sys::opus_encode(self.as_ptr(), pcm.as_ptr(), samples, out.as_mut_ptr(), room) };
        match usize::try_from(len) {
            Ok(len) => Ok(len),
            Err(_) if len == sys::OPUS_BUFFER_TOO_SMALL => {
                Err(Error::OutputTooSmall { have: out.len(), need: crate::MAX_PACKET })
            }
            Err(_) => Err(Error::from_code(len)),
        }
    }

    fn set(&mut self, request: i32, value: i32) -> Result<(), Error> {
        // SAFETY: every request used here takes one i32.
        let code = unsafe { sys::opus_encoder_ctl(self.as_ptr(), request, value) };
        if code == sys::OPUS_OK { Ok(()) } else { Err(Error::from_code(code)) }
    }

    fn get(&self, request: i32) -> u32 {
        let mut value = 0u32;
        // SAFETY: every request used here writes 32 bits through the pointer and changes nothing in the state.
        unsafe { sys::opus_encoder_ctl(self.state.as_ptr().cast_mut().cast(), request, &raw mut value) };
        value
    }

    fn as_ptr(&mut self) -> *mut sys::OpusEncoder {
        self.state.as_mut_ptr().cast()
    }
}

impl Splitter {
    fn new(words: usize) -> Result<Self, Error> {
        Ok(Self {
            repacketizer: Repacketizer::new()?,
            before: vec![0; words].into_boxed_slice(),
            packets: vec![[0; MAX_FRAME_PACKET]; 6].into_boxed_slice(),
        })
    }
}

impl core::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Encoder")
            .field("rate", &self.rate)
            .field("channels", &self.channels)
            .field("split", &self.split)
            .finish_non_exhaustive()
    }
}
