//! Reading with a running offset, so that a file cut short is reported to the byte.

use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// Opens a file to be read to its end. Pipes and devices are refused: opening a pipe waits for its other end, and a
/// device may never end.
pub(crate) fn open(path: &Path) -> Result<BufReader<File>> {
    let kind = fs::metadata(path).map_err(|cause| Error::io("open", path, cause))?;
    if !kind.is_file() && !kind.is_dir() {
        return Err(Error::UnknownFormat {
            path: path.to_owned(),
            problem: "it is a pipe or a device, not a file".to_owned(),
        });
    }
    File::open(path).map(BufReader::new).map_err(|cause| Error::io("open", path, cause))
}

/// A reader that knows its file's name and how far it has come.
pub(crate) struct Source<R> {
    reader: R,
    path: PathBuf,
    offset: u64,
}

impl<R: Read> Source<R> {
    pub(crate) fn new(path: &Path, reader: R) -> Self {
        Self { reader, path: path.to_owned(), offset: 0 }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes read so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Fills `buffer`. `false` if the file ends exactly here, an error if it ends in the middle of `what`.
    pub(crate) fn fill(&mut self, buffer: &mut [u8], what: &'static str) -> Result<bool> {
        let offset = self.offset;
        match self.fill_some(buffer)? {
            found if found == buffer.len() => Ok(true),
            0 => Ok(false),
            found => Err(self.truncated(what, offset, buffer.len(), found)),
        }
    }

    /// Fills as much of `buffer` as there is.
    pub(crate) fn fill_some(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut found = 0;
        while found < buffer.len() {
            match self.reader.read(&mut buffer[found..]) {
                Ok(0) => break,
                Ok(count) => found += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(Error::io("read", &self.path, cause)),
            }
        }
        self.offset += found as u64;
        Ok(found)
    }

    /// Reads what is left, and says how many bytes that was.
    pub(crate) fn skip_all(&mut self) -> Result<u64> {
        let left = io::copy(&mut self.reader, &mut io::sink()).map_err(|cause| Error::io("read", &self.path, cause))?;
        self.offset += left;
        Ok(left)
    }

    /// Reads `length` bytes that `what` has announced.
    pub(crate) fn take(&mut self, length: usize, what: &'static str) -> Result<Vec<u8>> {
        let offset = self.offset;
        let mut bytes = vec![0; length];
        if self.fill(&mut bytes, what)? { Ok(bytes) } else { Err(self.truncated(what, offset, length, 0)) }
    }

    pub(crate) fn truncated(&self, what: &'static str, offset: u64, needed: usize, found: usize) -> Error {
        Error::Truncated { path: self.path.clone(), what, offset, needed: needed as u64, found: found as u64 }
    }
}
