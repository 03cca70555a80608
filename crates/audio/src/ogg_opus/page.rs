//! Ogg pages, one after the other (RFC 3533 section 6).
//!
//! The packet reader of the `ogg` crate hides what Opus must know: pages without packets, which may carry the end of
//! the stream or its last granule position, and where a damaged or incomplete page begins. So the header is read here;
//! segments, checksum and the joining of packets are the crate's.

use crate::source::Source;
use crate::{Error, Format, Result};
use ogg::reading::{OggPage, OggReadError, PageParser};
use std::io::Read;

/// A page whose checksum is right.
pub(super) struct Page {
    /// Where it begins, bytes from the start of the file.
    pub(super) offset: u64,
    /// Which logical stream it belongs to.
    pub(super) serial: u32,
    /// The first page of that stream.
    pub(super) first: bool,
    /// The last page of that stream.
    pub(super) last: bool,
    /// Samples up to the end of the last packet that ends here; `None` where none does.
    pub(super) granule: Option<u64>,
    /// The first bytes of its content, for recognising a stream: at most eight.
    pub(super) magic: Vec<u8>,
    /// The page as the `ogg` crate joins packets from.
    pub(super) content: OggPage,
}

/// What comes next in a file.
pub(super) enum Next {
    Page(Box<Page>),
    /// So many bytes, to the end, that are no page and do not begin like one.
    Foreign(u64),
    End,
}

/// What every page begins with.
const MARK: &[u8] = b"OggS";

/// Reads the next page. `None` at the end of the file; anything but a page is an error.
pub(super) fn next<R: Read>(source: &mut Source<R>) -> Result<Option<Page>> {
    let mut header = [0; 27];
    if source.fill(&mut header, "the page header")? { whole(source, header).map(Some) } else { Ok(None) }
}

/// As [`next`], where a stream has ended, and the file may go on with anything.
pub(super) fn after_end<R: Read>(source: &mut Source<R>) -> Result<Next> {
    let offset = source.offset();
    let mut header = [0; 27];
    let found = source.fill_some(&mut header)?;
    match &header[..found] {
        [] => Ok(Next::End),
        start if start[..found.min(MARK.len())] != MARK[..found.min(MARK.len())] => {
            source.skip_all().map(|skipped| Next::Foreign(found as u64 + skipped))
        }
        start if start.len() < header.len() => Err(source.truncated("the page header", offset, header.len(), found)),
        _ => whole(source, header).map(|page| Next::Page(Box::new(page))),
    }
}

/// The page that begins with this header.
fn whole<R: Read>(source: &mut Source<R>, header: [u8; 27]) -> Result<Page> {
    let offset = source.offset() - header.len() as u64;
    let bad = |problem: String| Error::malformed(Format::OggOpus, source.path(), problem);
    if !header.starts_with(MARK) {
        return Err(bad(match offset {
            0 => "it does not begin with an Ogg page".to_owned(),
            _ => format!("no page begins at byte {offset}, where the one before ends"),
        }));
    }
    let refused = |error: &OggReadError| match error {
        OggReadError::InvalidStreamStructVer(version) => format!("the page at byte {offset} has version {version}"),
        OggReadError::HashMismatch(..) => format!("the page at byte {offset} is damaged: its checksum does not match"),
        other => format!("the page at byte {offset} breaks the format: {other}"),
    };
    let (mut parser, segments) = PageParser::new(header).map_err(|error| bad(refused(&error)))?;
    let segments = if segments == 0 { Vec::new() } else { source.take(segments, "the segment table")? };
    let length = parser.parse_segments(segments);
    let body = if length == 0 { Vec::new() } else { source.take(length, "the page")? };
    let magic = body.iter().copied().take(8).collect();
    let content = parser
        .parse_packet_data(body)
        .map_err(|error| Error::malformed(Format::OggOpus, source.path(), refused(&error)))?;

    let [_, _, _, _, _, flags, g @ .., s0, s1, s2, s3, _, _, _, _, _, _, _, _, _] = header;
    let granule = u64::from_le_bytes(g);
    Ok(Page {
        offset,
        serial: u32::from_le_bytes([s0, s1, s2, s3]),
        first: flags & 2 != 0,
        last: flags & 4 != 0,
        granule: (granule != u64::MAX).then_some(granule),
        magic,
        content,
    })
}
