//! Finds the `fmt ` and `data` chunks of a RIFF file.
//!
//! `hound` decodes both, but takes their place and length on trust: it does not skip the padding of odd chunks, does
//! not know the lengths that programs write into a pipe, and notices a file cut short only at its last sample. So this
//! goes first.

use crate::{Error, Format, Result};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Programs that write into a pipe cannot come back to fill in the length, and put one of a few huge values there
/// (`0x7ffff000`, `0x7fffffff`, `0xffffffff`, each less some header bytes). Such data goes on to the end of the file.
const LENGTH_UNKNOWN: u32 = 0x7fff_0000;

/// `fmt ` chunks are 16, 18 or 40 bytes; the bound keeps a hostile header from reserving more.
const LONGEST_FMT: u32 = 1024;

/// Where the audio is and what it is.
#[derive(Debug)]
pub(super) struct Layout {
    /// Content of the `fmt ` chunk.
    pub(super) fmt: Vec<u8>,
    /// Length of the audio, bytes. All of it is there.
    pub(super) data_length: u32,
}

/// Walks to the first byte of the audio.
pub(super) fn find_audio<R: Read + Seek>(path: &Path, reader: &mut R) -> Result<Layout> {
    let io = |cause| Error::io("read", path, cause);
    let end = reader.seek(SeekFrom::End(0)).map_err(io)?;
    reader.seek(SeekFrom::Start(0)).map_err(io)?;
    if end == 0 {
        return Err(Error::empty(path, "it has no bytes"));
    }
    let mut walk = Walk { path, reader, offset: 0, end };

    let [tag, _, kind] = walk.words::<3>("the RIFF header")?;
    if &tag != b"RIFF" || &kind != b"WAVE" {
        return Err(Error::malformed(Format::Wav, path, "it does not begin with a RIFF/WAVE header"));
    }

    let mut fmt: Option<Vec<u8>> = None;
    loop {
        if walk.offset >= end {
            return Err(Error::malformed(Format::Wav, path, "it has no data chunk"));
        }
        let [id, length] = walk.words::<2>("the chunk header")?;
        let length = u32::from_le_bytes(length);
        match (&id, fmt.take()) {
            (b"data", None) => {
                return Err(Error::malformed(Format::Wav, path, "its data chunk has no fmt chunk before it"));
            }
            (b"data", Some(fmt)) => {
                let data_length = walk.audio_length(&fmt, length)?;
                return Ok(Layout { fmt, data_length });
            }
            (b"fmt ", _) if !(16..=LONGEST_FMT).contains(&length) => {
                return Err(Error::malformed(Format::Wav, path, format!("its fmt chunk is {length} bytes long")));
            }
            (b"fmt ", _) => fmt = Some(walk.chunk(length, "the fmt chunk")?),
            (_, earlier) => {
                walk.skip(length)?;
                fmt = earlier;
            }
        }
    }
}

struct Walk<'a, R> {
    path: &'a Path,
    reader: &'a mut R,
    offset: u64,
    end: u64,
}

impl<R: Read + Seek> Walk<'_, R> {
    fn left(&self) -> u64 {
        self.end.saturating_sub(self.offset)
    }

    fn expect(&self, what: &'static str, needed: u64) -> Result<()> {
        let found = self.left();
        if needed <= found {
            return Ok(());
        }
        Err(Error::Truncated { path: self.path.to_owned(), what, offset: self.offset, needed, found })
    }

    fn bytes(&mut self, buffer: &mut [u8], what: &'static str) -> Result<()> {
        self.expect(what, buffer.len() as u64)?;
        self.reader.read_exact(buffer).map_err(|cause| Error::io("read", self.path, cause))?;
        self.offset += buffer.len() as u64;
        Ok(())
    }

    fn words<const N: usize>(&mut self, what: &'static str) -> Result<[[u8; 4]; N]> {
        let mut words = [[0; 4]; N];
        self.bytes(words.as_flattened_mut(), what)?;
        Ok(words)
    }

    fn chunk(&mut self, length: u32, what: &'static str) -> Result<Vec<u8>> {
        let mut content = vec![0; length as usize];
        self.bytes(&mut content, what)?;
        self.skip(0)?;
        Ok(content)
    }

    /// Skips `length` bytes, and the padding byte after chunks of odd length.
    fn skip(&mut self, length: u32) -> Result<()> {
        self.expect("a chunk", u64::from(length))?;
        let next = self.offset + u64::from(length);
        self.offset = next + next % 2;
        self.reader.seek(SeekFrom::Start(self.offset)).map_err(|cause| Error::io("read", self.path, cause))?;
        Ok(())
    }

    fn audio_length(&self, fmt: &[u8], claimed: u32) -> Result<u32> {
        if claimed < LENGTH_UNKNOWN || u64::from(claimed) <= self.left() {
            self.expect("the data chunk", u64::from(claimed))?;
            return Ok(claimed);
        }
        // A length left open may end in the middle of a row of samples, if the writer was killed.
        let row = fmt.get(12..14).map_or(1, |align| u32::from(u16::from_le_bytes([align[0], align[1]])).max(1));
        let available = u32::try_from(self.left()).unwrap_or(u32::MAX);
        Ok(available - available % row)
    }
}
