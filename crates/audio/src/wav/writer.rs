//! Writes 16-bit WAV files: whole and atomically, or live while recording.

use crate::output::AtomicFile;
use crate::pcm::{check_interleaving, check_shape};
use crate::{Error, Pcm, Result};
use hound::{SampleFormat, WavSpec, WavWriter};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// What the 32-bit RIFF length can count, less the header's 36 bytes.
const MOST_BYTES: u64 = u32::MAX as u64 - 36;

/// Writes a clip; the file appears when it is complete and not before.
///
/// # Errors
/// Those of [`Writer::create`] and [`Writer::write`].
pub fn write(path: impl AsRef<Path>, pcm: &Pcm) -> Result<()> {
    let mut writer = Writer::create(path, pcm.rate, pcm.channels)?;
    writer.write(&pcm.samples)?;
    writer.finish()
}

/// Writes a WAV file piece by piece.
#[must_use = "a file is complete only after `finish`"]
pub struct Writer {
    // Before `target`: it must let go of the file first.
    wav: WavWriter<BufWriter<File>>,
    target: Option<AtomicFile>,
    path: PathBuf,
    rate: u32,
    channels: u8,
    bytes: u64,
    checkpoint_at: Option<u64>,
}

impl Writer {
    /// Starts a file that appears when [`finish`](Self::finish) is called. Dropped before, it leaves nothing behind.
    ///
    /// # Errors
    /// [`Error::Rate`] or [`Error::Channels`] out of range; [`Error::Io`].
    pub fn create(path: impl AsRef<Path>, rate: u32, channels: u8) -> Result<Self> {
        let path = path.as_ref();
        check_shape(rate, channels)?;
        let target = AtomicFile::create(path)?;
        let file = target.handle()?;
        Self::new(path, file, Some(target), rate, channels)
    }

    /// Starts a recording: the file is there from the start, and once a second its header is brought up to date, so
    /// that a process that dies loses at most the last second. Dropped without [`finish`](Self::finish) it still is a
    /// complete file.
    ///
    /// # Errors
    /// [`Error::Rate`] or [`Error::Channels`] out of range; [`Error::Io`].
    pub fn record(path: impl AsRef<Path>, rate: u32, channels: u8) -> Result<Self> {
        let path = path.as_ref();
        check_shape(rate, channels)?;
        let file = File::create(path).map_err(|cause| Error::io("create", path, cause))?;
        let mut writer = Self::new(path, file, None, rate, channels)?;
        writer.checkpoint()?;
        Ok(writer)
    }

    fn new(path: &Path, file: File, target: Option<AtomicFile>, rate: u32, channels: u8) -> Result<Self> {
        let spec = WavSpec {
            channels: channels.into(),
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let wav = WavWriter::new(BufWriter::new(file), spec).map_err(|error| write_error(path, error))?;
        let checkpoint_at = target.is_none().then_some(0);
        Ok(Self { wav, target, path: path.to_owned(), rate, channels, bytes: 0, checkpoint_at })
    }

    /// Adds interleaved samples: whole rows, one sample of each channel.
    ///
    /// # Errors
    /// [`Error::Interleaving`] if the last row is not full and [`Error::Full`] at 4 GiB, both without writing any of
    /// it; [`Error::Io`].
    pub fn write(&mut self, samples: &[i16]) -> Result<()> {
        check_interleaving(samples.len(), self.channels)?;
        let total = self.bytes + 2 * samples.len() as u64;
        if total > MOST_BYTES {
            return Err(Error::Full { path: self.path.clone() });
        }
        // Pieces, because the writer buffers all it is given in one go.
        for piece in samples.chunks(1 << 16) {
            let mut rows = self.wav.get_i16_writer(piece.len() as u32);
            piece.iter().for_each(|&sample| rows.write_sample(sample));
            rows.flush().map_err(|error| write_error(&self.path, error))?;
        }
        self.bytes = total;
        if self.checkpoint_at.is_some_and(|due| total >= due) {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Length so far, in samples of one channel.
    #[must_use]
    pub fn samples_per_channel(&self) -> u64 {
        self.bytes / (2 * u64::from(self.channels))
    }

    /// Completes the file; one begun with [`create`](Self::create) appears now.
    ///
    /// # Errors
    /// [`Error::Io`]; of a file begun with [`create`](Self::create) nothing is left behind then.
    pub fn finish(self) -> Result<()> {
        let Self { wav, target, path, .. } = self;
        wav.finalize().map_err(|error| write_error(&path, error))?;
        target.map_or(Ok(()), AtomicFile::commit)
    }

    /// Makes what has been written so far a valid file.
    fn checkpoint(&mut self) -> Result<()> {
        self.wav.flush().map_err(|error| write_error(&self.path, error))?;
        let second = 2 * u64::from(self.channels) * u64::from(self.rate);
        self.checkpoint_at = Some(self.bytes + second);
        Ok(())
    }
}

fn write_error(path: &Path, error: hound::Error) -> Error {
    let cause = match error {
        hound::Error::IoError(cause) => cause,
        other => std::io::Error::other(other),
    };
    Error::io("write", path, cause)
}
