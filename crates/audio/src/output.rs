//! Files that appear complete or not at all.
//!
//! A writer that fails half-way must not leave half a file under the name that the next program will open. So
//! everything is written to a temporary file beside the target, which takes the target's name only when
//! [`AtomicFile::commit`] is called.

use crate::beside::{Beside, folder};
use crate::{Error, Result};
use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A buffered file under construction. Dropped without [`commit`](Self::commit) (an error, a panic) it vanishes, and
/// what stood under its name before stays as it was.
///
/// - A symbolic link is followed, also where it points at nothing yet: the file it points at is written, the link stays.
/// - Permissions of a file that is replaced are kept; a new file gets those of the process's umask.
/// - What is no regular file (`/dev/null`, a pipe, a folder) is refused.
/// - A process that is killed leaves an untouched target and, where the temporary file must have a name (not on Linux's
///   usual file systems), that file, `.XXXXXXXXXXXX.part`.
/// - Nothing is forced to disk: after a power failure the file may be missing.
#[derive(Debug)]
pub struct AtomicFile {
    writer: BufWriter<Beside>,
    path: PathBuf,
    /// Where it goes: the path, with links followed.
    real: PathBuf,
}

/// Most links that are followed, as Linux has it.
const MOST_LINKS: usize = 40;

impl AtomicFile {
    /// Starts a file that will be called `path`.
    ///
    /// # Errors
    /// [`Error::NoFile`] if `path` is a folder, a pipe or a device; [`Error::Io`] if its folder does not exist or cannot
    /// be written to.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let existing = existing(path)?;
        let create = || {
            let real = follow(path)?;
            let temporary = Beside::create(&real)?;
            if let Some(permissions) = existing {
                temporary.file().set_permissions(permissions)?;
            }
            Ok(Self { writer: BufWriter::new(temporary), path: path.to_owned(), real })
        };
        create().map_err(|cause| Error::io("create", path, cause))
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// [`Error::Io`], naming the target rather than the temporary file.
    pub fn write_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.writer.write_all(bytes).map_err(|cause| Error::io("write", &self.path, cause))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// [`Error::Io`] if the last bytes cannot be written (a full disk) or the name cannot be taken. Nothing is left
    /// behind.
    pub fn commit(self) -> Result<()> {
        let Self { writer, path, real } = self;
        let temporary = writer.into_inner().map_err(|error| Error::io("write", &path, error.into_error()))?;
        temporary.persist(real).map_err(|cause| Error::io("replace", &path, cause))?;
        Ok(())
    }

    /// The name it will have.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A second handle to the file, for a library that insists on owning what it writes to.
    pub(crate) fn handle(&self) -> Result<File> {
        self.writer.get_ref().file().try_clone().map_err(|cause| Error::io("create", &self.path, cause))
    }
}

/// Permissions of the file that is there.
fn existing(path: &Path) -> Result<Option<Permissions>> {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(Error::io("create", path, cause)),
    };
    if found.is_file() {
        return Ok(Some(found.permissions()));
    }
    let what = if found.is_dir() { "a folder" } else { "a pipe or a device" };
    Err(Error::NoFile { path: path.to_owned(), what })
}

/// Where a path leads: through links, the last of which may point at nothing.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut real = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&real) {
            // An absolute one replaces all of it.
            Ok(next) => real = folder(&real).join(next),
            Err(_) => return Ok(real),
        }
    }
    Err(io::Error::other("its links go round in a circle"))
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.writer.seek(position)
    }
}
