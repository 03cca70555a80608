//! What `sidetone transcode` says when it is done, for people and for programs.

use crate::report::{Percentiles, Sheet, Times, count, grouped, percent, short};
use crate::values::{self, name_of};
use serde::Serialize;
use sidetone_audio::measure::Comparison;
use sidetone_audio::{Format, shown};
use sidetone_opus::Bitrate;
use sidetone_transcode::output::seconds;
use sidetone_transcode::{Settings, Stream};
use std::fmt;
use std::path::Path;

/// The report. Times are in µs a packet, rates in bits/s of audio.
#[derive(Serialize)]
pub(crate) struct Summary {
    pub(crate) input: File,
    pub(crate) output: File,
    /// What was done with each packet, in order: encode, seal, lose, open, decode.
    pub(crate) steps: Vec<&'static str>,
    /// Packets: one is one frame.
    pub(crate) frames: u64,
    /// Where all packets have the same.
    pub(crate) frame_ms: Option<f64>,
    pub(crate) audio_seconds: f64,
    /// Of the Opus packets.
    pub(crate) bytes: u64,
    pub(crate) bitrate: f64,
    pub(crate) encoder: Option<Encoder>,
    pub(crate) sealed: Option<Sealed>,
    pub(crate) encode: Option<Percentiles>,
    pub(crate) seal: Option<Percentiles>,
    pub(crate) open: Option<Percentiles>,
    pub(crate) decode: Option<Percentiles>,
    pub(crate) loss: Loss,
    /// Seconds of audio in a second of the component's time.
    pub(crate) real_time_factor: Option<f64>,
    pub(crate) likeness: Option<Likeness>,
    pub(crate) notes: Vec<String>,
    /// What of IN was not read; people are told on stderr.
    pub(crate) warnings: Vec<String>,
    pub(crate) component_sha256: &'static str,
    pub(crate) libopus: &'static str,
}

#[derive(Serialize)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) format: String,
    /// Hz; 0: not known.
    pub(crate) rate: u32,
    pub(crate) channels: u8,
    /// Samples a channel of a WAV file.
    pub(crate) samples: Option<u64>,
}

impl File {
    /// `shape` is rate and channels.
    pub(crate) fn new(path: &Path, format: Format, (rate, channels): (u32, u8), samples: Option<u64>) -> Self {
        Self { path: path.to_string_lossy().into_owned(), format: format.to_string(), rate, channels, samples }
    }
}

#[derive(Serialize)]
pub(crate) struct Encoder {
    rate: u32,
    channels: u8,
    application: &'static str,
    /// `null`: auto.
    bitrate: Option<u32>,
    complexity: u8,
    vbr: bool,
    dtx: bool,
    fec: bool,
    expected_loss: u8,
    bandwidth: &'static str,
    signal: &'static str,
    split: &'static str,
    #[serde(skip)]
    target: String,
}

#[derive(Serialize)]
pub(crate) struct Sealed {
    /// Of the datagrams, headers included.
    pub(crate) bytes: u64,
    pub(crate) bitrate: f64,
    /// Encoding and sealing was one call, and `encode` is the time of both.
    pub(crate) encoded_in_session: bool,
    /// Opening and decoding was one call, and `decode` is the time of both.
    pub(crate) decoded_in_session: bool,
}

#[derive(Serialize, Default)]
pub(crate) struct Loss {
    /// Packets that did not arrive.
    pub(crate) lost: u64,
    /// Of these, before this program saw them.
    pub(crate) lost_in_input: u64,
    pub(crate) concealed: u64,
    pub(crate) recovered: u64,
    pub(crate) silent: u64,
    /// Arrived, but were damaged.
    pub(crate) undecodable: u64,
}

#[derive(Serialize)]
pub(crate) struct Likeness {
    /// `null`: no difference at all, or nothing to compare with.
    snr_db: Option<f64>,
    segmental_snr_db: Option<f64>,
    correlation: f64,
}

impl From<&Settings> for Encoder {
    fn from(settings: &Settings) -> Self {
        let codec = &settings.codec;
        let (bitrate, target) = match codec.bitrate {
            Bitrate::BitsPerSecond(bits) => (Some(bits), kbits(bits.into())),
            Bitrate::Auto => (None, "auto bitrate".to_owned()),
            Bitrate::Max => (None, "maximum bitrate".to_owned()),
        };
        Self {
            rate: codec.rate.hz(),
            channels: codec.channels.count() as u8,
            application: name_of(values::APPLICATIONS, &codec.application),
            bitrate,
            complexity: codec.complexity,
            vbr: codec.vbr,
            dtx: codec.dtx,
            fec: codec.fec,
            expected_loss: codec.expected_loss,
            bandwidth: name_of(values::BANDWIDTHS, &codec.max_bandwidth),
            signal: name_of(values::SIGNALS, &codec.signal),
            split: name_of(values::SPLITS, &codec.split),
            target,
        }
    }
}

impl From<Comparison> for Likeness {
    fn from(found: Comparison) -> Self {
        let finite = |db: f64| db.is_finite().then_some((db * 100.0).round() / 100.0);
        Self {
            snr_db: finite(found.snr_db),
            segmental_snr_db: finite(found.segmental_snr_db),
            correlation: (found.correlation * 1e6).round() / 1e6,
        }
    }
}

