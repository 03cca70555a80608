//! npm, in the folders that are npm packages.

use crate::sh::{Cmd, root, which};
use anyhow::{Context, Result};
use std::fs;

/// npm, in a folder.
pub(crate) fn npm(folder: &str) -> Cmd {
    // npm is a script: on Windows it has another extension than the programs that `Command` finds by name.
    Cmd::new(which("npm").unwrap_or_else(|| "npm".into())).dir(folder)
}

/// Installs what a folder's lock file names, where that is not there yet.
pub(crate) fn install(folder: &str) -> Result<()> {
    if !needs_install(folder)? {
        return Ok(());
    }
    npm(folder)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .remedy("it needs the npm registry, or a mirror of it")
        .run()
}

/// npm notes in node_modules what it installed; `npm ci` takes seconds, so it runs only where the lock file is newer.
fn needs_install(folder: &str) -> Result<bool> {
    let folder = root().join(folder);
    let lock = folder.join("package-lock.json");
    let changed = fs::metadata(&lock).and_then(|meta| meta.modified());
    let changed = changed.with_context(|| format!("cannot read {}", lock.display()))?;
    let installed = fs::metadata(folder.join("node_modules/.package-lock.json")).and_then(|meta| meta.modified());
    Ok(installed.map_or(true, |installed| installed < changed))
}
