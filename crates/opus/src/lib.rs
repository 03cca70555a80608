//! Opus for voice: a safe [`Encoder`], a safe [`Decoder`] and a [packet parser](packet), over libopus 1.6.1.
//!
//! PCM is interleaved `i16` everywhere. Rates are 8, 12, 16, 24 or 48 kHz and need not be the rate of the
//! other side: Opus resamples by itself, so open a codec at the rate of the PCM you have.
//!
//! One codec instance codes one stream, in order: Opus is stateful, and frames spread over several
//! instances come out as noise.
//!
//! Without the default feature `libopus` there are only the types and the packet parser, in plain Rust: for a host that
//! leaves the coding to a sandbox.
//!
//! No input makes anything here panic. What the network sent is judged by [`packet::Packet::parse`] and
//! [`Decoder::decode`] with a typed [`Error`].
//!
//! ```
//! use sidetone_opus::{Application, Channels, Decoder, Encoder, FrameDuration, SampleRate};
//!
//! let mut encoder = Encoder::new(SampleRate::Hz16000, Channels::Mono, Application::Voip)?;
//! let mut decoder = Decoder::new(SampleRate::Hz16000, Channels::Mono)?;
//! let frame = vec![0i16; FrameDuration::Ms60.samples(SampleRate::Hz16000)];
//!
//! let mut packet = [0u8; sidetone_opus::MAX_PACKET];
//! let len = encoder.encode(&frame, &mut packet)?;
//!
//! let mut pcm = vec![0i16; frame.len()];
//! let samples = decoder.decode(&packet[..len], &mut pcm)?;
//! assert_eq!(samples, frame.len());
//! # Ok::<(), sidetone_opus::Error>(())
//! ```
#![no_std]

#[cfg(feature = "libopus")]
extern crate alloc;

#[cfg(feature = "libopus")]
mod decoder;
#[cfg(feature = "libopus")]
mod encoder;
mod error;
pub mod packet;
#[cfg(feature = "libopus")]
mod repacketizer;
mod types;

#[cfg(feature = "libopus")]
pub use decoder::Decoder;
#[cfg(feature = "libopus")]
pub use encoder::Encoder;
pub use error::Error;
pub use types::{Application, Bandwidth, Bitrate, Channels, Complexity, FrameDuration, SampleRate, Signal, Split};

/// Version of libopus that codes.
#[cfg(feature = "libopus")]
pub use opus_wasm_sys::LIBOPUS_VERSION;

/// Bytes that hold any packet of one frame the encoder makes (RFC 6716 §3.4: 1275 bytes a frame, plus TOC).
pub const MAX_FRAME_PACKET: usize = 1276;

/// Bytes that hold any packet the [`Encoder`] makes: six frames of 20 ms at most, with their lengths.
pub const MAX_PACKET: usize = 6 * MAX_FRAME_PACKET + 16;

/// Samples a channel of the longest packet there is: 120 ms at 48 kHz (RFC 6716 §3.2).
pub const MAX_SAMPLES: usize = 5760;
