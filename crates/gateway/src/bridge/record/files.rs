//! The files of one session, on the writer's thread.

use super::writer::{Piece, Shape};
use crate::counters::RecordCounts;
use serde_json::{Value, json};
use sidetone_audio::ogg_opus::{Head, Tags};
use sidetone_audio::{Error, ogg_opus, wav};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// What Ogg and its lacing take a packet, about.
const OGG_PACKET: u64 = 4;

/// The header of a WAV file.
const WAV_HEADER: u64 = 44;

pub(super) struct Files {
    stem: PathBuf,
    shape: Shape,
    most_bytes: u64,
    bytes: u64,
    lines: Option<Part<BufWriter<File>>>,
    uplink: Tracks,
    downlink: Tracks,
    /// Where the uplink's next sample belongs.
    expected: Option<u64>,
    counts: Arc<RecordCounts>,
    failed: Arc<AtomicBool>,
    written: u64,
}

/// One direction: PCM and packets go into files of their own.
#[derive(Default)]
struct Tracks {
    wav: Option<Part<wav::Writer>>,
    /// It appears when it is complete, by itself.
    opus: Option<ogg_opus::Writer>,
}

/// A file that has its name once it is complete.
struct Part<W> {
    file: W,
    part: PathBuf,
    path: PathBuf,
}

impl<W> Part<W> {
    fn create<E>(path: PathBuf, create: impl FnOnce(&Path) -> Result<W, E>) -> Result<Self, E> {
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        Ok(Self { file: create(&part)?, part, path })
    }

    fn finish<E: From<io::Error>>(self, finish: impl FnOnce(W) -> Result<(), E>) -> Result<(), E> {
        finish(self.file)?;
        fs::rename(self.part, self.path).map_err(E::from)
    }
}