/// Bits a second of so many bytes in so many samples at 48 kHz.
pub(crate) fn bitrate(bytes: u64, samples: u64) -> f64 {
    if samples == 0 { 0.0 } else { (bytes as f64 * 8.0 / seconds(samples)).round() }
}

/// How much faster than playing the audio this was, by the component's own time.
pub(crate) fn real_time_factor(stream: &Stream, times: &[&Times]) -> Option<f64> {
    let busy: f64 = times.iter().map(|times| times.total().as_secs_f64()).sum();
    (busy > 0.0).then(|| (seconds(stream.decoded()) / busy * 10.0).round() / 10.0)
}

fn kbits(bits: f64) -> String {
    format!("{:.1} kbit/s", bits / 1000.0)
}

fn switch(on: bool, text: &str) -> String {
    if on { format!(", {text}") } else { String::new() }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels = match self.channels {
            1 => "mono".to_owned(),
            2 => "stereo".to_owned(),
            many => format!("{many} channels"),
        };
        write!(f, "{} ({}, ", shown::text(&self.path), self.format)?;
        if self.rate > 0 {
            write!(f, "{} Hz, ", self.rate)?;
        }
        write!(f, "{channels})")
    }
}

impl fmt::Display for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate, application, target, complexity, .. } = self;
        let kind = if self.vbr { "VBR" } else { "CBR" };
        write!(f, "{application} at {rate} Hz, {target}, {kind}, complexity {complexity}")?;
        write!(f, "{}", switch(self.dtx, "DTX"))?;
        write!(f, "{}", switch(self.fec, &format!("FEC for {} % loss", self.expected_loss)))?;
        write!(f, "{}", switch(self.bandwidth != "fb", &format!("at most {}", self.bandwidth)))
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sheet = Sheet::default();
        sheet.line("in", self.input.to_string());
        sheet.line("out", self.output.to_string());
        sheet.line("done", if self.steps.is_empty() { "copied".to_owned() } else { self.steps.join(", ") });
        if let Some(encoder) = &self.encoder {
            sheet.line("encoder", encoder.to_string());
        }
        let of = self.frame_ms.map_or_else(String::new, |ms| format!(" of {ms} ms"));
        sheet.line("audio", format!("{:.3} s, {}{of}", self.audio_seconds, count(self.frames, "frame")));
        sheet.line("opus", format!("{}, {}", count(self.bytes, "byte"), kbits(self.bitrate)));
        if let Some(sealed) = &self.sealed {
            sheet.line(
                "sealed",
                format!("{}, {}, headers included", count(sealed.bytes, "byte"), kbits(sealed.bitrate)),
            );
        }
        self.loss_lines(&mut sheet);
        self.time_lines(&mut sheet);
        if let Some(likeness) = &self.likeness {
            let db = |db: Option<f64>| db.map_or_else(|| "–".to_owned(), |db| format!("{db:.1} dB"));
            let (snr, segmental) = (db(likeness.snr_db), db(likeness.segmental_snr_db));
            let text = format!("SNR {snr} (segmental {segmental}), correlation {:.3}", likeness.correlation);
            sheet.line("likeness", text);
        }
        self.notes.iter().for_each(|note| sheet.line("note", note.as_str()));
        sheet.line("component", format!("sha256 {}, libopus {}", short(self.component_sha256), self.libopus));
        sheet.fmt(f)
    }
}

impl Summary {
    fn loss_lines(&self, sheet: &mut Sheet) {
        let Loss { lost, lost_in_input, concealed, recovered, silent, undecodable } = self.loss;
        if lost > 0 {
            let mut text =
                format!("{} of {} packets ({:.1} %)", grouped(lost), grouped(self.frames), percent(lost, self.frames));
            if concealed + recovered + silent > 0 {
                text += &format!(
                    ": {} concealed, {} recovered, {} silent",
                    grouped(concealed),
                    grouped(recovered),
                    grouped(silent)
                );
            }
            if lost_in_input > 0 {
                text += &format!("; {} of them in IN", grouped(lost_in_input));
            }
            sheet.line("lost", text);
        } else if self.steps.contains(&"lose") {
            sheet.line("lost", "none");
        }
        if undecodable > 0 {
            sheet.line("damaged", format!("{}, concealed", count(undecodable, "packet")));
        }
    }

    fn time_lines(&self, sheet: &mut Sheet) {
        let (encoded, decoded) = self
            .sealed
            .as_ref()
            .map_or((false, false), |sealed| (sealed.encoded_in_session, sealed.decoded_in_session));
        for (label, times, both) in [
            ("encode", self.encode, encoded.then_some(", sealing included")),
            ("seal", self.seal, None),
            ("open", self.open, None),
            ("decode", self.decode, decoded.then_some(", opening included")),
        ] {
            if let Some(Percentiles { p50_us, p99_us, .. }) = times {
                let both = both.unwrap_or_default();
                sheet.line(label, format!("p50 {p50_us:.1} µs, p99 {p99_us:.1} µs a frame{both}"));
            }
        }
        if let Some(factor) = self.real_time_factor {
            sheet.line("speed", format!("{factor:.0} times real time on one core"));
        }
    }
}
