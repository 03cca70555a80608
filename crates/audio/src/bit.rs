//! The `.bit` files of `opus_demo`: how the official Opus test vectors come.
//!
//! A file is nothing but records, all numbers big-endian:
//!
//! | bytes | field |
//! |---|---|
//! | 4 | packet length `n`; 0 stands for a packet that was lost |
//! | 4 | the encoder's final range after this packet, which a correct decoder reproduces (0: not known) |
//! | `n` | the Opus packet |

use crate::output::AtomicFile;
use crate::source::{self, Source};
use crate::{Error, Format, MAX_PACKET, MAX_STREAM_BYTES, Result};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// One packet of a `.bit` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The Opus packet. Empty for one that was lost.
    pub packet: Vec<u8>,
    /// Final range of the encoder after this packet.
    pub final_range: u32,
}

/// Reads records one after the other.
///
/// After the first error it ends. A file without any record yields [`Error::Empty`] once.
pub struct Reader<R> {
    source: Source<R>,
    done: bool,
}

impl Reader<BufReader<File>> {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Ok(Self::new(path, source::open(path)?))
    }
}

impl<R: Read> Reader<R> {
    /// Reads from `reader`; `name` is what errors call it. Many small reads are made: pass something buffered.
    pub fn new(name: impl AsRef<Path>, reader: R) -> Self {
        Self { source: Source::new(name.as_ref(), reader), done: false }
    }

    fn record(&mut self) -> Result<Option<Record>> {
        let offset = self.source.offset();
        let mut header = [0; 8];
        if !self.source.fill(&mut header, "the record header")? {
            return if offset == 0 { Err(Error::empty(self.source.path(), "it has no records")) } else { Ok(None) };
        }
        let [a, b, c, d, final_range @ ..] = header;
        let length = u32::from_be_bytes([a, b, c, d]);
        if length as usize > MAX_PACKET {
            let problem = format!("the record at byte {offset} claims a packet of {length} bytes");
            return Err(Error::malformed(Format::Bit, self.source.path(), problem));
        }
        let packet = if length == 0 { Vec::new() } else { self.source.take(length as usize, "the packet")? };
        Ok(Some(Record { packet, final_range: u32::from_be_bytes(final_range) }))
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let record = self.record().transpose();
        self.done = !matches!(record, Some(Ok(_)));
        record
    }
}

/// All records of a file. A long one is better taken record by record, with a [`Reader`].
///
/// # Errors
/// [`Error::TooLong`] above [`MAX_STREAM_BYTES`]; [`Error::Io`]; [`Error::Truncated`] at an incomplete record, with its offset; [`Error::Malformed`] at a length above
/// [`MAX_PACKET`]; [`Error::Empty`].
pub fn read(path: impl AsRef<Path>) -> Result<Vec<Record>> {
    let path = path.as_ref();
    let bytes = std::fs::metadata(path).map_err(|cause| Error::io("open", path, cause))?.len();
    if bytes > MAX_STREAM_BYTES {
        return Err(Error::TooLong { path: path.to_owned() });
    }
    Reader::open(path)?.collect()
}

/// Writes a `.bit` file, which appears when [`finish`](Self::finish) is called and not before.
#[derive(Debug)]
#[must_use = "without `finish` no file appears"]
pub struct Writer {
    file: AtomicFile,
}

impl Writer {
    /// Starts a file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { file: AtomicFile::create(path)? })
    }

    /// Adds a packet and the encoder's final range after it. An empty packet records a loss.
    ///
    /// # Errors
    /// [`Error::PacketTooLong`] above [`MAX_PACKET`] bytes (`opus_demo` itself reads up to 1500); [`Error::Io`].
    pub fn write(&mut self, packet: &[u8], final_range: u32) -> Result<()> {
        if packet.len() > MAX_PACKET {
            return Err(Error::PacketTooLong(packet.len()));
        }
        self.file.write_bytes(&(packet.len() as u32).to_be_bytes())?;
        self.file.write_bytes(&final_range.to_be_bytes())?;
        self.file.write_bytes(packet)
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// [`Error::Io`]; then nothing is left behind.
    pub fn finish(self) -> Result<()> {
        self.file.commit()
    }
}
