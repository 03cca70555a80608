//! Files that appear complete or not at all.
//!
//! A writer that fails half-way must not leave half a file under the name that the next program will open. So
//! everything is written to a temporary file beside the target, which takes the target's name only when
//! [`AtomicFile::commit`] is called.

use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A buffered file under construction. Dropped without [`commit`](Self::commit) (an error, a panic) it vanishes, and
/// what stood under its name before stays as it was.
///
/// - A symbolic link is followed: the file it points at is replaced, the link stays.
/// - Permissions of a file that is replaced are kept; a new file gets those of the process's umask.
/// - A target that is no regular file (`/dev/null`, a pipe) is written directly; replacing it would be wrong.
/// - A process that is killed leaves the temporary file, `.NAME.XXXXXX.part`, and an untouched target.
/// - Nothing is forced to disk: after a power failure the file may be missing.
#[derive(Debug)]
pub struct AtomicFile {
    writer: BufWriter<Target>,
    path: PathBuf,
}

#[derive(Debug)]
enum Target {
    Beside { temporary: NamedTempFile, real: PathBuf },
    Direct(File),
}

impl AtomicFile {
    /// Starts a file that will be called `path`.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder does not exist or cannot be written to, or if `path` is a folder.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let target = Target::create(path).map_err(|cause| Error::io("create", path, cause))?;
        Ok(Self { writer: BufWriter::new(target), path: path.to_owned() })
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
        let Self { writer, path } = self;
        let target = writer.into_inner().map_err(|error| Error::io("write", &path, error.into_error()))?;
        match target {
            Target::Direct(_) => Ok(()),
            Target::Beside { temporary, real } => {
                temporary.persist(real).map_err(|error| Error::io("replace", &path, error.error))?;
                Ok(())
            }
        }
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

impl Target {
    fn create(path: &Path) -> io::Result<Self> {
        let existing = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(metadata) if !metadata.is_file() => return Ok(Self::Direct(File::options().write(true).open(path)?)),
            Ok(metadata) => Some(metadata.permissions()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let real = if existing.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
        let Some(name) = real.file_name() else { return Err(io::ErrorKind::InvalidFilename.into()) };
        let prefix = format!(".{}.", name.to_string_lossy());
        // A bare name has the empty parent, which is no folder one can open.
        let folder = real.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));

        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".part");
        // Temporary files are private by default; this one is to become an ordinary file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = builder.tempfile_in(folder)?;
        if let Some(permissions) = existing {
            temporary.as_file().set_permissions(permissions)?;
        }
        Ok(Self::Beside { temporary, real })
    }

    fn file(&self) -> &File {
        match self {
            Self::Beside { temporary, .. } => temporary.as_file(),
            Self::Direct(file) => file,
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

impl Seek for Target {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file().seek(position)
    }
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
