//! Reading with a running offset, so that a file cut short is reported to the byte.

use crate::{Error, Result};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

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
        if found == buffer.len() {
            return Ok(true);
        }
        if found == 0 {
            return Ok(false);
        }
        Err(self.truncated(what, offset, buffer.len(), found))
    }

    /// Reads `length` bytes that `what` has announced.
    pub(crate) fn take(&mut self, length: usize, what: &'static str) -> Result<Vec<u8>> {
        let offset = self.offset;
        let mut bytes = vec![0; length];
        if self.fill(&mut bytes, what)? { Ok(bytes) } else { Err(self.truncated(what, offset, length, 0)) }
    }

    fn truncated(&self, what: &'static str, offset: u64, needed: usize, found: usize) -> Error {
        Error::Truncated { path: self.path.clone(), what, offset, needed: needed as u64, found: found as u64 }
    }
}
