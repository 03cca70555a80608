//! What can be wrong with a file to transcode, or with what one asks of it. Each message names the value and the remedy.

use crate::Fault;
use sidetone_audio::{Format, shown};
use std::io::ErrorKind;
use std::path::PathBuf;
use thiserror::Error as ThisError;

/// Why a file was not transcoded.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written, or is damaged.
    #[error(transparent)]
    Audio(#[from] sidetone_audio::Error),
    /// A number of the file's that Opus does not have.
    #[error(transparent)]
    Setting(#[from] sidetone_opus::Error),
    /// A format that is read elsewhere, but not here.
    #[error("{} is {format}, which cannot be transcoded", shown::path(path))]
    Format {
        /// The file.
        path: PathBuf,
        /// What it is.
        format: Format,
    },
    /// Only lost packets.
    #[error("{} holds no audio: every packet in it was lost", shown::path(.0))]
    AllLost(PathBuf),
    /// A record that holds no packet.
    #[error("{} is no .bit file, or damaged: packet {index}: {cause}", shown::path(path))]
    Record {
        /// The file.
        path: PathBuf,
        /// Which packet.
        index: usize,
        /// What is wrong with it.
        cause: sidetone_audio::Error,
    },
    /// Channels that nobody knows how to mix.
    #[error("{0} channels cannot be mixed to 2; --channels 1 mixes them to 1")]
    Mix(u8),
    /// The guest did not encode a frame.
    #[error("frame {index} was not encoded: {cause}")]
    Encode {
        /// Which frame.
        index: usize,
        /// Why.
        cause: Fault,
    },
    /// The guest did not decode a packet that must decode.
    #[error("packet {0} cannot be decoded; it is damaged")]
    Undecodable(usize),
    /// No packet decodes.
    #[error("none of the {0} packets can be decoded; this is no Opus, or it is damaged")]
    NoneDecodes(u64),
    /// An instance did not do its work.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Nothing is left to play.
    #[error("{} holds no audio after its pre-skip", shown::path(.0))]
    NoAudio(PathBuf),
    /// IN and OUT are one file.
    #[error("{} would overwrite IN; give OUT another name", shown::path(.0))]
    Overwrites(PathBuf),
    /// OUT is to be in no folder.
    #[error("cannot create {}: there is no folder {}", shown::path(path), shown::path(folder))]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// The folder it would be in.
        folder: PathBuf,
    },
    /// OUT is a link that leads nowhere.
    #[error("cannot create {}: it is a link into a folder that does not exist", shown::path(.0))]
    DeadLink(PathBuf),
    /// OUT cannot be made; without the name of a temporary file that the system's error carries.
    #[error("cannot {action} {}: {kind}", shown::path(path))]
    Refused {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        kind: ErrorKind,
    },
    /// Whoever watches wanted no further step.
    #[error("it was stopped")]
    Stopped,
}

impl From<sidetone_host::Error> for Error {
    fn from(error: sidetone_host::Error) -> Self {
        Self::Fault(error.into())
    }
}
