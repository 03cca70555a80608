//! Why a job was not done, and what is to become of it.

use sidetone_audio::Error as Audio;
use sidetone_host::{Error as Host, PoolError};
use sidetone_transcode::{Error as Transcode, Fault};
use std::io;
use std::path::Path;

/// What is to become of a job that was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Another try, or another worker, may do it.
    GiveBack,
    /// It would fail in the same way everywhere.
    Bury,
    /// The worker was told to end; the job is as good as before.
    Return,
}

/// Why a job was not done: one sentence that names value and remedy.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct Problem {
    /// The sentence.
    pub reason: String,
    /// What follows.
    pub fate: Fate,
}

impl Problem {
    /// Not here, not now.
    pub fn give_back(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), fate: Fate::GiveBack }
    }

    /// Never.
    pub fn bury(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), fate: Fate::Bury }
    }

    /// Stopped before its end.
    #[must_use]
    pub fn stopped() -> Self {
        Self { reason: "the worker was told to end, and gave the job back".to_owned(), fate: Fate::Return }
    }

    /// The system refused something that was tried on a file.
    #[must_use]
    pub fn io(action: &str, path: &Path, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::Interrupted {
            return Self::stopped();
        }
        let name = sidetone_audio::shown::path(path);
        let remedy = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room there, the job is given back",
            io::ErrorKind::NotFound => "; it is missing on this worker: is the same storage mounted, and --root right?",
            io::ErrorKind::PermissionDenied => "; let this worker's user do so",
            _ => "",
        };
        Self::give_back(format!("cannot {action} {name}: {error}{remedy}"))
    }
}

impl From<Transcode> for Problem {
    fn from(error: Transcode) -> Self {
        match error {
            Transcode::Stopped => Self::stopped(),
            Transcode::Audio(Audio::Io { action, path, cause }) => Self::io(action, &path, &cause),
            Transcode::Fault(fault) => fault.into(),
            Transcode::Encode { ref cause, .. } => Self { fate: fate(cause), reason: error.to_string() },
            Transcode::NoFolder { .. } | Transcode::DeadLink(_) | Transcode::Refused { .. } => {
                Self::give_back(error.to_string())
            }
            error => Self::bury(error.to_string()),
        }
    }
}

impl From<Audio> for Problem {
    fn from(error: Audio) -> Self {
        Transcode::from(error).into()
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self { fate: fate(&fault), reason: fault.to_string() }
    }
}

impl From<PoolError> for Problem {
    fn from(error: PoolError) -> Self {
        Fault::from(error).into()
    }
}

/// What a guest refuses it refuses everywhere. One that failed may have been short of time or memory.
fn fate(fault: &Fault) -> Fate {
    match fault {
        Fault::Instance(error) | Fault::Pool(PoolError::Guest(error)) if refused(error) => Fate::Bury,
        _ => Fate::GiveBack,
    }
}

fn refused(error: &Host) -> bool {
    matches!(error, Host::Codec(_) | Host::Config(_) | Host::Open(_) | Host::Seal(_) | Host::Send(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_gives_the_job_back_and_a_broken_file_buries_it() {
        let full = Audio::Io { action: "write", path: "out.opus".into(), cause: io::ErrorKind::StorageFull.into() };
        let full = Problem::from(full);
        assert_eq!(full.fate, Fate::GiveBack);
        assert_eq!(full.reason, "cannot write out.opus: no storage space; make room there, the job is given back");
        let broken = Problem::from(Transcode::AllLost("lost.bit".into()));
        assert_eq!(
            (broken.fate, &*broken.reason),
            (Fate::Bury, "lost.bit holds no audio: every packet in it was lost")
        );
        let failed = Problem::from(PoolError::Lost);
        assert_eq!(failed.fate, Fate::GiveBack);
    }
}
