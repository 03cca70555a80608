//! How loud a recording is (EBU R 128), and how much of it is silence: one line of JSON.

use crate::codecs::Codecs;
use crate::{Made, Problem};
use ebur128::{EbuR128, Mode};
use serde::{Deserialize, Serialize};
use sidetone_audio::measure::{dbfs, rms};
use sidetone_audio::{Format, Pcm, detect, shown, wav};
use sidetone_transcode::decode::{self, Played};
use sidetone_transcode::{PcmOptions, Source, Watch, source};
use std::path::Path;

/// How to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoudnessOptions {
    /// Silence is what stays below this level for 10 ms, in dBFS (root mean square, all channels together).
    pub silence_db: i16,
}

impl Default for LoudnessOptions {
    fn default() -> Self {
        Self { silence_db: -60 }
    }
}

/// Pieces of a second that are silent or not.
const PIECES: u32 = 100;

/// Samples measured between two looks at whether to go on, a second's worth of these.
const SECONDS: usize = 10;

/// The line. `null`: there is nothing to measure (silence, or too short).
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Line {
    seconds: f64,
    /// Hz.
    rate: u32,
    channels: u8,
    format: String,
    /// Integrated loudness, gated, of the whole.
    integrated_lufs: Option<f64>,
    loudness_range_lu: Option<f64>,
    true_peak_dbtp: Option<f64>,
    /// 0 to 1.
    silence_share: f64,
    longest_silence_seconds: f64,
    /// What counted as silence.
    silence_db: i16,
}

pub(super) fn perform(
    codecs: &Codecs<'_>,
    options: &LoudnessOptions,
    (input, output): (&Path, &Path),
    watch: &dyn Watch,
) -> Result<Made, Problem> {
    let format = detect::detect(input)?;
    let mut made = Made::default();
    let pcm = read(codecs, input, format, watch, &mut made)?;
    let line = measure(&pcm, format, options, watch)?;
    made.audio_seconds = pcm.duration().as_secs_f64();
    let text = serde_json::to_string(&line).map_err(|error| Problem::bury(error.to_string()))? + "\n";
    std::fs::write(output, text).map_err(|error| Problem::io("write", output, &error))?;
    Ok(made)
}

/// The recording as a listener hears it.
fn read(codecs: &Codecs<'_>, input: &Path, format: Format, watch: &dyn Watch, made: &mut Made) -> Result<Pcm, Problem> {
    if format == Format::Wav {
        return Ok(wav::read(input)?);
    }
    let (source, notes) = Source::read(input, format)?;
    made.notes = notes;
    let links = match source {
        Source::Clip(pcm) => return Ok(pcm),
        Source::Stream(stream) => vec![stream],
        Source::Chain(links) => links,
    };
    made.packets = links.iter().map(|link| link.packets.len() as u64).sum();
    let shape = PcmOptions::default().decoder_for(source::shape(&links));
    let Played { pcm, .. } = decode::play(&links, shape, watch, || codecs.decoder(shape.0, shape.1))?;
    if pcm.samples.is_empty() {
        return Err(Problem::bury(format!("{} holds no audio after its pre-skip", shown::path(input))));
    }
    Ok(pcm)
}

fn measure(pcm: &Pcm, format: Format, options: &LoudnessOptions, watch: &dyn Watch) -> Result<Line, Problem> {
    let refused = |error: ebur128::Error| {
        Problem::bury(format!("{} channels at {} Hz cannot be measured: {error:?}", pcm.channels, pcm.rate))
    };
    let mode = Mode::I | Mode::LRA | Mode::TRUE_PEAK;
    let mut meter = EbuR128::new(pcm.channels.into(), pcm.rate, mode).map_err(refused)?;
    let channels = usize::from(pcm.channels);
    let pieces = pcm.samples.chunks(SECONDS * pcm.rate as usize * channels);
    watch.begin("measuring", pieces.len() as u64);
    for piece in pieces {
        meter.add_frames_i16(piece).map_err(refused)?;
        if !watch.step() {
            return Err(Problem::stopped());
        }
    }
    watch.end();
    let mut peak = 0f64;
    for channel in 0..pcm.channels {
        peak = peak.max(meter.true_peak(channel.into()).map_err(refused)?);
    }
    let (silent, longest) = silence(pcm, options.silence_db);
    let seconds = pcm.duration().as_secs_f64();
    let integrated = meter.loudness_global().map_err(refused)?;
    Ok(Line {
        seconds: rounded(seconds, 1e3),
        rate: pcm.rate,
        channels: pcm.channels,
        format: format.to_string(),
        integrated_lufs: finite(integrated),
        loudness_range_lu: finite(meter.loudness_range().map_err(refused)?).filter(|_| integrated.is_finite()),
        true_peak_dbtp: finite(20.0 * peak.log10()),
        silence_share: rounded(if seconds > 0.0 { silent / seconds } else { 0.0 }, 1e4),
        longest_silence_seconds: rounded(longest, 1e2),
        silence_db: options.silence_db,
    })
}

