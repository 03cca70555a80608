//! Reads a whole WAV file.

use super::riff;
use crate::pcm::check_shape;
use crate::{Error, Format, Pcm, Result};
use hound::{SampleFormat, WavReader};
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

/// Reads a file, with as many channels as it has (see [`Pcm::into_channels`]).
///
/// A data chunk whose length was left open, as programs do that write into a pipe, ends with the file.
///
/// # Errors
/// - [`Error::Truncated`] if the file ends before the length it states.
/// - [`Error::Malformed`] if it is no WAV file, is compressed, or has a rate or channel count out of range.
/// - [`Error::Empty`] if it has no bytes or no samples.
/// - [`Error::Io`].
pub fn read(path: impl AsRef<Path>) -> Result<Pcm> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|cause| Error::io("open", path, cause))?;
    read_from(path, BufReader::new(file))
}

/// As [`read`], from anything that can seek; `name` is what errors call it.
///
/// # Errors
/// Those of [`read`].
pub fn read_from<R: Read + Seek>(name: impl AsRef<Path>, mut reader: R) -> Result<Pcm> {
    let path = name.as_ref();
    let layout = riff::find_audio(path, &mut reader)?;
    check_coding(path, &layout.fmt)?;

    let header = Cursor::new(plain_header(&layout));
    let wav = WavReader::new(header.chain(reader)).map_err(|error| hound_error(path, error))?;
    let spec = wav.spec();
    let channels = u8::try_from(spec.channels).unwrap_or(u8::MAX);
    check_shape(spec.sample_rate, channels).map_err(|_| {
        let problem = format!("it has {} channels at {} Hz", spec.channels, spec.sample_rate);
        Error::malformed(Format::Wav, path, problem)
    })?;
    if wav.len() == 0 {
        return Err(Error::empty(path, "its data chunk has no samples"));
    }

    let samples = match (spec.sample_format, spec.bits_per_sample) {
        (SampleFormat::Int, 8) => collect(wav, |sample: i16| sample << 8),
        (SampleFormat::Int, 16) => collect(wav, |sample: i16| sample),
        (SampleFormat::Int, 24) => collect(wav, |sample: i32| narrow(sample, 8)),
        (SampleFormat::Int, 32) => collect(wav, |sample: i32| narrow(sample, 16)),
        (SampleFormat::Float, 32) => collect(wav, |sample: f32| (sample * 32768.0).round() as i16),
        (_, bits) => return Err(Error::malformed(Format::Wav, path, format!("its samples have {bits} bits"))),
    };
    let samples = samples.map_err(|error| hound_error(path, error))?;
    Pcm::new(spec.sample_rate, channels, samples)
}

fn collect<S: hound::Sample, R: Read>(wav: WavReader<R>, convert: impl Fn(S) -> i16) -> hound::Result<Vec<i16>> {
    wav.into_samples().map(|sample| sample.map(&convert)).collect()
}

/// Rounds away the low `bits`; halves go up, the largest value stays in range.
fn narrow(sample: i32, bits: u32) -> i16 {
    let rounded = (i64::from(sample) + (1 << (bits - 1))) >> bits;
    rounded.min(i64::from(i16::MAX)) as i16
}

/// The file reduced to what `hound` must know: one `fmt ` chunk and a `data` chunk of checked length.
fn plain_header(layout: &riff::Layout) -> Vec<u8> {
    let mut header = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
    header.extend((layout.fmt.len() as u32).to_le_bytes());
    header.extend(&layout.fmt);
    header.extend(b"data");
    header.extend(layout.data_length.to_le_bytes());
    header
}

fn check_coding(path: &Path, fmt: &[u8]) -> Result<()> {
    let tag = fmt.first_chunk().map_or(0, |&tag| u16::from_le_bytes(tag));
    let coding = match tag {
        // PCM, IEEE float, and WAVE_FORMAT_EXTENSIBLE, which holds one of these two or is refused by `hound`.
        0x0001 | 0x0003 | 0xfffe => return Ok(()),
        0x0002 | 0x0011 => "ADPCM",
        0x0006 => "A-law",
        0x0007 => "µ-law",
        0x0055 => "MP3",
        _ => "of an unknown kind",
    };
    Err(Error::malformed(Format::Wav, path, format!("its samples are {coding} (format tag {tag:#06x})")))
}

fn hound_error(path: &Path, error: hound::Error) -> Error {
    match error {
        hound::Error::IoError(cause) => Error::io("read", path, cause),
        hound::Error::FormatError(problem) => Error::malformed(Format::Wav, path, problem),
        _ => Error::malformed(Format::Wav, path, "its fmt chunk describes samples of another kind"),
    }
}
