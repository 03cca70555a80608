//! The kinds of jobs: each makes one file of one file.

mod loudness;
mod reseal;
mod transcode;

pub use loudness::LoudnessOptions;
pub use reseal::ResealOptions;

use crate::codecs::Codecs;
use crate::keys::Keys;
use crate::{Made, Problem, TranscodeOptions};
use serde::{Deserialize, Serialize};
use sidetone_transcode::Watch;
use std::path::Path;

/// What to do with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Work {
    /// Code it anew.
    Transcode(TranscodeOptions),
    /// Seal an archive of datagrams under another key.
    Reseal(ResealOptions),
    /// Measure loudness and silence.
    Loudness(LoudnessOptions),
}

/// Kinds that this program knows.
pub const KINDS: [&str; 3] = ["transcode", "reseal", "loudness"];

impl Work {
    /// The ending of what is made.
    #[must_use]
    pub fn ending(&self) -> &str {
        match self {
            Self::Transcode(options) => &options.to,
            Self::Reseal(_) => "sealed",
            Self::Loudness(_) => "json",
        }
    }

    /// Its name.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Transcode(_) => KINDS[0],
            Self::Reseal(_) => KINDS[1],
            Self::Loudness(_) => KINDS[2],
        }
    }

    /// Makes `output`, which does not exist, of `input`.
    pub(crate) fn perform(
        &self,
        codecs: &Codecs<'_>,
        keys: Option<&Keys>,
        (input, output): (&Path, &Path),
        watch: &dyn Watch,
    ) -> Result<Made, Problem> {
        match self {
            Self::Transcode(options) => transcode::perform(codecs, options, (input, output), watch),
            Self::Reseal(options) => reseal::perform(codecs, keys, options, (input, output), watch),
            Self::Loudness(options) => loudness::perform(codecs, options, (input, output), watch),
        }
    }
}
