//! Puts an Opus stream together from its pages.

use super::page::Page;
use super::{Checked, Head, Packet, Stream, Tags, packet_duration};
use crate::{Error, Format, MAX_STREAM_SAMPLES, Result};
use ogg::reading::BasePacketReader;
use std::path::Path;

/// A stream being put together from its pages.
#[derive(Default)]
pub(super) struct Assembly {
    pub(super) serial: u32,
    joiner: Joiner,
    head: Option<Head>,
    tags: Option<Tags>,
    packets: Vec<Packet>,
    /// Samples of all packets so far, pre-skip included, what the last page trims excluded.
    kept: u64,
    /// Samples of all packets so far.
    pub(super) decoded: u64,
    /// Granule position of the last page on which an audio packet ended.
    granule: Option<u64>,
}

impl Assembly {
    pub(super) fn new(serial: u32) -> Self {
        Self { serial, ..Self::default() }
    }

    /// Takes the next page of the stream.
    pub(super) fn add(&mut self, page: Page) -> Checked<()> {
        let (last, granule) = (page.last, page.granule);
        self.joiner
            .0
            .push_page(page.content)
            .map_err(|_| "a packet is continued wrongly, or the stream begins twice".to_owned())?;
        let (packets_before, mut decoded) = (self.packets.len(), 0u64);
        while let Some(packet) = self.joiner.0.read_packet() {
            if self.head.is_none() {
                self.head = Some(Head::parse(&packet.data)?);
            } else if self.tags.is_none() {
                self.tags = Some(Tags::parse(&packet.data)?);
            } else {
                let duration =
                    packet_duration(&packet.data).map_err(|error| format!("packet {}: {error}", self.packets.len()))?;
                decoded += u64::from(duration);
                self.decoded += u64::from(duration);
                self.packets.push(Packet { data: packet.data, duration });
            }
        }
        if self.packets.len() == packets_before {
            return Ok(());
        }
        let Some(granule) = granule else { return Err("packets end on a page without a granule position".to_owned()) };
        self.kept += self.keep(granule, decoded, last)?;
        self.granule = Some(granule);
        Ok(())
    }

    /// How many of a page's `decoded` samples count: all, save on the last page (RFC 7845 sections 4.4 and 4.5).
    fn keep(&self, granule: u64, decoded: u64, last: bool) -> Checked<u64> {
        // A first page may begin late (a recording cut, a live stream joined), but not before 0.
        let Some(advance) = granule.checked_sub(self.granule.unwrap_or(0)) else {
            return Err(format!("the granule position falls back to {granule}"));
        };
        if self.granule.is_none() && advance < decoded && !last {
            return Err(format!("the first page with audio has granule position {granule} and {decoded} samples"));
        }
        Ok(if last { decoded.min(advance) } else { decoded })
    }

    /// Longer than what is read at once, even without the samples already in `earlier` streams.
    pub(super) fn is_too_long(&self, earlier: u64) -> bool {
        self.decoded.saturating_add(earlier) > MAX_STREAM_SAMPLES
    }

    /// The stream, after its last page.
    pub(super) fn finish(self, path: &Path) -> Result<Stream> {
        let (Some(head), Some(tags)) = (self.head, self.tags) else {
            return Err(Error::malformed(Format::OggOpus, path, "it ends before its header packets do"));
        };
        if self.packets.is_empty() {
            return Err(Error::empty(path, "its Opus stream has no packets"));
        }
        let Some(samples) = self.kept.checked_sub(u64::from(head.pre_skip)) else {
            let problem = format!("its pre-skip of {} samples is longer than its {} samples", head.pre_skip, self.kept);
            return Err(Error::malformed(Format::OggOpus, path, problem));
        };
        Ok(Stream { head, tags, packets: self.packets, samples })
    }
}

/// Joins packets across pages.
struct Joiner(BasePacketReader);

impl Default for Joiner {
    fn default() -> Self {
        Self(BasePacketReader::new())
    }
}
