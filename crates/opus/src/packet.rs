//! What a packet says of itself before it is decoded (RFC 6716 §3), in plain Rust.
//!
//! Random bytes parse as Opus more often than not (27-63 %), so a parse alone does not tell audio from
//! noise; compare [`Packet::duration_micros`] and [`Packet::channels`] with what was negotiated.

use crate::{Bandwidth, Channels, SampleRate};
use core::ops::Range;

/// Most frames a packet can hold: 120 ms of 2.5 ms (RFC 6716 §3.2.5).
pub const MAX_FRAMES: usize = 48;

/// Most bytes a frame can have (RFC 6716 §3.4 R2).
pub const MAX_FRAME_BYTES: usize = 1275;

/// Why bytes are no Opus packet; each is a rule of RFC 6716 §3.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// R1: a packet has at least one byte.
    #[error("it is empty")]
    Empty,
    /// R2: a frame has at most 1275 bytes.
    #[error("a frame of {0} bytes, 1275 are the most")]
    FrameTooLong(usize),
    /// R3: two frames of equal size need an even number of bytes.
    #[error("two equal frames in {0} bytes")]
    OddPair(usize),
    /// R4, R7: a frame length or the padding reaches beyond the packet.
    #[error("a length reaches beyond the packet's {0} bytes")]
    Truncated(usize),
    /// R5: the frame count is zero or the audio is longer than 120 ms.
    #[error("{0} frames make no packet of at most 120 ms")]
    FrameCount(usize),
    /// R6: equal frames do not divide the bytes there are.
    #[error("{bytes} bytes do not divide into {frames} equal frames")]
    UnequalFrames {
        /// Bytes left for frames.
        bytes: usize,
        /// Frames announced.
        frames: usize,
    },
    /// Longer than any length libopus takes.
    #[error("{0} bytes are more than a packet can have")]
    TooLong(usize),
}

/// Which of Opus's coders made a packet (RFC 6716 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Linear prediction: speech at low rates.
    Silk,
    /// SILK below 8 kHz, CELT above.
    Hybrid,
    /// Transform coding.
    Celt,
}

/// The first byte of a packet: configuration, channels, and how frames are counted (RFC 6716 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Toc(pub u8);

impl Toc {
    /// The configuration number, 0 to 31 (RFC 6716 table 2).
    #[must_use]
    pub const fn config(self) -> u8 {
        self.0 >> 3
    }

    /// The coder.
    #[must_use]
    pub const fn mode(self) -> Mode {
        match self.config() {
            0..=11 => Mode::Silk,
            12..=15 => Mode::Hybrid,
            _ => Mode::Celt,
        }
    }

    /// The audio bandwidth.
    #[must_use]
    pub const fn bandwidth(self) -> Bandwidth {
        match self.config() {
            0..=3 | 16..=19 => Bandwidth::Narrow,
            4..=7 => Bandwidth::Medium,
            8..=11 | 20..=23 => Bandwidth::Wide,
            12..=13 | 24..=27 => Bandwidth::SuperWide,
            _ => Bandwidth::Full,
        }
    }

    /// Duration of one frame in microseconds.
    #[must_use]
    pub const fn frame_micros(self) -> u32 {
        let config = self.config();
        match config {
            0..=11 => [10_000, 20_000, 40_000, 60_000][(config & 3) as usize],
            12..=15 => [10_000, 20_000][(config & 1) as usize],
            _ => [2_500, 5_000, 10_000, 20_000][(config & 3) as usize],
        }
    }

    /// Channels coded; the decoder makes what it was opened for.
    #[must_use]
    pub const fn channels(self) -> Channels {
        if self.0 & 4 == 0 { Channels::Mono } else { Channels::Stereo }
    }

    /// Everything but the frame count: what packets must share to be joined.
    #[must_use]
    pub const fn is_joinable_with(self, other: Self) -> bool {
        self.0 & 0xFC == other.0 & 0xFC
    }
}

/// A parsed packet: where its frames lie. Refers to nothing; ranges are offsets into the bytes parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    toc: Toc,
    count: usize,
    offsets: [u16; MAX_FRAMES],
    lengths: [u16; MAX_FRAMES],
}

impl Packet {
    /// Parses a packet as libopus does (RFC 6716 §3.2, §3.4; padding and extensions skipped).
    ///
    /// # Errors
    /// The rule that the bytes break.
    pub fn parse(bytes: &[u8]) -> Result<Self, PacketError> {
        let (&toc, mut rest) = bytes.split_first().ok_or(PacketError::Empty)?;
        let total = bytes.len();
        if total > usize::from(u16::MAX) {
            return Err(PacketError::TooLong(total));
        }
        let mut packet = Self { toc: Toc(toc), count: 1, offsets: [0; MAX_FRAMES], lengths: [0; MAX_FRAMES] };
        match toc & 3 {
            0 => packet.place(0, total - rest.len(), rest.len())?,
            1 => {
                if !rest.len().is_multiple_of(2) {
                    return Err(PacketError::OddPair(rest.len()));
                }
                packet.place_equal(2, total - rest.len(), rest.len())?;
            }
            2 => {
                let first = take_length(&mut rest, total)?;
                let start = total - rest.len();
                let second = rest.len().checked_sub(first).ok_or(PacketError::Truncated(total))?;
                packet.count = 2;
                packet.place(0, start, first)?;
                packet.place(1, start + first, second)?;
            }
            _ => packet.parse_many(rest, total)?,
        }
        Ok(packet)
    }

