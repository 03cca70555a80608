//! Datagram in, audio out: open, judge, fill the gap, decode.

use crate::codec::FrameDecoder;
use crate::config::{Delivery, Incoming, Payload};
use crate::stats::Stats;
use crate::text::is_text;
use crate::{ConfigError, ReceiveError, Role, State};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use sidetone_opus::Error as CodecError;
use sidetone_opus::packet::Packet;
use sidetone_packet::{Accepted, KEY_LEN, MAX_PAYLOAD, Opener, OpenerConfig};

/// What a datagram turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Audio, decoded or passed on.
    Audio,
    /// Audio that the decoder could not decode: its frame was made up.
    Undecodable,
    /// Audio that came after its place in the stream was filled. Dropped.
    Late,
    /// Text. Swallowed.
    Text,
}

/// What came of one datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received<'s> {
    /// What it was.
    pub kind: Kind,
    /// Its sequence number.
    pub sequence: u32,
    /// Its timestamp, in ms, as the sender wrote it.
    pub timestamp: u32,
    /// Place of the first sample in the stream: samples a channel at the session's rate since its first packet, what
    /// was lost or held included.
    pub position: u64,
    /// Packets that were missing before this one.
    pub lost: u32,
    /// Of these, packets for which there is no audio.
    pub skipped: u32,
    /// Of these, packets whose audio, made up, stands at the start of `samples`.
    pub concealed: u32,
    /// Of these, packets (0 or 1) whose audio, recovered, stands in `samples` after what was made up.
    pub recovered: u32,
    /// Interleaved PCM: what fills the gap, then this packet's own. Empty for [`Delivery::Packets`].
    pub samples: &'s [i16],
    /// The payload, for [`Delivery::Packets`]; else empty.
    pub payload: &'s [u8],
}

/// Bytes of an undecodable payload that are kept to be looked at.
pub const PREFIX_LEN: usize = 16;

/// The start of the last undecodable payload, for debugging. Shows as hex.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Undecodable {
    bytes: [u8; PREFIX_LEN],
    len: u8,
    /// Bytes of the whole payload.
    pub payload_len: u16,
}

impl Undecodable {
    fn new(payload: &[u8]) -> Self {
        let len = payload.len().min(PREFIX_LEN);
        let mut bytes = [0; PREFIX_LEN];
        bytes[..len].copy_from_slice(&payload[..len]);
        Self { bytes, len: len as u8, payload_len: payload.len() as u16 }
    }

