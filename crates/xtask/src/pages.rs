//! The pages that the gateway carries: whether what was built is what the sources say, and the dashboard's build.

use crate::npm::{self, npm};
use crate::setup::{self, Need};
use crate::sh::root;
use crate::{component, run, web};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// The operator's page.
pub(crate) const DASHBOARD: &str = "web/dashboard";

/// What every page is made of, beside its own folder.
const SHARED: &str = "web/ui";

/// What of a page's folder it is made of.
const SOURCES: [&str; 5] = ["index.html", "package-lock.json", "src", "tsconfig.json", "vite.config.ts"];

/// Builds the dashboard, to web/dashboard/dist.
pub(crate) fn dashboard() -> Result<()> {
    npm::install(DASHBOARD)?;
    npm(DASHBOARD).args(["run", "--silent", "build"]).run()
}

/// Builds the dashboard, and tests it in Chromium against a gateway that the fleet calls. What is lacking on this machine
/// is left out, and said.
pub(crate) fn test_dashboard() -> Result<()> {
    if let Err(error) = setup::ensure_node_for_page() {
        println!("\n*** SKIPPED: the dashboard is neither built nor tested: {error:#}\n");
        return Ok(());
    }
    dashboard()?;
    if let Err(error) = setup::ensure(&[Need::Browser]) {
        println!("\n*** SKIPPED: the dashboard is not tested, for there is no Chromium: {error:#}\n");
        return Ok(());
    }
    npm(DASHBOARD).arg("test").env("SIDETONE_BINARY", run::file_built_once("sidetone")?).run()
}

/// Builds the pages that are not there or older than their sources, before a gateway is started that carries them.
///
/// The gateway does without them: what is lacking is said, and is no reason not to start it.
pub(crate) fn bring_up_to_date() {
    if let Err(error) = try_to() {
        println!("\n*** The gateway starts without all of its pages: {error:#}\n");
    }
}

fn try_to() -> Result<()> {
    setup::ensure(&[Need::Node])?;
    setup::ensure_node_for_page()?;
    if !is_current(DASHBOARD, &[SHARED])? {
        dashboard()?;
    }
    if !is_current(web::EMULATOR, &[SHARED, "web/device/src", "web/device/Cargo.toml", "web/media/src"])?
        || !has_this_module()?
    {
        println!("\nThe device page comes next; its tools are compiled first where they are not there: minutes, once.");
        println!("`cargo xtask run --no-pages` does without.");
        setup::ensure(&[Need::Web])?;
        web::build_device_page(&run::file("sidetone")?)?;
    }
    Ok(())
}

/// Whether a page was built after everything that it is made of was last changed.
fn is_current(page: &str, further: &[&str]) -> Result<bool> {
    let folder = root().join(page);
    let Some(built) = changed(&folder.join("dist/index.html"))? else { return Ok(false) };
    let own = SOURCES.iter().map(|name| folder.join(name));
    for source in own.chain(further.iter().map(|name| root().join(name))) {
        if changed(&source)?.is_none_or(|changed| changed > built) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// When a file, or the newest file of a folder, was changed; `None` where there is none.
fn changed(path: &Path) -> Result<Option<SystemTime>> {
    let unreadable = || format!("cannot read {}", path.display());
    let about = match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        about => about.with_context(unreadable)?,
    };
    let mut newest = Some(about.modified().with_context(unreadable)?);
    if about.is_dir() {
        for entry in fs::read_dir(path).with_context(unreadable)? {
            newest = newest.max(changed(&entry.with_context(unreadable)?.path())?);
        }
    }
    Ok(newest)
}

/// Whether the device page holds the very module that the gateway runs now.
fn has_this_module() -> Result<bool> {
    let ours = component::core_module()?;
    let assets = root().join(web::EMULATOR).join("dist/assets");
    let unreadable = || format!("cannot read {}", assets.display());
    for entry in fs::read_dir(&assets).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "wasm")
            && fs::read(&path).with_context(unreadable)? == ours
        {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_folder_is_as_new_as_its_newest_file_and_nothing_is_older_than_what_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/b");
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(&file, "x").unwrap();
        let later = SystemTime::now() + Duration::from_secs(1000);
        fs::File::options().write(true).open(&file).unwrap().set_modified(later).unwrap();
        assert_eq!(changed(folder.path()).unwrap(), Some(later));
        assert_eq!(changed(&folder.path().join("none")).unwrap(), None);
    }
}
