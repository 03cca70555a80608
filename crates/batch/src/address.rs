//! Content addresses: what a job makes is named by what it is made of.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A SHA-256, shown and sent as 64 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(String);

/// Bytes read at a time.
const PIECE: usize = 1 << 16;

impl Address {
    /// Of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::finish(Sha256::new_with_prefix(bytes))
    }

    /// Of a file's content, and its length. `go_on` is asked between pieces.
    ///
    /// # Errors
    /// The file cannot be read; [`io::ErrorKind::Interrupted`] where it is not to go on.
    pub fn of_file(path: &Path, mut go_on: impl FnMut() -> bool) -> io::Result<(Self, u64)> {
        let mut file = File::open(path)?;
        let (mut hash, mut length, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
        loop {
            let read = match file.read(&mut piece) {
                Ok(0) => return Ok((Self::finish(hash), length)),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if !go_on() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            hash.update(&piece[..read]);
            length += read as u64;
        }
    }

    fn finish(hash: Sha256) -> Self {
        let mut text = String::with_capacity(64);
        for byte in hash.finalize() {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// All of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The start: enough for the name of a file.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..16]
    }
}

impl TryFrom<String> for Address {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
        if text.len() == 64 && text.bytes().all(hex) {
            Ok(Self(text))
        } else {
            Err("a SHA-256 is 64 lower-case hex digits")
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_sha256_of_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Address::of(b"abc").as_str(), expected);
        assert_eq!(Address::of_file(&path, || true).unwrap(), (Address::of(b"abc"), 3));
        assert_eq!(Address::of_file(&path, || false).unwrap_err().kind(), io::ErrorKind::Interrupted);
    }

    #[test]
    fn only_64_hex_digits_are_an_address() {
        for bad in ["", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", "../../etc/passwd"] {
            assert!(Address::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
