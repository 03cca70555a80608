//! Why a fleet does not run.

use thiserror::Error;

/// A fleet was not started, or its report was not written. What goes wrong with single devices is in the report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting that cannot be.
    #[error("{0}")]
    Config(String),
    /// Speech that cannot be used.
    #[error("{0}")]
    Speech(String),
    /// A WAV file that cannot be used, or a file that cannot be written.
    #[error(transparent)]
    Audio(#[from] sidetone_audio::Error),
    /// The codec failed.
    #[error("cannot encode the speech: {0}")]
    Opus(#[from] sidetone_opus::Error),
    /// The certificates to trust cannot be read.
    #[error("cannot use the certificates in {path}: {problem}")]
    Certificates {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Threads or sockets are not to be had.
    #[error("cannot start: {0}")]
    Start(#[from] std::io::Error),
}
