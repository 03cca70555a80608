//! The configuration: where settings come from, and what is said of those that do not go.

mod rules;
mod secrets;
mod sources;
mod tables;
mod wrong;

use sidetone_gateway::config::Sources;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct Scratch(TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        private(&path);
        path
    }

    /// Sources with this file.
    fn sources(&self, text: &str) -> Sources {
        Sources { file: Some(self.write("s.toml", text)), ..Sources::none() }
    }

    /// Everything that is wrong, a line each, with the file's folder left out.
    fn wrong(&self, sources: &Sources) -> Vec<String> {
        let error = sources.load().expect_err("something is wrong").to_string();
        let folder = format!("{}/", self.0.path().display());
        error.lines().map(|line| line.replace(&folder, "")).collect()
    }
}

#[cfg(unix)]
fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_: &Path) {}

fn with_variables(mut sources: Sources, variables: &[(&str, &str)]) -> Sources {
    sources.environment.extend(variables.iter().map(|(name, text)| (name.into(), text.into())));
    sources
}

fn with_flags(mut sources: Sources, flags: &[(&'static str, &str)]) -> Sources {
    sources.flags.extend(flags.iter().map(|&(name, text)| (name, text.to_owned())));
    sources
}