/// Seconds that are silent, and the longest of them in a row.
fn silence(pcm: &Pcm, below: i16) -> (f64, f64) {
    let piece = (pcm.rate / PIECES).max(1) as usize * usize::from(pcm.channels);
    let (mut all, mut row, mut longest) = (0, 0, 0);
    for piece in pcm.samples.chunks(piece) {
        let samples = piece.len() / usize::from(pcm.channels);
        if dbfs(rms(piece)) < f64::from(below) {
            all += samples;
            row += samples;
            longest = longest.max(row);
        } else {
            row = 0;
        }
    }
    let seconds = |samples: usize| samples as f64 / f64::from(pcm.rate);
    (seconds(all), seconds(longest))
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then(|| rounded(value, 1e2))
}

fn rounded(value: f64, to: f64) -> f64 {
    (value * to).round() / to
}

#[cfg(test)]
mod tests {
    use super::*;
    use sidetone_transcode::Unwatched;

    /// So many seconds of a sine at a peak level; 0 is silence.
    fn tone(parts: &[(f64, f64)], rate: u32) -> Pcm {
        let mut samples = Vec::new();
        for &(seconds, amplitude) in parts {
            let count = (seconds * f64::from(rate)).round() as usize;
            let angle = |n: usize| (n as f64 * 997.0 * std::f64::consts::TAU / f64::from(rate)).sin();
            samples.extend((0..count).map(|n| (angle(n) * amplitude * 32767.0).round() as i16));
        }
        Pcm::new(rate, 1, samples).unwrap()
    }

    /// EBU Tech 3341, case 1, for one channel: a sine of 997 Hz at -23 dBFS in both channels is -23 LUFS, in one -26.
    #[test]
    fn a_tone_of_known_level_has_the_loudness_that_the_standard_says() {
        let level = 10f64.powf(-23.0 / 20.0);
        let line = measure(&tone(&[(20.0, level)], 48_000), Format::Wav, &LoudnessOptions::default(), &Unwatched);
        let line = line.unwrap();
        let lufs = line.integrated_lufs.unwrap();
        assert!((lufs + 26.0).abs() <= 0.1, "{lufs} LUFS");
        assert!((line.true_peak_dbtp.unwrap() + 23.0).abs() <= 0.1);
        assert_eq!((line.silence_share, line.longest_silence_seconds, line.loudness_range_lu), (0.0, 0.0, Some(0.0)));
    }

    #[test]
    fn silence_is_counted_and_its_longest_stretch_found() {
        let pcm = tone(&[(1.0, 0.0), (2.0, 0.1), (3.0, 0.0), (4.0, 0.1)], 16_000);
        let line = measure(&pcm, Format::Wav, &LoudnessOptions::default(), &Unwatched).unwrap();
        assert_eq!((line.seconds, line.silence_share, line.longest_silence_seconds), (10.0, 0.4, 3.0));
        let nothing = measure(&tone(&[(2.0, 0.0)], 16_000), Format::Wav, &LoudnessOptions::default(), &Unwatched);
        let nothing = nothing.unwrap();
        assert_eq!((nothing.integrated_lufs, nothing.true_peak_dbtp, nothing.silence_share), (None, None, 1.0));
    }
}
