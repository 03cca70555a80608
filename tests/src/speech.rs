//! Voices: the clip that the repository carries, and the recordings of the corpus.

use sidetone_audio::{Pcm, resample, wav};
use sidetone_testbed::corpus;
use std::path::PathBuf;

/// The clip that the repository carries (made with espeak-ng): 4.1 s, mono, at 24 kHz.
#[must_use]
pub fn clip_path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/fleet/assets/speech.wav"))
}

/// The clip at `rate` Hz.
///
/// # Panics
/// Where it cannot be read.
#[must_use]
pub fn clip(rate: u32) -> Vec<i16> {
    at_rate(&wav::read(clip_path()).expect("the clip"), rate)
}

/// The clip, then every recording of the corpus where it is present, at `rate` Hz, mono, by name.
///
/// # Panics
/// Where one cannot be read.
#[must_use]
pub fn all(rate: u32, skipped: &str) -> Vec<(String, Vec<i16>)> {
    let mut voices = vec![("clip".to_owned(), clip(rate))];
    for file in corpus::files("speech", "wav", skipped) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        voices.push((name, at_rate(&wav::read(&file).expect("a recording"), rate)));
    }
    voices
}

fn at_rate(pcm: &Pcm, rate: u32) -> Vec<i16> {
    resample(pcm, rate).expect("a rate that can be had").samples
}
