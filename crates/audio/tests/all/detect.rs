//! Formats by content and by name.

use crate::common::scratch;
use sidetone_audio::{Error, Format, detect::detect};
use std::fs;
use std::path::Path;

fn of(name: &str, content: &[u8]) -> Result<Format, String> {
    let (folder, path) = scratch(name);
    fs::write(&path, content).unwrap();
    let folder = format!("{}/", folder.path().display());
    detect(&path).map_err(|error| error.to_string().replace(&folder, ""))
}

#[test]
fn content_goes_before_name() {
    assert_eq!(of("a.bit", b"RIFF\x04\0\0\0WAVE"), Ok(Format::Wav));
    assert_eq!(of("a.wav", b"OggS\0\x02"), Ok(Format::OggOpus));
    assert_eq!(of("a", b"OggS"), Ok(Format::OggOpus));
    assert_eq!(of("a.bit", &[0, 0, 0, 30, 1, 2, 3, 4]), Ok(Format::Bit));
    assert_eq!(of("A.BIT", &[0]), Ok(Format::Bit));
}

#[test]
fn unknown_files_are_described() {
    let accepted = "accepted: WAV (.wav), Ogg Opus (.opus, .ogg), opus_demo (.bit)";
    let cases: &[(&str, &[u8], &str)] = &[
        ("a.wav", b"ID3\x04", "it begins like MP3 or AAC"),
        ("a.bit", b"\xff\xfb\x90\x64", "it begins like MP3 or AAC"),
        ("a.flac", b"fLaC", "it begins like FLAC"),
        ("a.wav", b"RIFF\x04\0\0\0AVI ", "it begins like a RIFF file that is not WAVE"),
        ("a.wav", b"RF64\xff\xff\xff\xffWAVE", "it begins like RF64, the 64-bit kind of WAV"),
        ("a.m4a", b"\0\0\0\x20ftypM4A ", "it begins like MP4"),
        ("a.bit", b"\0\0\0\x20ftypM4A ", "it begins like MP4"),
        ("a.webm", b"\x1a\x45\xdf\xa3", "it begins like Matroska or WebM"),
        ("a.wav", b"hello", "it begins with the bytes 68 65 6c 6c"),
        ("a.raw", b"\x01", "it begins with the bytes 01"),
    ];
    for (name, content, problem) in cases {
        assert_eq!(of(name, content), Err(format!("{name} is of no known format: {problem}; {accepted}")));
    }
}

#[test]
fn an_empty_file_has_no_format() {
    assert_eq!(of("a.wav", b""), Err("a.wav holds no audio: it has no bytes".to_owned()));
}

#[test]
fn a_missing_file_is_an_error() {
    assert!(matches!(detect("no/such/file"), Err(Error::Io { action: "open", .. })));
}

#[test]
fn names_decide_what_is_written() {
    for (name, format) in [
        ("a.wav", Format::Wav),
        ("a.WAV", Format::Wav),
        ("a/b.opus", Format::OggOpus),
        ("a.ogg", Format::OggOpus),
        ("a.b.bit", Format::Bit),
    ] {
        assert_eq!(Format::of_name(name).unwrap(), format, "{name}");
    }
    for (name, problem) in
        [("a.mp3", "its name ends in .mp3"), ("a", "its name has no ending"), (".wav", "its name has no ending")]
    {
        let error = Format::of_name(Path::new(name)).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}
