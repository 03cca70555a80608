//! A temporary file in the folder of the file that it is to become.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// Its errors do not tell its name: nobody knows it.
#[derive(Debug)]
pub(crate) enum Beside {
    /// Without a name until it is complete: however its process ends, nothing is left of it.
    #[cfg(target_os = "linux")]
    Nameless(File),
    /// Where the system or the file system has no such files.
    Named(NamedTempFile),
}

impl Beside {
    /// One beside `real`.
    pub(crate) fn create(real: &Path) -> io::Result<Self> {
        if real.file_name().is_none() {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        #[cfg(target_os = "linux")]
        if let Some(file) = nameless::create(folder(real)) {
            return Ok(Self::Nameless(file));
        }
        named().tempfile_in(folder(real)).map(Self::Named)
    }

    pub(crate) fn file(&self) -> &File {
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => file,
            Self::Named(file) => file.as_file(),
        }
    }

    /// Gives it its name.
    pub(crate) fn persist(self, real: PathBuf) -> io::Result<()> {
        match self {
            // A name is given at once, but not taken from another file: that takes a second step.
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => {
                let linked = named().make_in(folder(&real), |path| nameless::link(&file, path))?;
                linked.persist(real)?;
            }
            Self::Named(file) => drop(file.persist(real)?),
        }
        Ok(())
    }
}

/// A bare name has the empty parent, which is no folder one can open.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A name that is short, whatever the target's is.
fn named() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(".").rand_bytes(12).suffix(".part");
    // Temporary files are private by default; this one is to become an ordinary file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

#[cfg(target_os = "linux")]
mod nameless {
    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};
    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd;
    use std::path::{Path, PathBuf};

    /// What the kernel knows an open file by, if this is to be had.
    fn link_to(file: &File) -> PathBuf {
        format!("/proc/self/fd/{}", file.as_raw_fd()).into()
    }

    /// `None` where there are none: what is wrong with the folder, a named file tells.
    pub(super) fn create(folder: &Path) -> Option<File> {
        let file = open(folder, OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC, Mode::from_raw_mode(0o666)).ok()?;
        let file = File::from(file);
        link_to(&file).exists().then_some(file)
    }

    pub(super) fn link(file: &File, path: &Path) -> io::Result<()> {
        Ok(linkat(CWD, link_to(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
    }
}

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

impl Seek for Beside {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file().seek(position)
    }
}
