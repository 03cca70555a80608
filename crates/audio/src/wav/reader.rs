//! Reads a whole WAV file.

use super::riff;
use crate::pcm::check_shape;
use crate::{Error, Format, Pcm, Result, source};
use hound::{SampleFormat, WavReader};
use std::io::{Cursor, Read, Seek};
use std::path::Path;

/// Reads a file, with as many channels as it has (see [`Pcm::into_channels`]).
///
/// A data chunk whose length was left open, as programs do that write into a pipe, ends with the file.
///
/// # Errors
/// - [`Error::Truncated`] if the file ends before the length it states.
/// - [`Error::Malformed`] if it is no WAV file, is compressed, has a rate or channel count out of range, or a sample that
///   is NaN or infinite.
/// - [`Error::Empty`] if it has no bytes or no samples.
/// - [`Error::Io`].
pub fn read(path: impl AsRef<Path>) -> Result<Pcm> {
    let path = path.as_ref();
    read_from(path, source::open(path)?)
}

/// As [`read`], from anything that can seek; `name` is what errors call it.
///
/// # Errors
/// Those of [`read`].
pub fn read_from<R: Read + Seek>(name: impl AsRef<Path>, mut reader: R) -> Result<Pcm> {
    let path = name.as_ref();
    let mut layout = riff::find_audio(path, &mut reader)?;
    check_coding(path, &layout.fmt)?;
    fill_container(&mut layout.fmt);

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
        (SampleFormat::Int, 8) => collect(path, wav, |sample: i16| Ok(sample << 8)),
        (SampleFormat::Int, 16) => collect(path, wav, |sample: i16| Ok(sample)),
        (SampleFormat::Int, 24) => collect(path, wav, |sample: i32| Ok(narrow(sample, 8))),
        (SampleFormat::Int, 32) => collect(path, wav, |sample: i32| Ok(narrow(sample, 16))),
        (SampleFormat::Float, 32) => collect(path, wav, from_float),
        (_, bits) => Err(Error::malformed(Format::Wav, path, format!("its samples have {bits} bits"))),
    }?;
    Pcm::new(spec.sample_rate, channels, samples)
}

/// All samples, each as `convert` has it, which may say why one is none.
fn collect<S: hound::Sample, R: Read>(
    path: &Path,
    wav: WavReader<R>,
    convert: impl Fn(S) -> std::result::Result<i16, &'static str>,
) -> Result<Vec<i16>> {
    let channels = usize::from(wav.spec().channels.max(1));
    let convert = |(index, sample): (usize, hound::Result<S>)| {
        convert(sample.map_err(|error| hound_error(path, error))?).map_err(|value| {
            let (row, channel) = (index / channels, index % channels + 1);
            Error::malformed(Format::Wav, path, format!("sample {row} of channel {channel} is {value}, no number"))
        })
    };
    wav.into_samples().enumerate().map(convert).collect()
}

fn from_float(sample: f32) -> std::result::Result<i16, &'static str> {
    match sample {
        _ if sample.is_nan() => Err("NaN"),
        _ if sample.is_infinite() => Err("infinite"),
        // The cast saturates.
        _ => Ok((sample * 32768.0).round() as i16),
    }
}

/// In `WAVE_FORMAT_EXTENSIBLE`, samples of fewer bits than their container has stand at its upper end, above zeros: 20
/// bits in 3 bytes, 24 in 4. Read as samples of the whole container they are right; `hound` would look at the lower end.
fn fill_container(fmt: &mut [u8]) {
    if let Some(&[0xfe, 0xff, _, _, _, _, _, _, _, _, _, _, _, _, low, high, _, _, v0, v1]) = fmt.first_chunk()
        && (1..u16::from_le_bytes([low, high])).contains(&u16::from_le_bytes([v0, v1]))
    {
        fmt[18..20].copy_from_slice(&[low, high]);
    }
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
    let bits = fmt.get(14..16).map_or(0, |bits| u16::from_le_bytes([bits[0], bits[1]]));
    let coding = match tag {
        0x0003 if bits != 32 => {
            return Err(Error::malformed(Format::Wav, path, format!("its samples are floats of {bits} bits")));
        }
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
