//! Reads Ogg files: which pages belong to which stream, and where streams begin and end.

use super::assembly::Assembly;
use super::page::{self, Next, Page};
use super::{Chain, Head, Stream};
use crate::source::{self, Source};
use crate::{Error, Format, MAX_STREAM_BYTES, Result};
use std::io::Read;
use std::path::Path;

/// Reads a file of one Opus stream.
///
/// # Errors
/// Those of [`read_chain`]; [`Error::Malformed`] also where the file is a chain of several streams.
pub fn read(path: impl AsRef<Path>) -> Result<Stream> {
    let path = path.as_ref();
    only(path, read_chain(path)?)
}

/// As [`read`], from any reader; `name` is what errors call it. Many small reads are made: pass something buffered.
///
/// # Errors
/// Those of [`read`].
pub fn read_from<R: Read>(name: impl AsRef<Path>, reader: R) -> Result<Stream> {
    let path = name.as_ref();
    only(path, read_chain_from(path, reader)?)
}

fn only(path: &Path, chain: Chain) -> Result<Stream> {
    <[Stream; 1]>::try_from(chain.links).map(|[stream]| stream).map_err(|links| {
        let problem = format!("it is a chain of {} streams, where one was expected", links.len());
        Error::malformed(Format::OggOpus, path, problem)
    })
}

/// Reads a file to its end.
///
/// # Errors
/// - [`Error::Truncated`] if it ends before a stream's last page.
/// - [`Error::Malformed`] if it is no Ogg file, is damaged, breaks RFC 7845, has no Opus stream, or one of more than
///   two channels, or goes on with a stream that is not Opus.
/// - [`Error::Empty`] if it has no bytes or a stream no packets.
/// - [`Error::TooLong`] above [`MAX_STREAM_BYTES`] or [`MAX_HOURS`](crate::MAX_HOURS).
/// - [`Error::Io`].
pub fn read_chain(path: impl AsRef<Path>) -> Result<Chain> {
    let path = path.as_ref();
    let file = source::open(path)?;
    if file.get_ref().metadata().map_err(|cause| Error::io("open", path, cause))?.len() > MAX_STREAM_BYTES {
        return Err(Error::TooLong { path: path.to_owned() });
    }
    read_chain_from(path, file)
}

/// As [`read_chain`], from any reader; `name` is what errors call it. Many small reads are made: pass something
/// buffered.
///
/// # Errors
/// Those of [`read_chain`].
pub fn read_chain_from<R: Read>(name: impl AsRef<Path>, reader: R) -> Result<Chain> {
    let mut source = Source::new(name.as_ref(), reader);
    let mut chain = Chain { links: Vec::new(), beside: Vec::new(), end: 0, unread: 0 };
    let mut decoded = 0;
    let mut first = page::next(&mut source)?;
    if first.is_none() {
        return Err(Error::empty(source.path(), "it has no bytes"));
    }
    while let Some(start) = first {
        let group = Group::read(&mut source, start)?;
        group.beside.iter().for_each(|name| add_new(&mut chain.beside, name));
        chain.links.push(read_link(&mut source, group, &mut decoded)?);
        chain.end = source.offset();
        first = loop {
            match page::after_end(&mut source)? {
                Next::Page(page) if page.first => break Some(*page),
                // The end of a stream that ran beside.
                Next::Page(_) => chain.end = source.offset(),
                Next::Foreign(unread) => {
                    chain.unread = unread;
                    break None;
                }
                Next::End => break None,
            }
        };
    }
    Ok(chain)
}

/// The streams that begin together. All of a link do before any goes on (RFC 3533 section 4).
struct Group {
    /// The first page of the first Opus stream.
    opus: Page,
    /// Codecs of the others.
    beside: Vec<&'static str>,
    /// The page after the first ones.
    next: Option<Page>,
}

impl Group {
    /// Reads all first pages, beginning with this one.
    fn read<R: Read>(source: &mut Source<R>, start: Page) -> Result<Self> {
        let (mut opus, mut beside, mut next) = (None, Vec::new(), Some(start));
        let offset = next.as_ref().map_or(0, |page| page.offset);
        while let Some(page) = next.take_if(|page| page.first) {
            // Its end may be there already: then nothing follows that belongs to it.
            let last = page.last;
            if page.magic == Head::MAGIC && opus.is_none() {
                opus = Some(page);
                if last {
                    break;
                }
            } else {
                add_new(&mut beside, codec_name(&page.magic));
            }
            next = page::next(source)?;
        }
        let Some(opus) = opus else {
            let found = if beside.is_empty() {
                "begins in the middle of one".to_owned()
            } else {
                format!("has {}", beside.join(", "))
            };
            let problem = match offset {
                0 => format!("it has no Opus stream; it {found}"),
                _ => format!("after its Opus stream, at byte {offset}, it {found}"),
            };
            return Err(Error::malformed(Format::OggOpus, source.path(), problem));
        };
        Ok(Self { opus, beside, next })
    }
}

/// Reads one Opus stream to its last page, and passes over those beside it. `decoded` counts the samples of all.
fn read_link<R: Read>(source: &mut Source<R>, group: Group, decoded: &mut u64) -> Result<Stream> {
    let mut stream = Assembly::new(group.opus.serial);
    let (mut page, mut following) = (group.opus, group.next);
    loop {
        let (offset, last) = (page.offset, page.last);
        stream.add(page).map_err(|problem| {
            Error::malformed(Format::OggOpus, source.path(), format!("{problem} (page at byte {offset})"))
        })?;
        if stream.is_too_long(*decoded) {
            return Err(Error::TooLong { path: source.path().to_owned() });
        }
        if last {
            *decoded += stream.decoded;
            return stream.finish(source.path());
        }
        page = loop {
            let offset = source.offset();
            let next = match following.take() {
                Some(page) => Some(page),
                None => page::next(source)?,
            };
            let Some(page) = next else {
                // The shortest page there is: the header alone.
                return Err(source.truncated("the stream's next page", offset, 27, 0));
            };
            if page.serial == stream.serial {
                break page;
            }
            if page.first {
                let problem =
                    format!("another stream begins at byte {}, before its Opus stream has ended", page.offset);
                return Err(Error::malformed(Format::OggOpus, source.path(), problem));
            }
        };
    }
}

fn add_new(names: &mut Vec<&'static str>, name: &'static str) {
    if !names.contains(&name) {
        names.push(name);
    }
}

fn codec_name(magic: &[u8]) -> &'static str {
    match magic {
        b"OpusHead" => "Opus",
        [0x01, b'v', b'o', b'r', ..] => "Vorbis",
        [0x7f, b'F', b'L', b'A', ..] => "FLAC",
        [b'S', b'p', b'e', b'e', ..] => "Speex",
        [0x80, b't', b'h', b'e', ..] => "Theora",
        _ => "another codec",
    }
}
