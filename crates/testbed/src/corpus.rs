//! Recordings, bitstreams and packets from outside the repository: where `SIDETONE_CORPUS` says, or in ../shared/corpus
//! beside the checkout.

use std::fs;
use std::path::PathBuf;

/// Where the corpus is, if it is there.
#[must_use]
pub fn root() -> PathBuf {
    std::env::var_os("SIDETONE_CORPUS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus")), PathBuf::from)
}

/// A folder of the corpus; `None`, with a word about what is `skipped`, where it is not there.
#[must_use]
pub fn folder(name: &str, skipped: &str) -> Option<PathBuf> {
    let folder = root().join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {skipped} ({} is no folder; SIDETONE_CORPUS names the corpus)", folder.display());
    None
}

/// The files of a folder of the corpus that end in `extension`, by name; none, with a word about it, where there is no
/// corpus.
///
/// # Panics
/// Where the folder is there and holds none.
#[must_use]
pub fn files(name: &str, extension: &str, skipped: &str) -> Vec<PathBuf> {
    let Some(folder) = folder(name, skipped) else { return Vec::new() };
    let entries = fs::read_dir(&folder).expect("a readable folder");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    assert!(!files.is_empty(), "{} holds no .{extension} file", folder.display());
    files
}

/// What a file of the corpus holds; `None`, with a word about it, where it cannot be read.
#[must_use]
pub fn file(name: &str, skipped: &str) -> Option<Vec<u8>> {
    let file = root().join(name);
    match fs::read(&file) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            eprintln!("skipped: {skipped} ({}: {error}; SIDETONE_CORPUS names the corpus)", file.display());
            None
        }
    }
}
