//! Writes an Ogg Opus file.

use super::{Head, Tags, packet_duration};
use crate::output::AtomicFile;
use crate::{Error, Format, Result};
use ogg::{PacketWriteEndInfo, PacketWriter};
use std::path::{Path, PathBuf};

/// Longest page, in samples at 48 kHz: a second, the default of `opusenc`.
const PAGE: u64 = 48_000;
/// Most segments of up to 255 bytes on a page (RFC 3533 section 6). No packet of at most `MAX_PACKET` bytes needs more,
/// so that none is ever split: a page that ends where a packet ends always has a granule position.
const PAGE_SEGMENTS: usize = 255;

/// Writes an Ogg Opus file, which appears when [`finish`](Self::finish) is called and not before.
#[must_use = "without `finish` no file appears"]
pub struct Writer {
    ogg: PacketWriter<'static, AtomicFile>,
    path: PathBuf,
    serial: u32,
    pre_skip: u64,
    /// The newest packet and its length in samples. Held back: only the next call tells whether it ends its page or the
    /// stream.
    pending: Option<(Vec<u8>, u64)>,
    /// Samples of the packets before the pending one.
    written: u64,
    /// Samples of the packets before the page begun.
    page_start: u64,
    /// Segments on the page begun, those of the pending packet included.
    segments: usize,
}

impl Writer {
    /// Starts a file and writes its two headers, each on a page of its own.
    ///
    /// `serial` names the stream within the file. Any number does; files that may one day be joined to a chain need
    /// different ones. [`Head::pre_skip`] must be the encoder's delay at 48 kHz (`OPUS_GET_LOOKAHEAD`, scaled to 48
    /// kHz), or the audio starts late.
    ///
    /// # Errors
    /// [`Error::Malformed`] for other than 1 or 2 channels; [`Error::Io`].
    pub fn create(path: impl AsRef<Path>, serial: u32, head: &Head, tags: &Tags) -> Result<Self> {
        let path = path.as_ref();
        if !(1..=2).contains(&head.channels) {
            let problem = format!("it would have {} channels", head.channels);
            return Err(Error::malformed(Format::OggOpus, path, problem));
        }
        let mut writer = Self {
            ogg: PacketWriter::new(AtomicFile::create(path)?),
            path: path.to_owned(),
            serial,
            pre_skip: head.pre_skip.into(),
            pending: None,
            written: 0,
            page_start: 0,
            segments: 0,
        };
        writer.packet(head.to_bytes(), PacketWriteEndInfo::EndPage, 0)?;
        writer.packet(tags.to_bytes(), PacketWriteEndInfo::EndPage, 0)?;
        Ok(writer)
    }

    /// Adds an Opus packet.
    ///
    /// # Errors
    /// [`Error::Packet`] or [`Error::PacketTooLong`] if it is none (the stream goes on without it); [`Error::Io`].
    pub fn write(&mut self, packet: &[u8]) -> Result<()> {
        let duration = u64::from(packet_duration(packet)?);
        let segments = packet.len() / 255 + 1;
        if let Some((previous, length)) = self.pending.replace((packet.to_vec(), duration)) {
            self.written += length;
            let full = self.written + duration - self.page_start > PAGE || self.segments + segments > PAGE_SEGMENTS;
            let end = if full { PacketWriteEndInfo::EndPage } else { PacketWriteEndInfo::NormalPacket };
            self.packet(previous, end, self.written)?;
            if full {
                self.page_start = self.written;
                self.segments = 0;
            }
        }
        self.segments += segments;
        Ok(())
    }

    /// Ends the stream and gives the file its name.
    ///
    /// `samples` is what a player shall play, per channel at 48 kHz: the length of the clip that was encoded. The rest
    /// of what the packets decode to, after the pre-skip, is trimmed. `None` trims nothing.
    ///
    /// # Errors
    /// [`Error::EndTrim`] if the packets do not reach that far, or would be trimmed by more than the last page;
    /// [`Error::Empty`] if no packet was written; [`Error::Malformed`] if the packets are shorter than the pre-skip;
    /// [`Error::Io`]. Nothing is left behind then.
    pub fn finish(mut self, samples: Option<u64>) -> Result<()> {
        let Some((packet, length)) = self.pending.take() else {
            return Err(Error::empty(&self.path, "no packet was written to it"));
        };
        let decoded = self.written + length;
        if decoded < self.pre_skip {
            let problem = format!("its pre-skip of {} samples is longer than its {decoded} samples", self.pre_skip);
            return Err(Error::malformed(Format::OggOpus, &self.path, problem));
        }
        let granule = samples.map_or(decoded, |samples| samples.saturating_add(self.pre_skip));
        let least = self.page_start.max(self.pre_skip);
        if !(least..=decoded).contains(&granule) {
            return Err(Error::EndTrim {
                asked: granule.saturating_sub(self.pre_skip),
                least: least - self.pre_skip,
                most: decoded - self.pre_skip,
            });
        }
        self.packet(packet, PacketWriteEndInfo::EndStream, granule)?;
        self.ogg.into_inner().commit()
    }

    fn packet(&mut self, packet: Vec<u8>, end: PacketWriteEndInfo, granule: u64) -> Result<()> {
        self.ogg.write_packet(packet, self.serial, end, granule).map_err(|cause| Error::io("write", &self.path, cause))
    }
}