    /// At most [`PREFIX_LEN`] bytes.
    #[must_use]
    pub fn prefix(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.prefix().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        if usize::from(self.payload_len) > self.prefix().len() {
            write!(f, "… ({} bytes)", self.payload_len)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The receiving half of a session.
pub(crate) struct Receiver<D> {
    config: Incoming,
    opener: Opener,
    decoder: Option<D>,
    /// Where the next packet's audio goes, in samples a channel.
    position: u64,
    plaintext: [u8; MAX_PAYLOAD],
    pcm: Vec<i16>,
    undecodable: Option<Undecodable>,
}

impl<D: FrameDecoder> Receiver<D> {
    pub(crate) fn new(
        key: &[u8; KEY_LEN],
        connection_id: u32,
        role: Role,
        config: Incoming,
        resume: State,
        decoder: impl FnOnce() -> Result<D, CodecError>,
    ) -> Result<Self, ConfigError> {
        let limits = OpenerConfig {
            forward_limit: config.forward_limit,
            accept_unmarked_downlink: config.accept_unmarked_downlink,
        };
        let mut opener = Opener::new(key, connection_id, role.opens(), limits);
        opener.restore(resume.opened);
        let decodes = config.payload == Payload::Opus && config.delivery == Delivery::Pcm;
        let frames = match config.delivery {
            Delivery::Pcm => 1 + usize::from(config.max_concealed),
            Delivery::Packets => 0,
        };
        Ok(Self {
            config,
            opener,
            decoder: decodes.then(decoder).transpose()?,
            position: resume.position,
            plaintext: [0; MAX_PAYLOAD],
            pcm: vec![0; frames * config.frame_samples()],
            undecodable: None,
        })
    }

    pub(crate) fn receive(&mut self, datagram: &[u8], stats: &mut Stats) -> Result<Received<'_>, ReceiveError> {
        let candidate = self.opener.open(datagram, &mut self.plaintext)?;
        let len = candidate.payload_len();
        let text = is_text(&self.plaintext[..len]);
        if !text && let Err(nonsense) = self.judge(len) {
            self.opener.reject(candidate)?;
            stats.implausible_in_a_row = stats.implausible_in_a_row.saturating_add(1);
            return Err(nonsense);
        }
        let before = self.opener.state().highest;
        let accepted = self.opener.accept(candidate)?;
        stats.implausible_in_a_row = 0;
        stats.text += u64::from(text);
        if accepted.late {
            return Ok(self.nothing(if text { Kind::Text } else { Kind::Late }, &accepted));
        }
        // What is lost, and what came but was held: both took their time.
        let passed = before.map_or(0, |highest| accepted.header.sequence - highest - 1);
        Ok(self.deliver(&accepted, passed, text, len, stats))
    }

    /// Whether the plaintext is what was negotiated. Random bytes pass with 1.2 %.
    fn judge(&self, len: usize) -> Result<(), ReceiveError> {
        let config = &self.config;
        if config.payload == Payload::Pcm {
            let expected = config.frame_samples() * 2;
            return if len == expected { Ok(()) } else { Err(ReceiveError::PcmLength { bytes: len, expected }) };
        }
        let packet = Packet::parse(&self.plaintext[..len])?;
        let (micros, channels) = (packet.duration_micros(), packet.channels());
        if micros == config.frame.micros() && channels <= config.channels {
            return Ok(());
        }
        Err(ReceiveError::NotAsNegotiated {
            micros,
            channels: channels.count() as u8,
            expected_micros: config.frame.micros(),
            expected_channels: config.channels.count() as u8,
        })
    }

    fn nothing(&self, kind: Kind, accepted: &Accepted) -> Received<'_> {
        Received {
            kind,
            sequence: accepted.header.sequence,
            timestamp: accepted.header.timestamp,
            position: self.position,
            lost: 0,
            skipped: 0,
            concealed: 0,
            recovered: 0,
            samples: &[],
            payload: &[],
        }
    }

    fn deliver(&mut self, accepted: &Accepted, passed: u32, text: bool, len: usize, stats: &mut Stats) -> Received<'_> {
        let frame = self.config.frame_samples();
        let per_channel = self.config.frame.samples(self.config.rate) as u64;
        let lost = accepted.gap;
        let made = lost.min(u32::from(self.config.max_concealed));
        let made = if self.config.delivery == Delivery::Packets { 0 } else { made };
        let skipped = lost - made;
        let position = self.position.saturating_add(per_channel * u64::from(passed - made));

        let recovered = self.fill_gap(made as usize, text, len);
        let concealed = made - recovered;
        let mut written = made as usize * frame;
        let mut kind = if text { Kind::Text } else { Kind::Audio };
        if !text {
            if self.config.delivery == Delivery::Pcm {
                if !self.decode_at(written, len) {
                    kind = Kind::Undecodable;
                }
                written += frame;
            }
            stats.received += 1;
            stats.received_bytes += len as u64;
        }
        self.position = self.position.saturating_add(per_channel * (u64::from(passed) + u64::from(!text)));
        stats.lost += u64::from(lost);
        stats.skipped += u64::from(skipped);
        stats.concealed += u64::from(concealed);
        stats.recovered += u64::from(recovered);
        stats.undecodable += u64::from(kind == Kind::Undecodable);
        let pass_on = self.config.delivery == Delivery::Packets && !text;
        Received {
            kind,
            sequence: accepted.header.sequence,
            timestamp: accepted.header.timestamp,
            position,
            lost,
            skipped,
            concealed,
            recovered,
            samples: &self.pcm[..written],
            payload: if pass_on { &self.plaintext[..len] } else { &[] },
        }
    }

    /// Makes up `frames` lost frames at the start of the buffer; the last of them is recovered where the packet that
    /// came can do that. Returns how many were recovered.
    fn fill_gap(&mut self, frames: usize, text: bool, len: usize) -> u32 {
        let frame = self.config.frame_samples();
        for index in 0..frames {
            let slot = &mut self.pcm[index * frame..(index + 1) * frame];
            let Some(decoder) = &mut self.decoder else {
                slot.fill(0);
                continue;
            };
            let last = index + 1 == frames;
            if last && !text && decoder.recover(&self.plaintext[..len], slot) == Ok(Some(frame)) {
                return 1;
            }
            conceal(decoder, slot);
        }
        0
    }

    /// Decodes the payload to its place in the buffer. `false`: it could not be decoded, and was made up.
    fn decode_at(&mut self, start: usize, len: usize) -> bool {
        let payload = &self.plaintext[..len];
        let slot = &mut self.pcm[start..start + self.config.frame_samples()];
        let Some(decoder) = &mut self.decoder else {
            let samples = payload.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
            slot.iter_mut().zip(samples).for_each(|(to, sample)| *to = sample);
            return true;
        };
        if decoder.decode(payload, slot) == Ok(slot.len()) {
            return true;
        }
        self.undecodable = Some(Undecodable::new(payload));
        conceal(decoder, slot);
        false
    }

    pub(crate) const fn opener(&self) -> &Opener {
        &self.opener
    }

    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    pub(crate) const fn undecodable(&self) -> Option<Undecodable> {
        self.undecodable
    }
}

/// Makes up a frame; silence where even that fails.
fn conceal(decoder: &mut impl FrameDecoder, slot: &mut [i16]) {
    if decoder.conceal(slot) != Ok(slot.len()) {
        slot.fill(0);
    }
}
