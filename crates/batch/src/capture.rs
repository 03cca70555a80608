//! Archives of sealed datagrams, `.sealed`: one direction of one call as it was captured, still encrypted.
//!
//! | bytes | |
//! |---|---|
//! | 8 | `SDSEAL1\n` |
//! | then, for each datagram: 2 | its length, big-endian: 17 to 1040 |
//! | so many | the datagram: the 16-byte header of `sidetone-packet`, and ciphertext |
//!
//! Nothing in it names the key. The file ends after a datagram. Datagrams stand in the order in which they were
//! captured; one that came twice stands there twice.

use crate::Problem;
use sidetone_packet::{HEADER_LEN, Header, MAX_PAYLOAD};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// The first bytes.
pub const MAGIC: &[u8; 8] = b"SDSEAL1\n";

/// Reads an archive, datagram by datagram.
#[derive(Debug)]
pub struct Reader {
    file: BufReader<File>,
    path: PathBuf,
    at: u64,
}

impl Reader {
    /// Opens one.
    ///
    /// # Errors
    /// The file cannot be read, or is none.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        let file = File::open(path).map_err(|error| Problem::io("open", path, &error))?;
        let mut reader = Self { file: BufReader::new(file), path: path.to_owned(), at: 0 };
        let mut magic = [0; MAGIC.len()];
        if reader.fill(&mut magic)? < magic.len() || magic != *MAGIC {
            return Err(reader.broken("it does not begin with SDSEAL1"));
        }
        Ok(reader)
    }

    /// The next datagram and its header; `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged: with the byte.
    pub fn read(&mut self) -> Result<Option<(Header, Vec<u8>)>, Problem> {
        let start = self.at;
        let mut length = [0; 2];
        match self.fill(&mut length)? {
            0 => return Ok(None),
            2 => {}
            _ => return Err(self.broken(&format!("it ends inside the length at byte {start}"))),
        }
        let length = usize::from(u16::from_be_bytes(length));
        if !(HEADER_LEN + 1..=HEADER_LEN + MAX_PAYLOAD).contains(&length) {
            return Err(
                self.broken(&format!("the datagram at byte {start} claims {length} bytes, where 17 to 1040 can be"))
            );
        }
        let mut datagram = vec![0; length];
        if self.fill(&mut datagram)? < length {
            return Err(self.broken(&format!("it ends inside the datagram at byte {start}")));
        }
        match Header::split(&datagram) {
            Ok((header, _)) => Ok(Some((header, datagram))),
            Err(error) => Err(self.broken(&format!("the datagram at byte {start}: {error}"))),
        }
    }

    /// Reads as much as there is.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Problem> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Problem::io("read", &self.path, &error)),
            }
        }
        self.at += filled as u64;
        Ok(filled)
    }

    fn broken(&self, why: &str) -> Problem {
        Problem::bury(format!(
            "{} is no archive of sealed datagrams, or damaged: {why}; get a complete copy",
            sidetone_audio::shown::path(&self.path)
        ))
    }
}

/// Writes an archive. Not atomic: whoever calls gives the file its name when it is complete.
#[derive(Debug)]
pub struct Writer {
    file: BufWriter<File>,
    path: PathBuf,
}

impl Writer {
    /// Starts one.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: &Path) -> Result<Self, Problem> {
        let file = File::create_new(path).map_err(|error| Problem::io("create", path, &error))?;
        let mut writer = Self { file: BufWriter::new(file), path: path.to_owned() };
        writer.write_all(MAGIC)?;
        Ok(writer)
    }

    /// Adds a datagram.
    ///
    /// # Errors
    /// It is none, or the file cannot be written.
    pub fn write(&mut self, datagram: &[u8]) -> Result<(), Problem> {
        Header::split(datagram).map_err(|error| Problem::bury(format!("no datagram: {error}")))?;
        let length = u16::try_from(datagram.len()).map_err(|_| Problem::bury("no datagram: it is too long"))?;
        self.write_all(&length.to_be_bytes())?;
        self.write_all(datagram)
    }

    /// Ends it.
    ///
    /// # Errors
    /// The last bytes cannot be written.
    pub fn finish(mut self) -> Result<(), Problem> {
        self.file.flush().map_err(|error| Problem::io("write", &self.path, &error))
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.file.write_all(bytes).map_err(|error| Problem::io("write", &self.path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fate;

    fn datagram(sequence: u32, payload: usize) -> Vec<u8> {
        let header = Header { payload_len: payload as u16, connection_id: 7, sequence, ..Header::default() };
        [&header.to_bytes()[..], &vec![5; payload]].concat()
    }

    fn archive(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.sealed");
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.sealed");
        let mut writer = Writer::create(&path).unwrap();
        for (sequence, payload) in [(1, 1), (2, 1024), (2, 1024)] {
            writer.write(&datagram(sequence, payload)).unwrap();
        }
        assert!(writer.write(&datagram(3, 1025)).is_err());
        writer.finish().unwrap();
        let mut reader = Reader::open(&path).unwrap();
        for (sequence, payload) in [(1, 1), (2, 1024), (2, 1024)] {
            let (header, bytes) = reader.read().unwrap().unwrap();
            assert_eq!((header.sequence, bytes), (sequence, datagram(sequence, payload)));
        }
        assert!(reader.read().unwrap().is_none());
    }

    #[test]
    fn damage_is_named_with_its_byte() {
        let with = |more: &[u8]| [MAGIC, more].concat();
        let whole = [&[0, 21][..], &datagram(1, 5)].concat();
        for (bytes, why) in [
            (b"RIFF".to_vec(), "it does not begin with SDSEAL1"),
            (with(&[0]), "it ends inside the length at byte 8"),
            (with(&[0, 16]), "the datagram at byte 8 claims 16 bytes, where 17 to 1040 can be"),
            (with(&[4, 17]), "the datagram at byte 8 claims 1041 bytes, where 17 to 1040 can be"),
            (with(&whole[..20]), "it ends inside the datagram at byte 8"),
            (with(&[&whole[..], &[0, 17], &[0; 17]].concat()), "the datagram at byte 31: "),
        ] {
            let (_folder, path) = archive(&bytes);
            let all = Reader::open(&path).and_then(|mut reader| {
                while reader.read()?.is_some() {}
                Ok(())
            });
            let problem = all.unwrap_err();
            assert_eq!(problem.fate, Fate::Bury);
            assert!(problem.reason.contains(why), "{}: {why}", problem.reason);
        }
    }
}
