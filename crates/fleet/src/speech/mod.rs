//! What devices say: speech, encoded once for all of them, with marks in it; and how the marks are heard again.
//!
//! # How latency is measured
//!
//! In realtime mode a device sends an endless loop of speech in which every 34th frame (2.04 s) holds a
//! [mark](mark::mark) instead, and the gateway sends back what it hears. The device decodes what comes around the time
//! of a mark, and an [`Ear`] finds it.
//!
//! - **Mouth to ear**: from the moment the mark's first sample is spoken until it is played. A frame is sent when its
//!   last sample was spoken; a packet is played when it comes, or when those before it have been played, as firmware
//!   does.
//! - **Inherent** delay is what no gateway can avoid: one frame, because a frame is sent when it is complete, and the
//!   codecs' own delay. The latter is measured at start, by sending the marks through the same codecs without a
//!   gateway ([`Loop::codec_delay`]); where the gateway passed the very packet through, it is that of one codec.
//! - **Added** latency is the time from the sending of the frame's packet (out of the impairment) to the arrival of the
//!   packet in which the mark is heard (before the impairment), corrected by the mark's place in either frame, less the
//!   codecs' delay: what gateway, bridge and network add. Never below 0.
//!
//! Both are exact to about 0.5 ms, plus what the report states as this process's own lag.

mod clip;
mod ear;
mod mark;

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use clip::{CodecDelay, FRAME_MS, Loop, MARK_EVERY, SPOKEN_RATE, Utterance};
pub use ear::{EAR_RATE, Ear};
pub use mark::{MARK_MS, mark};
use sidetone_audio::{Pcm, resample, wav};

use crate::Error;

/// The clip of the repository, for those who give none.
const CLIP: &[u8] = include_bytes!("../../assets/speech.wav");
/// The most speech that is read, in seconds.
const MOST_SECONDS: usize = 600;

/// Everything that devices of a fleet say.
#[derive(Debug, Clone)]
pub struct Speech {
    /// For realtime mode: all speech in a row, with marks.
    pub marked: Arc<Loop>,
    /// For auto and manual mode: one file each.
    pub utterances: Arc<[Utterance]>,
}

impl Speech {
    /// Reads and encodes WAV files: those named, and all of folders named. The embedded clip where none are named.
    ///
    /// # Errors
    /// [`Error::Speech`] where a file cannot be read, a folder holds none, or there is too much of it.
    pub fn load(paths: &[PathBuf]) -> Result<Self, Error> {
        let clips: Vec<Vec<i16>> = if paths.is_empty() {
            vec![spoken(wav::read_from("the embedded clip", Cursor::new(CLIP))?)?]
        } else {
            files(paths)?.iter().map(|file| spoken(wav::read(file)?)).collect::<Result<_, _>>()?
        };
        let samples: usize = clips.iter().map(Vec::len).sum();
        if samples > MOST_SECONDS * SPOKEN_RATE as usize {
            let seconds = samples / SPOKEN_RATE as usize;
            return Err(Error::Speech(format!("{seconds} s of speech: give {MOST_SECONDS} s at most")));
        }
        Ok(Self {
            marked: Arc::new(Loop::new(&clips.concat())?),
            utterances: clips.iter().map(|clip| Utterance::new(clip)).collect::<Result<_, _>>()?,
        })
    }
}

/// As a device's microphone would give it.
fn spoken(clip: Pcm) -> Result<Vec<i16>, Error> {
    Ok(resample(&clip.into_channels(1)?, SPOKEN_RATE)?.samples)
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let unreadable = |error| Error::Speech(format!("cannot read the folder {}: {error}", path.display()));
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            inside.push(entry.map_err(unreadable)?.path());
        }
        inside.retain(|file| is_wav(file));
        if inside.is_empty() {
            return Err(Error::Speech(format!("the folder {} has no .wav file", path.display())));
        }
        inside.sort();
        files.append(&mut inside);
    }
    Ok(files)
}

fn is_wav(file: &Path) -> bool {
    file.is_file() && file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wav"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_clip_is_there_for_those_who_name_none() {
        let speech = Speech::load(&[]).unwrap();
        assert_eq!(speech.utterances.len(), 1);
        assert_eq!(speech.marked.packets().len() % MARK_EVERY, 0);
        assert!(speech.utterances[0].speech().len() > 60, "4 s");
    }

    #[test]
    fn a_folder_gives_its_wav_files_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let clip = |samples| Pcm::new(8_000, 2, vec![100; samples]).unwrap();
        wav::write(folder.path().join("b.wav"), &clip(16_000)).unwrap();
        wav::write(folder.path().join("a.WAV"), &clip(32_000)).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "no audio").unwrap();
        let speech = Speech::load(&[folder.path().to_owned()]).unwrap();
        let frames: Vec<usize> = speech.utterances.iter().map(|utterance| utterance.speech().len()).collect();
        assert_eq!(frames, [34, 17], "2 s and 1 s");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("missing.wav")] {
            let error = Speech::load(std::slice::from_ref(&path)).unwrap_err().to_string();
            assert!(error.contains(path.to_str().unwrap()), "{error}");
        }
    }
}
