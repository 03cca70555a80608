//! Why a gateway does not start.

use sidetone_host::PoolError;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use thiserror::Error;

/// Why a gateway does not start. Names the setting at fault, as the configuration file has it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting that does not go.
    #[error("{name}: {why}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// What is wrong, and what would be right.
        why: String,
    },
    /// An address that cannot be listened on.
    #[error("{what} = \"{address}\": {error}")]
    Listen {
        /// The setting.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// In the system's words.
        error: io::Error,
    },
    /// A file that cannot be used.
    #[error("{setting} = {path:?}: {error}")]
    File {
        /// The setting.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// In the system's words.
        error: io::Error,
    },
    /// The pool.
    #[error(transparent)]
    Pool(#[from] PoolError),
}
