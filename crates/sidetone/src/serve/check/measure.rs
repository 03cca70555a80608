//! What the call was like.

use crate::report::Sheet;
use anyhow::{Context, Result};
use sidetone_audio::{Pcm, measure, resample, wav};
use sidetone_protocol::device::EndCause;
use std::fmt;
use std::io::Cursor;
use std::time::Duration;

/// Speech of people, 4.1 s.
const CLIP: &[u8] = include_bytes!("../../../assets/speech.wav");

/// What is spoken and compared, Hz.
pub(super) const RATE: u32 = 16_000;

/// What the device codes at, bits/s: enough for waveforms to be alike.
pub(super) const BITRATE: u32 = 48_000;

/// The clip, at the device's rate.
pub(super) fn clip() -> Result<Vec<i16>> {
    let pcm: Pcm = wav::read_from("speech.wav", Cursor::new(CLIP)).context("the clip in the program")?;
    Ok(resample(&pcm, RATE)?.samples)
}

/// What was taken down during the call; times since it began.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// What it goes through.
    pub(super) way: &'static str,
    pub(super) hello: Option<Duration>,
    pub(super) granted: Option<Duration>,
    pub(super) spoken_at: Option<Duration>,
    pub(super) heard_at: Option<Duration>,
    pub(super) spoken: u32,
    pub(super) heard: u32,
    pub(super) samples: Vec<i16>,
    pub(super) ended: Option<EndCause>,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(in crate::serve) struct Measured {
    way: &'static str,
    hello: Duration,
    first_audio: Duration,
    /// From a sample sent to the same sample heard.
    round_trip_ms: f64,
    spoken: u32,
    heard: u32,
    pub(super) correlation: f64,
}

/// Compares what came back with what was spoken.
pub(super) fn judge(clip: &[i16], taken: Taken) -> Result<Measured> {
    let Taken { hello: Some(asked), granted: Some(granted), .. } = taken else {
        anyhow::bail!("the hello was not answered");
    };
    let (Some(spoken_at), Some(heard_at)) = (taken.spoken_at, taken.heard_at) else {
        anyhow::bail!("{} packets were sent, and none came back", taken.spoken);
    };
    let pcm = |samples: &[i16]| Pcm::new(RATE, 1, samples.to_vec());
    let found = measure::compare(&pcm(clip)?, &pcm(&taken.samples)?, RATE as usize)?;
    let first_audio = heard_at.saturating_sub(spoken_at);
    Ok(Measured {
        way: taken.way,
        hello: granted.saturating_sub(asked),
        first_audio,
        round_trip_ms: first_audio.as_secs_f64() * 1e3 + found.shift as f64 * 1e3 / f64::from(RATE),
        spoken: taken.spoken,
        heard: taken.heard,
        correlation: found.correlation,
    })
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let mut sheet = Sheet::default();
        sheet.line("hello answered in", ms(self.hello));
        sheet.line("first audio after", ms(self.first_audio));
        sheet.line("round trip", format!("{:.1} ms, from a sample sent to the same sample heard", self.round_trip_ms));
        sheet.line("packets", format!("{} sent, {} came back", self.spoken, self.heard));
        sheet.line("correlation", format!("{:.3} of what came back with what was spoken", self.correlation));
        write!(f, "Self-check passed: one call with a virtual device, through {}\n{sheet}", self.way)
    }
}
