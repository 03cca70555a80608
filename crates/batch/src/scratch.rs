//! A folder of one job's own, beside what it makes: nothing half-written is ever seen under a final name.
//!
//! It holds a locked file while its process lives. What a killed one has left can therefore be told apart from what is
//! in use, on this machine or another that shares the storage, and is [swept](sweep).

use crate::Problem;
use sidetone_audio::shown;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const PREFIX: &str = ".sidetone-";
const SUFFIX: &str = ".part";
const LOCK: &str = "lock";

/// Times that a fresh folder may be swept before it is locked.
const ATTEMPTS: usize = 5;

/// How old a folder without a lock must be to be taken for a leftover.
const AGE: Duration = Duration::from_secs(60);

/// The folder. Dropped, it is gone.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes one in `folder`.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn new(folder: &Path) -> Result<Self, Problem> {
        let problem = |error: io::Error| Problem::io("write in", folder, &error);
        for _ in 0..ATTEMPTS {
            let made = tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).tempdir_in(folder).map_err(problem)?;
            let lock = match File::create(made.path().join(LOCK)) {
                // Somebody swept it while it was empty.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                lock => lock.map_err(problem)?,
            };
            match lock.try_lock() {
                // It is gone where somebody swept before it was locked.
                Ok(()) if made.path().join(LOCK).exists() => return Ok(Self { folder: made, _lock: lock }),
                // Somebody sweeps just now.
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                // Storage without locks: nothing there is ever swept.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(Self { folder: made, _lock: lock });
                }
                Err(TryLockError::Error(error)) => return Err(problem(error)),
            }
        }
        Err(Problem::give_back(format!("cannot keep a folder in {}: others remove it", shown::path(folder))))
    }

    /// Where a file of the job goes.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Gives a complete file its final name, on disk for good, and says how long it is. What had that name is replaced:
    /// it was the same.
    ///
    /// # Errors
    /// The disk is full, or the name cannot be taken.
    pub fn publish(&self, name: &str, to: &Path) -> Result<u64, Problem> {
        let from = self.file(name);
        let done = File::open(&from).and_then(|file| {
            file.sync_all()?;
            let bytes = file.metadata()?.len();
            fs::rename(&from, to)?;
            if let Some(folder) = to.parent() {
                sync_folder(folder)?;
            }
            Ok(bytes)
        });
        done.map_err(|error| Problem::io("write", to, &error))
    }
}

/// Forces a folder's names to disk, where the system has such a thing.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Removes what killed processes have left in a folder; how many.
///
/// # Errors
/// The folder cannot be read.
pub fn sweep(folder: &Path) -> io::Result<usize> {
    let mut swept = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !(name.starts_with(PREFIX) && name.ends_with(SUFFIX)) {
            continue;
        }
        // Where it is empty: its owner died at once, or makes another one.
        if fs::remove_dir(&path).is_ok() {
            swept += 1;
            continue;
        }
        // Held until the folder is gone: its owner, if it just came, makes another one.
        let Some(_held) = claim(&path) else { continue };
        // Somebody else may have been faster.
        swept += usize::from(fs::remove_dir_all(&path).is_ok());
    }
    Ok(swept)
}

/// What shows that nobody has a folder: its lock, or its age where there is none.
fn claim(folder: &Path) -> Option<Option<File>> {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok().then_some(Some(lock)),
        Err(_) => {
            let age = folder.metadata().and_then(|found| found.modified()).ok();
            let old = age.and_then(|time| SystemTime::now().duration_since(time).ok()).is_some_and(|age| age > AGE);
            old.then_some(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    #[test]
    fn a_file_appears_whole_and_the_folder_goes() {
        let out = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(out.path()).unwrap();
        fs::write(scratch.file("made"), "abc").unwrap();
        let target = out.path().join("a.opus");
        assert!(!target.exists());
        assert_eq!(scratch.publish("made", &target).unwrap(), 3);
        drop(scratch);
        assert_eq!(names(out.path()), ["a.opus"]);
    }

    #[test]
    fn a_fresh_folder_is_never_swept_from_under_its_owner() {
        let out = tempfile::tempdir().unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    // A folder that goes away while it is read is no matter.
                    let _ = sweep(out.path());
                }
            });
            // Where it is swept time and again it says so; what it gives, it keeps.
            let given = (0..200).filter_map(|_| Scratch::new(out.path()).ok());
            let kept = given.map(|scratch| fs::write(scratch.file("made"), "abc").is_ok());
            let kept: Vec<_> = kept.collect();
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(!kept.is_empty() && kept.iter().all(|kept| *kept), "{kept:?}");
        });
    }

    #[test]
    fn only_what_nobody_holds_is_swept() {
        let out = tempfile::tempdir().unwrap();
        let held = Scratch::new(out.path()).unwrap();
        let left = out.path().join(".sidetone-abc.part");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        fs::write(left.join("half"), "x").unwrap();
        fs::create_dir(out.path().join(".sidetone-empty.part")).unwrap();
        // Without a lock, on storage that has none, somebody may be at work.
        let young = out.path().join(".sidetone-young.part");
        fs::create_dir(&young).unwrap();
        fs::write(young.join("half"), "x").unwrap();
        fs::create_dir(out.path().join("mine.part")).unwrap();
        assert_eq!(sweep(out.path()).unwrap(), 2);
        assert!(!left.exists() && young.exists() && held.file("").exists());
        assert_eq!(names(out.path()).len(), 3);
    }
}
