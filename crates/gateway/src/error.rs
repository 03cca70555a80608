//! Why a gateway does not start.

use crate::config::ConfigError;
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
    /// Settings that do not go.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An address that cannot be listened on.
    #[error("{what} = \"{address}\": {}", listen_remedy(error))]
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

/// What the system says of an address, and what to do.
fn listen_remedy(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there; stop it, or set another address (port 0: the system's choice)".into()
        }
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address; 0.0.0.0 means all it has".into(),
        io::ErrorKind::PermissionDenied => {
            format!("{error}; ports below 1024 need privileges, so set a higher one")
        }
        _ => error.to_string(),
    }
}
