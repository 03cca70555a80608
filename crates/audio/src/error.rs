//! The one error type. Each message names the file or value, what is wrong with it, and what would be right.

use crate::{Format, MAX_CHANNELS, MAX_HOURS, MAX_PACKET, MAX_RATE, MAX_STREAM_BYTES, MIN_RATE, shown};
use std::io;
use std::path::{Path, PathBuf};

/// [`std::result::Result`] with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What can be wrong with an audio file, or with what one asks of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that stands for something else than a file: it is neither replaced nor written to.
    #[error("cannot write {}: it is {what}, not a file; give it the name of a file", shown::path(path))]
    NoFile {
        /// The name.
        path: PathBuf,
        /// What it stands for.
        what: &'static str,
    },

    /// The operating system refused.
    #[error("cannot {action} {}: {cause}", shown::path(path))]
    Io {
        /// What was tried: `open`, `read`, `create`, …
        action: &'static str,
        /// The file it was tried on.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },

    /// The file ends inside something it announced.
    #[error(
        "{} is cut short: {what} at byte {offset} needs {needed} bytes and {found} are there; get a complete copy",
        shown::path(path)
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// What is incomplete.
        what: &'static str,
        /// Where it begins, bytes from the start of the file.
        offset: u64,
        /// Its length, bytes.
        needed: u64,
        /// How much of it is there, bytes.
        found: u64,
    },

    /// The file is whole and holds nothing.
    #[error("{} holds no audio: {why}", shown::path(path))]
    Empty {
        /// The file.
        path: PathBuf,
        /// How one can tell.
        why: &'static str,
    },

    /// The file breaks its format, or uses a part of it that is not accepted.
    #[error("{} is not a usable {format} file: {problem}; accepted: {}", shown::path(path), format.accepts())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it was read as.
        format: Format,
        /// What is wrong with it.
        problem: String,
    },

    /// More packets than fit into memory.
    #[error(
        "{} is too long to be read at once: more than {MAX_HOURS} hours of packets, or {} GiB; cut it into pieces",
        shown::path(path), MAX_STREAM_BYTES >> 30
    )]
    TooLong {
        /// The file.
        path: PathBuf,
    },

    /// The file is of no format read here.
    #[error(
        "{} is of no known format: {problem}; accepted: WAV (.wav), Ogg Opus (.opus, .ogg), opus_demo (.bit)",
        shown::path(path)
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// What it begins or ends with instead.
        problem: String,
    },

    /// A sample rate out of range.
    #[error("sample rate {0} Hz is out of range; use {MIN_RATE} to {MAX_RATE} Hz")]
    Rate(u32),

    /// A channel count out of range.
    #[error("{0} channels are out of range; use 1 to {MAX_CHANNELS}")]
    Channels(u16),

    /// More than two channels have no agreed way to become two.
    #[error("{from} channels cannot be mixed to {to}; mix them to 1, or keep {from}")]
    Mix {
        /// Channels there are.
        from: u8,
        /// Channels asked for.
        to: u8,
    },

    /// Interleaved samples that do not fill their last row.
    #[error("{samples} interleaved samples do not divide into {channels} channels; pass a multiple of {channels}")]
    Interleaving {
        /// Samples given, of all channels together.
        samples: usize,
        /// Channels they belong to.
        channels: u8,
    },

    /// Two clips that cannot be compared sample by sample.
    #[error(
        "cannot compare {reference_rate} Hz with {reference_channels} channels to {signal_rate} Hz with {signal_channels}; \
         resample and mix one to match"
    )]
    Unlike {
        /// Sample rate of the reference, Hz.
        reference_rate: u32,
        /// Channels of the reference.
        reference_channels: u8,
        /// Sample rate of the signal, Hz.
        signal_rate: u32,
        /// Channels of the signal.
        signal_channels: u8,
    },

    /// A WAV file can hold no more: its length fields are 32 bits wide.
    #[error("{} is full: a WAV file ends at 4 GiB; start another", shown::path(path))]
    Full {
        /// The file.
        path: PathBuf,
    },

    /// A packet too long to store.
    #[error("packet of {0} bytes is too long; at most {MAX_PACKET}")]
    PacketTooLong(usize),

    /// Bytes that are no Opus packet.
    #[error("no Opus packet ({0}); a packet has a TOC byte and lasts 2.5 to 120 ms (RFC 6716 section 3.1)")]
    Packet(&'static str),

    /// An Ogg Opus stream cannot end where asked.
    #[error("cannot end the stream after {asked} samples at 48 kHz; its packets allow {least} to {most}")]
    EndTrim {
        /// Samples per channel asked for, after pre-skip.
        asked: u64,
        /// Fewest that can be stored: trimming may only touch the last page.
        least: u64,
        /// Most that can be stored: everything the packets decode to, less the pre-skip.
        most: u64,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path, cause: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), cause }
    }

    pub(crate) fn malformed(format: Format, path: &Path, problem: impl Into<String>) -> Self {
        Self::Malformed { path: path.to_owned(), format, problem: problem.into() }
    }

    pub(crate) fn empty(path: &Path, why: &'static str) -> Self {
        Self::Empty { path: path.to_owned(), why }
    }
}
