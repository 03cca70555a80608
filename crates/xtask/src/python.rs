//! Python with packages of PyPI, apart from the system's.

use crate::sh::Cmd;
use anyhow::Result;
use std::path::{Path, PathBuf};

/// An environment in `folder` that has these packages, made where it is not there; `needs` says what installing them takes.
/// Returns its interpreter.
pub(crate) fn with(packages: &[&str], folder: &Path, needs: &str) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    if !python.is_file() {
        Cmd::new("python3").args(["-m", "venv"]).arg(folder).remedy("install the package python3-venv").run()?;
    }
    let pip = Cmd::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
    pip.remedy(format!("it needs {needs}")).run()?;
    Ok(python)
}
