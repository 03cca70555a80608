//! PCM of any length in, sealed datagrams out: frame, encode, seal.

use crate::codec::FrameEncoder;
use crate::config::{Outgoing, Payload, Timestamps};
use crate::stats::Stats;
use crate::{ConfigError, Quality, Role, SendError, State};
use alloc::vec::Vec;
use sidetone_opus::Error as CodecError;
use sidetone_packet::{Direction, HEADER_LEN, KEY_LEN, MAX_PAYLOAD, SealError, Sealer, SealerState};

/// The sending half of a session.
pub(crate) struct Sender<E> {
    config: Outgoing,
    sealer: Sealer,
    encoder: Option<E>,
    quality: Quality,
    /// Samples that do not fill a frame yet; less than one frame.
    pending: Vec<i16>,
    /// Samples a channel that the decoder of the other side will still owe when everything so far is sent.
    owed: usize,
    packet: [u8; HEADER_LEN + MAX_PAYLOAD],
}

impl<E: FrameEncoder> Sender<E> {
    pub(crate) fn new(
        key: &[u8; KEY_LEN],
        connection_id: u32,
        role: Role,
        config: Outgoing,
        quality: Quality,
        resume: State,
        encoder: impl FnOnce(&Outgoing) -> Result<E, CodecError>,
    ) -> Result<Self, ConfigError> {
        let mut sealer = Sealer::new(key, connection_id, role.seals());
        sealer.restore(resume.sealed);
        let mut encoder = (config.payload == Payload::Opus).then(|| encoder(&config)).transpose()?;
        if let Some(encoder) = &mut encoder {
            encoder.set_quality(quality, &config)?;
        }
        Ok(Self {
            config,
            sealer,
            encoder,
            quality,
            pending: Vec::with_capacity(config.frame_samples()),
            owed: 0,
            packet: [0; HEADER_LEN + MAX_PAYLOAD],
        })
    }

    pub(crate) fn send(
        &mut self,
        mut pcm: &[i16],
        timestamp_ms: u32,
        stats: &mut Stats,
        emit: &mut dyn FnMut(&[u8]),
    ) -> Result<u32, SendError> {
        let channels = self.config.channels.count();
        if !pcm.len().is_multiple_of(channels) {
            return Err(SendError::Uneven { samples: pcm.len(), channels: channels as u8 });
        }
        let frame = self.config.frame_samples();
        let mut sent = 0;
        if !self.pending.is_empty() {
            let (head, rest) = pcm.split_at(pcm.len().min(frame - self.pending.len()));
            self.pending.extend_from_slice(head);
            pcm = rest;
            if self.pending.len() < frame {
                return Ok(0);
            }
            let whole = core::mem::take(&mut self.pending);
            let result = self.frame(&whole, timestamp_ms, stats, emit);
            self.pending = whole;
            self.pending.clear();
            result?;
            self.owed = self.lookahead();
            sent = 1;
        }
        let mut frames = pcm.chunks_exact(frame);
        for whole in &mut frames {
            self.frame(whole, self.later(timestamp_ms, sent), stats, emit)?;
            self.owed = self.lookahead();
            sent += 1;
        }
        self.pending.extend_from_slice(frames.remainder());
        Ok(sent)
    }

    /// Sends what is left, filled up with silence: first the tail, then, where the encoder's look-ahead still holds
    /// some of it back, as many frames of silence as that takes.
    pub(crate) fn flush(
        &mut self,
        timestamp_ms: u32,
        stats: &mut Stats,
        emit: &mut dyn FnMut(&[u8]),
    ) -> Result<u32, SendError> {
        let channels = self.config.channels.count();
        let frame = self.config.frame_samples();
        let mut tail = core::mem::take(&mut self.pending);
        if !tail.is_empty() {
            self.owed = self.lookahead();
        }
        let mut sent = 0;
        let mut result = Ok(());
        while !tail.is_empty() || self.owed > 0 {
            let silence = (frame - tail.len()) / channels;
            tail.resize(frame, 0);
            result = self.frame(&tail, self.later(timestamp_ms, sent), stats, emit);
            tail.clear();
            if result.is_err() {
                self.owed = 0;
                break;
            }
            self.owed = self.owed.saturating_sub(silence);
            stats.padded_samples += silence as u64;
            sent += 1;
        }
        self.pending = tail;
        result.map(|()| sent)
    }

    /// Drops what is not sent yet and starts the encoder afresh: the speaker was interrupted.
    pub(crate) fn discard(&mut self) {
        self.pending.clear();
        self.owed = 0;
        if let Some(encoder) = &mut self.encoder {
            encoder.reset();
        }
    }

    /// Seals a payload made elsewhere.
    pub(crate) fn send_payload(
        &mut self,
        payload: &[u8],
        timestamp_ms: u32,
        stats: &mut Stats,
        emit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), SendError> {
        let header = self.sealer.seal(self.on_wire(timestamp_ms)?, payload, &mut self.packet)?;
        count(stats, payload.len());
        emit(&self.packet[..header.packet_len()]);
        Ok(())
    }

    pub(crate) fn set_quality(&mut self, quality: Quality) -> Result<(), CodecError> {
        if let Some(encoder) = &mut self.encoder {
            encoder.set_quality(quality, &self.config)?;
        }
        self.quality = quality;
        Ok(())
    }

    pub(crate) const fn quality(&self) -> Quality {
        self.quality
    }

    pub(crate) const fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    fn frame(
        &mut self,
        pcm: &[i16],
        timestamp_ms: u32,
        stats: &mut Stats,
        emit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), SendError> {
        let mut payload = [0; MAX_PAYLOAD];
        let len = match &mut self.encoder {
            Some(encoder) => encoder.encode(pcm, &mut payload)?,
            None => {
                payload.chunks_exact_mut(2).zip(pcm).for_each(|(to, sample)| to.copy_from_slice(&sample.to_le_bytes()));
                pcm.len() * 2
            }
        };
        self.send_payload(&payload[..len], timestamp_ms, stats, emit)
    }

    fn lookahead(&self) -> usize {
        self.encoder.as_ref().map_or(0, FrameEncoder::lookahead)
    }

    /// The timestamp of the packet `packets` after one of `timestamp_ms`.
    fn later(&self, timestamp_ms: u32, packets: u32) -> u32 {
        let elapsed = u64::from(packets) * u64::from(self.config.frame.micros()) / 1000;
        timestamp_ms.saturating_add(u32::try_from(elapsed).unwrap_or(u32::MAX))
    }

    /// The timestamp to seal with. Downlink, the sealer itself makes it increase.
    fn on_wire(&self, timestamp_ms: u32) -> Result<u32, SealError> {
        let state = self.sealer.state();
        match (self.sealer.direction(), self.config.timestamps) {
            (Direction::Uplink, Timestamps::Zero) => Ok(0),
            (Direction::Uplink, Timestamps::Elapsed) if state != SealerState::START => {
                let lowest = state.last_timestamp.checked_add(1).ok_or(SealError::TimestampExhausted)?;
                Ok(timestamp_ms.max(lowest))
            }
            _ => Ok(timestamp_ms),
        }
    }
}

fn count(stats: &mut Stats, bytes: usize) {
    stats.sent += 1;
    stats.sent_bytes += bytes as u64;
}
