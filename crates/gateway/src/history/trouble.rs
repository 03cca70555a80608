//! Why history cannot be kept just now.

use rusqlite::ErrorCode;
use std::io;
use thiserror::Error;

/// What stands in the way.
#[derive(Debug, Error)]
pub(super) enum Trouble {
    /// The file is broken. It is set aside.
    #[error("the file is broken: {0}")]
    Corrupt(String),
    /// There is no room, on the disk or within history.most_bytes.
    #[error("there is no room: the disk is full, or its quota is used up")]
    Full,
    /// Another program has it.
    #[error("another program has the file open: give each gateway a history.file of its own")]
    Taken,
    /// It is not ours.
    #[error("{0}; it is left as it is: let history.file name another file")]
    Foreign(String),
    /// It cannot be opened.
    #[error("{0}; let history.file name a file in a folder that the gateway may write to (systemd: StateDirectory=)")]
    Unreachable(io::Error),
    /// Whatever else.
    #[error("{0}")]
    Other(rusqlite::Error),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error.to_string()),
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Taken,
            _ => match error {
                // What is there is not what any version wrote.
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::Utf8Error(..) => Self::Corrupt(error.to_string()),
                error => Self::Other(error),
            },
        }
    }
}
