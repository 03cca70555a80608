//! What becomes of jobs, as a batch hears of it.

use crate::Address;
use serde::{Deserialize, Serialize};

/// One word about one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Event {
    /// A worker has begun.
    Started {
        /// Of the job.
        address: Address,
        /// Name of the worker.
        worker: String,
        /// 1 the first time.
        attempt: u32,
    },
    /// A worker is so far.
    Progress {
        /// Of the job.
        address: Address,
        /// Name of the worker.
        worker: String,
        /// 0 to 1.
        part: f32,
    },
    /// What the job makes is there, complete.
    Done {
        /// Of the job.
        address: Address,
        /// Name of the worker.
        worker: String,
        /// Which try it was.
        attempt: u32,
        /// What was made.
        made: Made,
    },
    /// Not done. It is tried again.
    Failed {
        /// Of the job.
        address: Address,
        /// Name of the worker.
        worker: String,
        /// Which try it was.
        attempt: u32,
        /// One sentence.
        reason: String,
    },
    /// Not done, and not tried again: a dead letter.
    Dead {
        /// Of the job.
        address: Address,
        /// Name of the worker that gave up.
        worker: String,
        /// How often it was tried.
        attempts: u32,
        /// One sentence.
        reason: String,
    },
}

impl Event {
    /// Of which job.
    #[must_use]
    pub const fn address(&self) -> &Address {
        match self {
            Self::Started { address, .. }
            | Self::Progress { address, .. }
            | Self::Done { address, .. }
            | Self::Failed { address, .. }
            | Self::Dead { address, .. } => address,
        }
    }
}

/// What a job has made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Made {
    /// Bytes of the output.
    pub bytes: u64,
    /// Seconds of audio that were worked on; 0 where nobody looked.
    pub audio_seconds: f64,
    /// Packets or datagrams.
    pub packets: u64,
    /// Seconds that it took on its worker.
    pub seconds: f64,
    /// It was there already.
    pub existed: bool,
    /// What is worth saying of the input.
    pub notes: Vec<String>,
}
