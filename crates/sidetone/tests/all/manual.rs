//! Manual pages and completions: made from the table that parses arguments, the same every time.

use crate::common::{listing, run, scratch};
use std::ffi::OsStr;
use std::fs;

#[test]
fn there_is_a_page_for_each_subcommand_and_it_is_the_same_again() {
    let (first, second) = (scratch(), scratch());
    for folder in [&first, &second] {
        let run = run([OsStr::new("man"), "--out".as_ref(), folder.path().as_ref()]);
        assert_eq!((run.code, &*run.out, &*run.err), (0, "", ""));
    }
    let pages = listing(first.path());
    for page in ["sidetone.1", "sidetone-fleet.1", "sidetone-inspect.1", "sidetone-serve.1", "sidetone-transcode.1"] {
        assert!(pages.iter().any(|name| name == page), "no {page} in {pages:?}");
    }
    for page in pages {
        let text = fs::read_to_string(first.path().join(&page)).unwrap();
        assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{page}: {text}");
        assert_eq!(text, fs::read_to_string(second.path().join(&page)).unwrap(), "{page}");
    }
    let whole = run(["man"]);
    assert_eq!((whole.code, &*whole.err), (0, ""));
    assert_eq!(whole.out, fs::read_to_string(first.path().join("sidetone.1")).unwrap());
}

#[test]
fn shells_can_complete_and_an_unknown_one_is_named() {
    for shell in ["bash", "zsh", "fish"] {
        let run = run(["completions", shell]);
        assert_eq!((run.code, &*run.err), (0, ""));
        assert!(run.out.contains("transcode") && run.out.contains("conformance"), "{shell}");
    }
    let run = run(["completions", "tcsh"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("tcsh") && run.err.contains("bash"), "{}", run.err);
}

#[test]
fn the_version_names_the_compiler() {
    let out = run(["--version"]).out;
    let (_, compiler) = out.trim_end().rsplit_once(", ").expect("a list");
    assert!(compiler.starts_with("rustc 1.") && compiler.ends_with(')'), "{out}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = scratch();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let run = run([OsStr::new("man"), "--out".as_ref(), file.join("man").as_ref()]);
    assert_eq!(run.code, 1);
    assert!(run.err.starts_with("error: cannot make the folder "), "{}", run.err);
}
