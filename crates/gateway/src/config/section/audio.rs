//! `[audio]`: what the device hears.

use serde::{Deserialize, Serialize};

/// What the device hears.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Audio {
    /// Hz: 8000, 12000, 16000, 24000 or 48000.
    pub rate: u32,
    /// Milliseconds a packet: 20, 40 or 60.
    pub frame: u32,
    /// What is coded: `voip` (speech: a high-pass, formants first) or `audio` (music too: true to the waveform).
    pub application: ApplicationName,
    /// Bits a second; none: as libopus thinks best.
    pub bitrate: Option<u32>,
    /// Best quality: `full` (complexity 10), `medium` (5) or `minimal` (0). The ladder goes below it under load.
    pub quality: QualityName,
    /// In-band FEC.
    pub fec: bool,
    /// Loss to prepare for, in percent.
    pub expected_loss: u8,
    /// Frames that a device may hold ahead of what it plays.
    pub lead: u32,
}

impl Default for Audio {
    fn default() -> Self {
        Self {
            rate: 24_000,
            frame: 60,
            application: ApplicationName::Voip,
            bitrate: None,
            quality: QualityName::Full,
            fec: false,
            expected_loss: 0,
            lead: 3,
        }
    }
}

/// What Opus is told that it codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApplicationName {
    /// Speech.
    #[default]
    Voip,
    /// Anything.
    Audio,
}

impl From<ApplicationName> for sidetone_opus::Application {
    fn from(name: ApplicationName) -> Self {
        match name {
            ApplicationName::Voip => Self::Voip,
            ApplicationName::Audio => Self::Audio,
        }
    }
}

/// A step of the quality ladder, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QualityName {
    /// Complexity 10.
    #[default]
    Full,
    /// Complexity 5.
    Medium,
    /// Complexity 0.
    Minimal,
}

impl From<QualityName> for sidetone_session::Quality {
    fn from(name: QualityName) -> Self {
        match name {
            QualityName::Full => Self::Full,
            QualityName::Medium => Self::Medium,
            QualityName::Minimal => Self::Minimal,
        }
    }
}