    /// Code 3: a signalled number of frames (RFC 6716 §3.2.5).
    fn parse_many(&mut self, mut rest: &[u8], total: usize) -> Result<(), PacketError> {
        let flags = take_byte(&mut rest, total)?;
        let count = usize::from(flags & 0x3F);
        if count == 0 || self.toc.frame_micros() * count as u32 > 120_000 {
            return Err(PacketError::FrameCount(count));
        }
        if flags & 0x40 != 0 {
            let mut padding = 0;
            loop {
                let byte = usize::from(take_byte(&mut rest, total)?);
                padding += if byte == 255 { 254 } else { byte };
                if byte != 255 {
                    break;
                }
            }
            let audio = rest.len().checked_sub(padding).ok_or(PacketError::Truncated(total))?;
            let start = total - rest.len();
            rest = &rest[..audio];
            return self.parse_frames(rest, flags, count, start, total);
        }
        let start = total - rest.len();
        self.parse_frames(rest, flags, count, start, total)
    }

    fn parse_frames(
        &mut self,
        mut rest: &[u8],
        flags: u8,
        count: usize,
        mut start: usize,
        total: usize,
    ) -> Result<(), PacketError> {
        if flags & 0x80 == 0 {
            if !rest.len().is_multiple_of(count) {
                return Err(PacketError::UnequalFrames { bytes: rest.len(), frames: count });
            }
            return self.place_equal(count, start, rest.len());
        }
        let before = rest.len();
        let mut announced = 0;
        for index in 0..count - 1 {
            let length = take_length(&mut rest, total)?;
            self.lengths[index] = length as u16;
            announced += length;
        }
        start += before - rest.len();
        let last = rest.len().checked_sub(announced).ok_or(PacketError::Truncated(total))?;
        self.count = count;
        for index in 0..count {
            let length = if index + 1 == count { last } else { usize::from(self.lengths[index]) };
            self.place(index, start, length)?;
            start += length;
        }
        Ok(())
    }

    fn place_equal(&mut self, count: usize, start: usize, bytes: usize) -> Result<(), PacketError> {
        self.count = count;
        let each = bytes / count;
        (0..count).try_for_each(|index| self.place(index, start + index * each, each))
    }

    fn place(&mut self, index: usize, offset: usize, length: usize) -> Result<(), PacketError> {
        if length > MAX_FRAME_BYTES {
            return Err(PacketError::FrameTooLong(length));
        }
        self.offsets[index] = offset as u16;
        self.lengths[index] = length as u16;
        Ok(())
    }

    /// The first byte.
    #[must_use]
    pub const fn toc(&self) -> Toc {
        self.toc
    }

    /// The coder.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.toc.mode()
    }

    /// The audio bandwidth.
    #[must_use]
    pub const fn bandwidth(&self) -> Bandwidth {
        self.toc.bandwidth()
    }

    /// Channels coded.
    #[must_use]
    pub const fn channels(&self) -> Channels {
        self.toc.channels()
    }

    /// Number of frames, 1 to 48.
    #[must_use]
    pub const fn frame_count(&self) -> usize {
        self.count
    }

    /// Where each frame lies in the bytes parsed. An empty range is a frame that was not sent (DTX).
    pub fn frames(&self) -> impl ExactSizeIterator<Item = Range<usize>> + '_ {
        self.offsets[..self.count]
            .iter()
            .zip(&self.lengths[..self.count])
            .map(|(&offset, &length)| usize::from(offset)..usize::from(offset) + usize::from(length))
    }

    /// Duration of the audio in microseconds, 2500 to 120000.
    #[must_use]
    pub const fn duration_micros(&self) -> u32 {
        self.toc.frame_micros() * self.count as u32
    }

    /// Samples a channel when decoded at `rate`.
    #[must_use]
    pub const fn samples(&self, rate: SampleRate) -> usize {
        (rate.hz() / 100 * (self.duration_micros() / 100) / 100) as usize
    }
}

fn take_byte(rest: &mut &[u8], total: usize) -> Result<u8, PacketError> {
    let (&byte, tail) = rest.split_first().ok_or(PacketError::Truncated(total))?;
    *rest = tail;
    Ok(byte)
}

/// A frame length of one or two bytes (RFC 6716 §3.2.1).
fn take_length(rest: &mut &[u8], total: usize) -> Result<usize, PacketError> {
    let first = usize::from(take_byte(rest, total)?);
    if first < 252 {
        return Ok(first);
    }
    Ok(4 * usize::from(take_byte(rest, total)?) + first)
}

/// Whether a packet carries redundancy for the one before it (in-band FEC; SILK and hybrid only). `false` for bytes
/// that are no packet.
///
/// The first bits of a SILK frame are a voice-activity flag for each 20 ms, then the redundancy flag; for the side
/// channel the same again (RFC 6716 §4.2.3, §4.2.4). They are coded with even odds, and so lie in the open.
#[must_use]
pub fn has_redundancy(bytes: &[u8]) -> bool {
    let Ok(packet) = Packet::parse(bytes) else { return false };
    if packet.mode() == Mode::Celt {
        return false;
    }
    let Some(&first) = packet.frames().next().and_then(|frame| bytes[frame].first()) else { return false };
    let voice_flags = (packet.toc().frame_micros() / 20_000).max(1);
    let mid = first >> (7 - voice_flags) & 1 == 1;
    let side = packet.channels() == Channels::Stereo && first >> (6 - 2 * voice_flags) & 1 == 1;
    mid || side
}
