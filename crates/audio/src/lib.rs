//! Audio files in and out, resampling, and simple measures.
//!
//! | Module | What it does |
//! |---|---|
//! | [`wav`] | WAV of any common kind in, 16-bit WAV out, whole or while recording |
//! | [`ogg_opus`] | Opus packets out of and into Ogg files (RFC 7845) |
//! | [`bit`] | Opus packets out of and into the `.bit` files of `opus_demo`, with the encoder's final range |
//! | [`detect`] | Which of the three a file is |
//! | [`mod@resample`] | A whole clip to another rate, delay compensated, length exact |
//! | [`measure`] | Where one clip lies in another, how alike they are, and how loud |
//! | [`output`] | Files that appear complete or not at all |
//! | [`shown`] | Names of files, safe to print |
//!
//! It works on files and whole clips, not on live streams, and knows nothing of codecs, sessions or WebAssembly: Opus
//! packets pass through as bytes. Of a packet only its duration is read, because Ogg counts in samples.
//!
//! **Any bytes may be thrown at the readers.** They answer with a value or an [`Error`], never with a panic, and
//! reserve memory in proportion to the file that is there, not to what its header claims.
//!
//! ```
//! # fn main() -> Result<(), sidetone_audio::Error> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("tone.wav");
//! use sidetone_audio::{Pcm, resample, wav};
//!
//! let pcm = Pcm::new(44_100, 1, vec![0; 44_100])?;
//! wav::write(&path, &resample(&pcm, 16_000)?)?;
//! assert_eq!(wav::read(&path)?.samples_per_channel(), 16_000);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod beside;
pub mod bit;
pub mod detect;
mod error;
pub mod measure;
pub mod ogg_opus;
pub mod output;
mod pcm;
pub mod resample;
pub mod shown;
mod source;
pub mod wav;

pub use detect::Format;
pub use error::{Error, Result};
pub use pcm::Pcm;
pub use resample::resample;

/// Lowest sample rate accepted, Hz.
pub const MIN_RATE: u32 = 4_000;
/// Highest sample rate accepted, Hz.
pub const MAX_RATE: u32 = 192_000;
/// Most interleaved channels accepted. Files of more than two must be mixed ([`Pcm::into_channels`]) before they can be
/// coded.
pub const MAX_CHANNELS: u8 = 32;
/// Longest Opus packet accepted, bytes.
///
/// RFC 7845 section 6 lets a reader refuse packets above 61,440 bytes per stream; the largest that means anything, 48
/// frames of 1275 bytes, is just below. `opus_demo` itself writes at most 1500.
pub const MAX_PACKET: usize = 61_440;

/// Most audio that is kept in memory as packets, hours: what a WAV file of 48 kHz and two channels can hold, almost.
pub const MAX_HOURS: u64 = 6;
/// Longest file of packets that is read whole, bytes.
pub const MAX_STREAM_BYTES: u64 = 2 << 30;
/// [`MAX_HOURS`] in samples per channel at 48 kHz.
pub const MAX_STREAM_SAMPLES: u64 = MAX_HOURS * 3600 * 48_000;
