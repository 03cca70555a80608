//! Reads the first Opus stream of an Ogg file.

use super::page::{self, Page};
use super::{Checked, Head, Packet, Stream, Tags, packet_duration};
use crate::source::Source;
use crate::{Error, Format, Result};
use ogg::reading::BasePacketReader;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// Reads a file.
///
/// # Errors
/// - [`Error::Truncated`] if it ends before the stream's last page.
/// - [`Error::Malformed`] if it is no Ogg file, is damaged, breaks RFC 7845, has no Opus stream, or one of more than
///   two channels.
/// - [`Error::Empty`] if it has no bytes or the stream no packets.
/// - [`Error::Io`].
pub fn read(path: impl AsRef<Path>) -> Result<Stream> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|cause| Error::io("open", path, cause))?;
    read_from(path, BufReader::new(file))
}

/// As [`read`], from any reader; `name` is what errors call it. Many small reads are made: pass something buffered.
///
/// # Errors
/// Those of [`read`].
pub fn read_from<R: Read>(name: impl AsRef<Path>, reader: R) -> Result<Stream> {
    let mut source = Source::new(name.as_ref(), reader);
    let first = find_stream(&mut source)?;
    let mut stream = Assembly { serial: first.serial, ..Assembly::default() };
    let mut page = first;
    loop {
        let last = page.last;
        let offset = page.offset;
        stream.add(page).map_err(|problem| {
            Error::malformed(Format::OggOpus, source.path(), format!("{problem} (page at byte {offset})"))
        })?;
        if last {
            return stream.finish(source.path());
        }
        page = loop {
            let Some(page) = page::next(&mut source)? else {
                let (path, offset) = (source.path().to_owned(), source.offset());
                // The shortest page there is: the header alone.
                return Err(Error::Truncated { path, what: "the stream's next page", offset, needed: 27, found: 0 });
            };
            if page.serial == stream.serial {
                break page;
            }
        };
    }
}

/// The first page of the first Opus stream. All streams of a file begin before any goes on (RFC 3533 section 4).
fn find_stream<R: Read>(source: &mut Source<R>) -> Result<Page> {
    let mut others = Vec::new();
    while let Some(page) = page::next(source)? {
        if !page.first {
            break;
        }
        if page.magic == Head::MAGIC {
            return Ok(page);
        }
        others.push(codec_name(&page.magic));
    }
    if others.is_empty() && source.offset() == 0 {
        return Err(Error::empty(source.path(), "it has no bytes"));
    }
    let found =
        if others.is_empty() { "begins in the middle of one".to_owned() } else { format!("has {}", others.join(", ")) };
    Err(Error::malformed(Format::OggOpus, source.path(), format!("it has no Opus stream; it {found}")))
}

fn codec_name(magic: &[u8]) -> &'static str {
    match magic {
        [0x01, b'v', b'o', b'r', ..] => "Vorbis",
        [0x7f, b'F', b'L', b'A', ..] => "FLAC",
        [b'S', b'p', b'e', b'e', ..] => "Speex",
        [0x80, b't', b'h', b'e', ..] => "Theora",
        _ => "another codec",
    }
}

/// A stream being put together from its pages.
#[derive(Default)]
struct Assembly {
    serial: u32,
    joiner: Joiner,
    head: Option<Head>,
    tags: Option<Tags>,
    packets: Vec<Packet>,
    /// Samples of all packets so far, pre-skip included, what the last page trims excluded.
    kept: u64,
    /// Granule position of the last page on which an audio packet ended.
    granule: Option<u64>,
}

impl Assembly {
    fn add(&mut self, page: Page) -> Checked<()> {
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

    fn finish(self, path: &Path) -> Result<Stream> {
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
