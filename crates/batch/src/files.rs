//! Paths of jobs on this machine. A worker takes jobs from whoever may write into the queue, and touches nothing outside
//! of the storage that it was given.

use crate::Problem;
use sidetone_audio::shown;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Where jobs' paths begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// Anywhere: the jobs are this process's own.
    Any,
    /// In this folder, links followed.
    Below(PathBuf),
}

impl Root {
    /// A folder.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn below(folder: &Path) -> Result<Self, Problem> {
        match fs::canonicalize(folder) {
            Ok(real) if real.is_dir() => Ok(Self::Below(real)),
            Ok(_) => Err(Problem::bury(format!("--root {} is no folder", shown::path(folder)))),
            Err(error) => Err(Problem::bury(format!("--root {}: {error}", shown::path(folder)))),
        }
    }

    /// A job's path of a file of this machine that exists.
    ///
    /// # Errors
    /// It is outside, or its name cannot be written into a job.
    pub fn name(&self, path: &Path) -> Result<String, Problem> {
        let real = fs::canonicalize(path).map_err(|error| Problem::io("find", path, &error))?;
        let inside = match self {
            Self::Any => real.as_path(),
            Self::Below(root) => real.strip_prefix(root).map_err(|_| {
                let (path, root) = (shown::path(path), shown::path(root));
                Problem::bury(format!(
                    "{path} is not below {root}, the storage that workers share; name it with --root"
                ))
            })?,
        };
        let text = inside.to_str().map(str::to_owned);
        text.ok_or_else(|| Problem::bury(format!("{} is not UTF-8; give it another name", shown::path(path))))
    }

    /// The same of a folder that need not exist yet, in one that does.
    ///
    /// # Errors
    /// As [`name`](Self::name).
    pub fn name_of_new(&self, path: &Path) -> Result<String, Problem> {
        if path.exists() {
            return self.name(path);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Problem::bury(format!("{} is no name of a folder", shown::path(path))))?;
        let folder = self.name(folder)?;
        Ok(if folder.is_empty() { name.to_owned() } else { format!("{}/{name}", folder.trim_end_matches('/')) })
    }

    /// The file that a job reads.
    ///
    /// # Errors
    /// It is missing, or outside.
    pub fn input(&self, path: &str) -> Result<PathBuf, Problem> {
        let path = self.join(path)?;
        let real = fs::canonicalize(&path).map_err(|error| Problem::io("open", &path, &error))?;
        self.inside(&path, real)
    }

    /// The file that a job writes: in a folder that is there.
    ///
    /// # Errors
    /// The folder is missing, or outside.
    pub fn output(&self, path: &str) -> Result<PathBuf, Problem> {
        let path = self.join(path)?;
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Problem::bury(format!("{} is no name of a file", shown::path(&path))));
        };
        let real = fs::canonicalize(folder).map_err(|error| Problem::io("write in", folder, &error))?;
        Ok(self.inside(&path, real)?.join(name))
    }

    fn join(&self, path: &str) -> Result<PathBuf, Problem> {
        let path = Path::new(path);
        match self {
            Self::Any => Ok(path.to_owned()),
            // What the system would not take for a way out is checked all the same, when it is resolved.
            Self::Below(root)
                if !path.as_os_str().is_empty()
                    && path.components().all(|part| matches!(part, Component::Normal(_))) =>
            {
                Ok(root.join(path))
            }
            Self::Below(_) => {
                Err(Problem::bury(format!("{} leads out of the storage that workers share", shown::path(path))))
            }
        }
    }

    fn inside(&self, path: &Path, real: PathBuf) -> Result<PathBuf, Problem> {
        match self {
            Self::Below(root) if !real.starts_with(root) => {
                let (path, root) = (shown::path(path), shown::path(root));
                Err(Problem::bury(format!("{path} is a link that leads out of {root}")))
            }
            _ => Ok(real),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fate;

    #[test]
    fn paths_are_named_below_the_root_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::below(folder.path()).unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        fs::write(folder.path().join("in/a.wav"), "").unwrap();
        let name = root.name(&folder.path().join("in/../in/a.wav")).unwrap();
        assert_eq!(name, "in/a.wav");
        assert_eq!(root.input(&name).unwrap(), fs::canonicalize(folder.path().join("in/a.wav")).unwrap());
        assert!(root.output("in/new.opus").unwrap().ends_with("in/new.opus"));
        let missing = root.input("in/b.wav").unwrap_err();
        assert_eq!(missing.fate, Fate::GiveBack);
        assert!(missing.reason.contains("it is missing on this worker"), "{}", missing.reason);
    }

    #[test]
    #[cfg(unix)]
    fn no_job_leads_out_of_the_root() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(outside.path().join("secret"), "").unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
        let root = Root::below(folder.path()).unwrap();
        for path in ["/etc/passwd", "../secret", "link/secret", "./secret", "a/../../secret"] {
            assert_eq!(root.input(path).unwrap_err().fate, Fate::Bury, "{path}");
        }
        assert_eq!(root.output("link/new").unwrap_err().fate, Fate::Bury);
        assert!(root.name(&outside.path().join("secret")).unwrap_err().reason.contains("name it with --root"));
    }
}
