//! The pages that the gateway serves, as bytes: the operator's dashboard, and the device for a browser.
//!
//! The build script takes what `cargo xtask web` has built (`web/dashboard/dist`, `web/emulator/dist`); it builds nothing
//! itself, and needs neither Node.js nor a network. Where a page has not been built, one sentence says how to.
#![forbid(unsafe_code)]

/// A page: its files, by path.
#[derive(Debug)]
pub struct Page {
    /// Whether this is the page, and not the sentence that stands for it.
    pub built: bool,
    /// Sorted by path.
    files: &'static [File],
}

/// A file of a page.
#[derive(Debug)]
pub struct File {
    /// Below the page's address, with `/` between folders.
    pub path: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
    /// The same, compressed with gzip, where that is a tenth smaller.
    pub gzip: Option<&'static [u8]>,
    /// SHA-256 of `bytes`, the first 16 bytes in hex.
    pub hash: &'static str,
}

impl Page {
    /// The file of this path. `index.html` is always there.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&'static File> {
        self.files.binary_search_by(|file| file.path.cmp(path)).ok().map(|index| &self.files[index])
    }

    /// All files.
    #[must_use]
    pub const fn files(&self) -> &'static [File] {
        self.files
    }
}

impl File {
    /// Whether the path changes with what is in the file, so that it may be kept for ever. Vite puts a hash into the
    /// names of all that it builds.
    #[must_use]
    pub fn is_immutable(&self) -> bool {
        self.path.starts_with("assets/")
    }
}

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_an_index_and_finds_each_of_its_files() {
        for page in [&DASHBOARD, &DEVICE] {
            assert!(page.file("index.html").is_some_and(|file| file.bytes.starts_with(b"<!doctype html>")));
            for file in page.files() {
                assert!(std::ptr::eq(page.file(file.path).expect("it is found"), file), "{}", file.path);
                assert_eq!(file.hash.len(), 32, "{}", file.path);
                assert!(file.gzip.is_none_or(|gzip| gzip.len() < file.bytes.len()), "{}", file.path);
            }
            assert!(page.file("../index.html").is_none() && page.file("").is_none());
        }
    }

    #[test]
    fn a_page_that_was_not_built_says_which_command_builds_it() {
        for page in [&DASHBOARD, &DEVICE].into_iter().filter(|page| !page.built) {
            let index = page.file("index.html").expect("an index");
            assert!(String::from_utf8_lossy(index.bytes).contains("<code>cargo xtask web</code>"));
        }
    }
}
