//! The file: whose it is before it is opened, and where it goes when it is broken.

use super::trouble::Trouble;
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What every file of SQLite begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// What SQLite puts beside a file.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Makes sure that a file is there which SQLite may be let at: ours, empty, or once a database. New ones are for their
/// owner alone.
pub(super) fn prepare(path: &Path) -> Result<(), Trouble> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(Trouble::Unreachable)?;
    if !file.metadata().map_err(Trouble::Unreachable)?.is_file() {
        return Err(Trouble::Foreign("it is no regular file".into()));
    }
    let mut start = Vec::new();
    file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut start).map_err(Trouble::Unreachable)?;
    if start.is_empty() || start == MAGIC {
        return Ok(());
    }
    // A database whose first page was lost. What is called otherwise was named by mistake.
    let was_database =
        start.iter().all(|&byte| byte == 0) || path.extension().is_some_and(|extension| extension == "db");
    Err(if was_database {
        Trouble::Corrupt("its first bytes are not SQLite's".into())
    } else {
        Trouble::Foreign("it is no SQLite file, nor is it called one (.db)".into())
    })
}

/// Gives a broken file another name, with what belongs to it, so that a new one can be begun. The new name.
pub(super) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let name = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let mut number = 0;
    let aside = loop {
        let aside = name(&if number == 0 { format!(".corrupt-{now}") } else { format!(".corrupt-{now}-{number}") });
        if !aside.try_exists()? {
            break aside;
        }
        number += 1;
    };
    fs::rename(path, &aside)?;
    for suffix in BESIDE {
        let mut to = aside.as_os_str().to_owned();
        to.push(suffix);
        match fs::rename(name(suffix), to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_have_been_a_database_is_taken_for_a_broken_one() {
        let folder = tempfile::tempdir().unwrap();
        let judge = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            prepare(&path)
        };
        assert!(judge("new.db", b"").is_ok() && judge("x", b"SQLite format 3\0...").is_ok());
        assert!(matches!(judge("history.db", b"garbage"), Err(Trouble::Corrupt(_))));
        assert!(matches!(judge("x", &[0; 4096]), Err(Trouble::Corrupt(_))));
        assert!(matches!(judge("sidetone.toml", b"[mqtt]\nlisten = 1\n"), Err(Trouble::Foreign(_))));
        assert!(matches!(prepare(folder.path()), Err(Trouble::Unreachable(_) | Trouble::Foreign(_))));
        assert!(matches!(prepare(Path::new("/no/such/folder/h.db")), Err(Trouble::Unreachable(_))));
    }

    #[test]
    fn what_is_set_aside_keeps_its_bytes_and_takes_along_what_belongs_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.db");
        let mut names = Vec::new();
        for _ in 0..2 {
            fs::write(&path, "broken").unwrap();
            fs::write(folder.path().join("h.db-wal"), "log").unwrap();
            let aside = set_aside(&path).unwrap();
            assert_eq!(fs::read(&aside).unwrap(), b"broken");
            assert_eq!(fs::read(format!("{}-wal", aside.display())).unwrap(), b"log");
            names.push(aside);
        }
        assert_ne!(names[0], names[1], "in one second too");
        assert!(!path.exists());
    }
}