/// Why nothing more is written.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("it has the {0} bytes that bridge.most_bytes allows")]
    Full(u64),
    #[error(transparent)]
    Audio(#[from] Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Files {
    pub(super) fn new(
        stem: PathBuf,
        shape: Shape,
        most_bytes: u64,
        counts: Arc<RecordCounts>,
        failed: Arc<AtomicBool>,
    ) -> Self {
        Self {
            stem,
            shape,
            most_bytes,
            bytes: 0,
            lines: None,
            uplink: Tracks::default(),
            downlink: Tracks::default(),
            expected: None,
            counts,
            failed,
            written: 0,
        }
    }

    pub(super) fn uplink(&mut self, piece: &Piece, position: Option<u64>) {
        if let (Piece::Pcm(samples), Some(position)) = (piece, position) {
            if let Some(expected) = self.expected.filter(|&expected| position > expected) {
                self.event_here("gap", json!({ "samples": position - expected }));
            }
            self.expected = Some(position + (samples.len() / usize::from(self.shape.uplink.1)) as u64);
        }
        let result = self.add(true, piece);
        self.note(result);
    }

    pub(super) fn downlink(&mut self, piece: &Piece) {
        let result = self.add(false, piece);
        self.note(result);
    }

    /// Writes a line: what happened, when, and where in the audio of both directions.
    pub(super) fn event(&mut self, millis: u64, mut event: Value) {
        if event["message"]["state"] == "start" && event["event"] == "device" {
            // A turn begins anew; what lies between two is no gap.
            self.expected = None;
        }
        event["ms"] = millis.into();
        self.line(event);
    }

    fn event_here(&mut self, name: &str, mut event: Value) {
        event["event"] = name.into();
        self.line(event);
    }

    /// Completes what was begun: how many files.
    pub(super) fn close(mut self: Box<Self>, millis: u64, lost: u64) -> u64 {
        self.event(millis, json!({ "event": "closed", "lost": lost }));
        if !self.has_stopped() {
            self.finish();
        }
        self.written
    }

    fn line(&mut self, mut event: Value) {
        event["uplink"] = self.uplink.samples().into();
        event["downlink"] = self.downlink.samples().into();
        let result = self.write_line(&event);
        self.note(result);
    }

    fn write_line(&mut self, event: &Value) -> Result<(), Stop> {
        if self.has_stopped() {
            return Ok(());
        }
        let mut text = event.to_string();
        text.push('\n');
        self.spend(text.len() as u64)?;
        let lines = match &mut self.lines {
            Some(lines) => lines,
            none => {
                let path = with_ending(&self.stem, "jsonl");
                none.insert(Part::create(path, |part| File::create(part).map(BufWriter::new))?)
            }
        };
        lines.file.write_all(text.as_bytes())?;
        // What happened is there when the process is not any more.
        Ok(lines.file.flush()?)
    }

    fn add(&mut self, up: bool, piece: &Piece) -> Result<(), Stop> {
        if self.has_stopped() {
            return Ok(());
        }
        let (bytes, starts) = match piece {
            Piece::Pcm(samples) => (2 * samples.len() as u64, WAV_HEADER),
            Piece::Packet(payload) => (payload.len() as u64 + OGG_PACKET, 0),
        };
        self.spend(bytes)?;
        let (name, (rate, channels)) =
            if up { ("uplink", self.shape.uplink) } else { ("downlink", self.shape.downlink) };
        let tracks = if up { &mut self.uplink } else { &mut self.downlink };
        match piece {
            Piece::Pcm(samples) => {
                let wav = match &mut tracks.wav {
                    Some(wav) => wav,
                    none => {
                        self.bytes += starts;
                        let path = with_ending(&self.stem, &format!("{name}.wav"));
                        none.insert(Part::create(path, |part| wav::Writer::record(part, rate, channels))?)
                    }
                };
                Ok(wav.file.write(samples)?)
            }
            Piece::Packet(payload) => {
                let opus = match &mut tracks.opus {
                    Some(opus) => opus,
                    none => {
                        let path = with_ending(&self.stem, &format!("{name}.opus"));
                        let head = Head { channels, pre_skip: 0, input_rate: rate, output_gain: 0 };
                        let tags = Tags { vendor: "Sidetone".into(), comments: Vec::new() };
                        none.insert(ogg_opus::Writer::create(path, 1, &head, &tags)?)
                    }
                };
                match opus.write(payload) {
                    // Not Opus: passed on as it was, and not to be recorded.
                    Err(Error::Packet(_) | Error::PacketTooLong(_)) => Ok(()),
                    other => Ok(other?),
                }
            }
        }
    }

    fn spend(&mut self, bytes: u64) -> Result<(), Stop> {
        if self.bytes + bytes > self.most_bytes {
            return Err(Stop::Full(self.most_bytes));
        }
        self.bytes += bytes;
        self.counts.bytes.add(bytes);
        Ok(())
    }

    fn note(&mut self, result: Result<(), Stop>) {
        let Err(stop) = result else { return };
        if self.failed.swap(true, Relaxed) {
            return;
        }
        match stop {
            Stop::Full(_) => self.counts.full.add(1),
            _ => self.counts.failed.add(1),
        }
        tracing::warn!(recording = %self.stem.display(), why = %stop, "a recording stopped; its call goes on");
        self.finish();
    }

    fn has_stopped(&self) -> bool {
        self.failed.load(Relaxed)
    }

    /// Gives everything its name. What cannot have it stays behind as `.part`.
    fn finish(&mut self) {
        let mut results = Vec::new();
        for tracks in [&mut self.uplink, &mut self.downlink] {
            results.extend(tracks.wav.take().map(|wav| {
                wav.file.finish()?;
                Ok(fs::rename(wav.part, wav.path)?)
            }));
            results.extend(tracks.opus.take().map(|opus| Ok(opus.finish(None)?)));
        }
        results.extend(self.lines.take().map(|lines| Ok(lines.finish(|mut file| file.flush())?)));
        for result in results {
            match result {
                Ok(()) => self.written += 1,
                Err::<_, Stop>(error) => {
                    self.counts.failed.add(1);
                    tracing::warn!(recording = %self.stem.display(), %error, "a file of a recording is incomplete");
                }
            }
        }
    }
}

impl Tracks {
    /// Samples a channel of PCM so far; `None` where there is none.
    fn samples(&self) -> Option<u64> {
        self.wav.as_ref().map(|wav| wav.file.samples_per_channel())
    }
}

/// `Path::with_extension` would take what follows the seconds' dot for one.
fn with_ending(stem: &Path, ending: &str) -> PathBuf {
    let mut path = stem.as_os_str().to_owned();
    path.push(".");
    path.push(ending);
    path.into()
}
