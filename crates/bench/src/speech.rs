//! Speech to measure with: recordings of people where they are at hand, else the clip that the project carries.

use anyhow::Context;
use sidetone_audio::{Pcm, resample, wav};
use sidetone_testbed::corpus;
use std::path::Path;

/// Mono speech.
#[derive(Debug, Clone)]
pub struct Speech {
    /// Where it came from, for the report.
    pub source: String,
    pcm: Pcm,
}

impl Speech {
    /// The recordings of the corpus (`SIDETONE_CORPUS`, or `../shared/corpus` beside the checkout), joined; the
    /// project's own clip where there is no corpus.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn load() -> anyhow::Result<Self> {
        let files = corpus::files("speech", "wav", "recordings of people, the clip stands in");
        if files.is_empty() {
            return Self::clip();
        }
        let source = format!("{} recordings", files.len());
        let mut joined: Option<Pcm> = None;
        for file in files {
            let pcm = wav::read(&file)?.into_channels(1)?;
            match &mut joined {
                None => joined = Some(pcm),
                Some(all) if all.rate == pcm.rate => all.samples.extend_from_slice(&pcm.samples),
                Some(all) => all.samples.extend_from_slice(&resample(&pcm, all.rate)?.samples),
            }
        }
        Ok(Self { source, pcm: joined.context("no speech")? })
    }

    /// The clip that the project carries: synthetic, with all of 12 kHz, so that Opus codes it in hybrid mode.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn clip() -> anyhow::Result<Self> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fleet/assets/speech.wav");
        Ok(Self { source: "the project's clip".to_owned(), pcm: wav::read(file)?.into_channels(1)? })
    }

    /// The speech at `rate` Hz, mono, cut to whole frames of `frame` samples.
    ///
    /// # Errors
    /// Where the rate is out of range.
    pub fn frames(&self, rate: u32, frame: usize) -> anyhow::Result<Vec<i16>> {
        let mut samples = resample(&self.pcm, rate)?.samples;
        samples.truncate(samples.len() / frame * frame);
        Ok(samples)
    }
}
