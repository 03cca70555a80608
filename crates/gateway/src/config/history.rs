//! `[history]`: what is kept of numbers and ended calls.

use crate::history::{Bounds, Place};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// In memory, history takes no more than this, whatever `most_bytes` says.
const MOST_IN_MEMORY: u64 = 16 << 20;

/// What is kept of numbers and ended calls.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct History {
    /// A file of SQLite; `memory`: until the process ends; `off`: nothing is kept.
    pub file: PathBuf,
    /// Days after which it is forgotten.
    pub days: u64,
    /// Most bytes of the file; the oldest makes room.
    pub most_bytes: u64,
}

impl Default for History {
    fn default() -> Self {
        Self { file: "memory".into(), days: 30, most_bytes: 64 << 20 }
    }
}

impl History {
    /// Where it is kept, if it is.
    pub(crate) fn place(&self) -> Option<Place> {
        match self.file.to_str() {
            Some("off") => None,
            Some("memory") => Some(Place::Memory),
            _ => Some(Place::File(self.file.clone())),
        }
    }

    /// How much is kept.
    pub(crate) fn bounds(&self) -> Bounds {
        let most_bytes = match self.place() {
            Some(Place::Memory) => self.most_bytes.min(MOST_IN_MEMORY),
            _ => self.most_bytes,
        };
        Bounds { max_age: Duration::from_secs(self.days * 86_400), most_bytes }
    }
}
