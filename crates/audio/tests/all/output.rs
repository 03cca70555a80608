//! Files appear complete or not at all.

use crate::common::{listing, scratch};
use sidetone_audio::output::AtomicFile;
use sidetone_audio::{Error, Pcm, bit, wav};
use std::fs;
use std::path::Path;

#[test]
fn nothing_is_there_before_commit_and_all_of_it_after() {
    let (folder, path) = scratch("out.dec");
    let mut file = AtomicFile::create(&path).unwrap();
    file.write_bytes(b"hello").unwrap();
    assert!(!path.exists());
    file.commit().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"hello");
    assert_eq!(listing(&folder), ["out.dec"]);
}

#[test]
fn a_panic_leaves_nothing_behind() {
    let (folder, path) = scratch("out.dec");
    let target = path.clone();
    let panicked = std::thread::spawn(move || {
        let mut file = AtomicFile::create(&target).unwrap();
        file.write_bytes(&[0; 100_000]).unwrap();
        std::panic::resume_unwind(Box::new(()));
    });
    panicked.join().unwrap_err();
    assert_eq!(listing(&folder), [""; 0]);
}

#[test]
fn a_missing_folder_is_an_error_naming_the_target() {
    let (folder, path) = scratch("missing/out.wav");
    let pcm = Pcm::new(16000, 1, vec![0]).unwrap();
    let error = wav::write(&path, &pcm).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot create {}: ", path.display())), "{error}");
    assert_eq!(listing(&folder), [""; 0]);
}

#[test]
fn a_folder_is_not_replaced() {
    let (folder, path) = scratch("out.wav");
    fs::create_dir(&path).unwrap();
    assert!(matches!(AtomicFile::create(&path), Err(Error::NoFile { what: "a folder", .. })));
    assert_eq!(listing(&folder), ["out.wav"]);
}

#[test]
fn a_bare_name_lands_in_the_working_folder() {
    // Not committed: the working folder of the tests is the package's own.
    drop(AtomicFile::create("bare-name-of-a-test").unwrap());
    assert!(!Path::new("bare-name-of-a-test").exists());
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_and_permissions_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (folder, path) = scratch("real.wav");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link.wav");
    symlink(&path, &link).unwrap();

    let mut file = AtomicFile::create(&link).unwrap();
    file.write_bytes(b"new").unwrap();
    file.commit().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(listing(&folder), ["link.wav", "real.wav"]);
}

#[cfg(unix)]
#[test]
fn a_new_file_has_the_permissions_of_an_ordinary_one() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = scratch("out.bit");
    let ordinary = folder.path().join("ordinary");
    fs::write(&ordinary, "").unwrap();
    AtomicFile::create(&path).unwrap().commit().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&ordinary));
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_followed_to_where_it_points() {
    use std::os::unix::fs::symlink;
    let (folder, link) = scratch("link.wav");
    fs::create_dir(folder.path().join("there")).unwrap();
    symlink("next.wav", &link).unwrap();
    symlink("there/new.wav", folder.path().join("next.wav")).unwrap();
    let mut file = AtomicFile::create(&link).unwrap();
    file.write_bytes(b"new").unwrap();
    file.commit().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(folder.path().join("there/new.wav")).unwrap(), b"new");
    assert_eq!(listing(&folder), ["link.wav", "next.wav", "there"]);

    let (_folder, circle) = scratch("circle.wav");
    symlink(&circle, &circle).unwrap();
    assert!(matches!(AtomicFile::create(&circle), Err(Error::Io { action: "create", .. })));
}

#[test]
fn the_longest_name_is_no_longer_than_the_temporary_one() {
    let (folder, path) = scratch(&format!("{}.wav", "a".repeat(251)));
    AtomicFile::create(&path).unwrap().commit().unwrap();
    assert_eq!(listing(&folder)[0].len(), 255);
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_refused() {
    let null = Path::new("/dev/null");
    let error = wav::write(null, &Pcm::new(16000, 1, vec![0]).unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot write /dev/null: it is a pipe or a device, not a file; give it the name of a file"
    );
    assert!(bit::Writer::create(null).is_err());
    assert!(!fs::metadata(null).unwrap().is_file(), "it is a device still");
}
