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

/// What kind of trouble a socket has, without what differs from device to device.
pub(crate) fn trouble(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        #[cfg(unix)]
        Some(23 | 24) => "too many open files: raise the limit (ulimit -n)".into(),
        _ => error.kind().to_string(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_told_with_its_remedy() {
        let full = std::io::Error::from_raw_os_error(24);
        assert_eq!(trouble(&full), "too many open files: raise the limit (ulimit -n)");
        assert_eq!(trouble(&std::io::ErrorKind::ConnectionRefused.into()), "connection refused");
    }
}
