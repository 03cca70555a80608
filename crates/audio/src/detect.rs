//! Which format a file has: by its first bytes, and where those say nothing, by its name.

use crate::{Error, Result, source};
use std::fmt;
use std::io::Read;
use std::path::Path;

/// A file format read and written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// PCM in a RIFF file: [`crate::wav`].
    Wav,
    /// Opus packets in an Ogg file: [`crate::ogg_opus`].
    OggOpus,
    /// Opus packets as `opus_demo` writes them: [`crate::bit`].
    Bit,
}

impl Format {
    /// The format that a file of this name should have: `.wav`; `.opus` or `.ogg`; `.bit`. Upper case counts too.
    ///
    /// # Errors
    /// [`Error::UnknownFormat`] for any other ending.
    pub fn of_name(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("wav") => Ok(Self::Wav),
            Some("opus" | "ogg") => Ok(Self::OggOpus),
            Some("bit") => Ok(Self::Bit),
            Some(other) => Err(unknown(path, format!("its name ends in .{other}"))),
            None => Err(unknown(path, "its name has no ending".to_owned())),
        }
    }

    /// What the reader of this format accepts, for error messages.
    #[must_use]
    pub const fn accepts(self) -> &'static str {
        match self {
            Self::Wav => "8-, 16-, 24- or 32-bit integer or 32-bit float PCM, 1 to 32 channels, 4000 to 192000 Hz",
            Self::OggOpus => "an Ogg stream of Opus with 1 or 2 channels (mapping family 0 of RFC 7845)",
            Self::Bit => "records of length (u32, big-endian, at most 61440), final range (u32, big-endian) and packet",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wav => "WAV",
            Self::OggOpus => "Ogg Opus",
            Self::Bit => "opus_demo .bit",
        })
    }
}

/// The format of an existing file. `.bit` files have no mark of their own and are known by name alone.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Empty`] if it has no bytes, [`Error::UnknownFormat`] otherwise.
pub fn detect(path: impl AsRef<Path>) -> Result<Format> {
    let path = path.as_ref();
    let mut start = Vec::new();
    source::open(path)?.take(12).read_to_end(&mut start).map_err(|cause| Error::io("read", path, cause))?;
    of_start(path, &start)
}

fn of_start(path: &Path, start: &[u8]) -> Result<Format> {
    if start.is_empty() {
        return Err(Error::empty(path, "it has no bytes"));
    }
    if start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WAVE") {
        return Ok(Format::Wav);
    }
    if start.starts_with(b"OggS") {
        return Ok(Format::OggOpus);
    }
    if let Some(name) = foreign(start) {
        return Err(unknown(path, format!("it begins like {name}")));
    }
    if matches!(Format::of_name(path), Ok(Format::Bit)) {
        return Ok(Format::Bit);
    }
    let first: Vec<String> = start.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    Err(unknown(path, format!("it begins with the bytes {}", first.join(" "))))
}

/// Formats that people are likely to try. A `.bit` file cannot be taken for one: it begins with a 0, and the mark of MP4
/// would have to be its first final range by chance.
fn foreign(start: &[u8]) -> Option<&'static str> {
    match start {
        [b'I', b'D', b'3', ..] | [0xff, 0xe2..=0xff, ..] => Some("MP3 or AAC"),
        [b'f', b'L', b'a', b'C', ..] => Some("FLAC"),
        [b'R', b'F', b'6', b'4', ..] => Some("RF64, the 64-bit kind of WAV"),
        [b'R', b'I', b'F', b'F', ..] => Some("a RIFF file that is not WAVE"),
        [b'F', b'O', b'R', b'M', ..] => Some("AIFF"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some("Matroska or WebM"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("MP4"),
        _ => None,
    }
}

fn unknown(path: &Path, problem: String) -> Error {
    Error::UnknownFormat { path: path.to_owned(), problem }
}
