//! Audio files into Opus files and back, through the component: what `sidetone transcode` and the jobs of
//! `sidetone batch` are made of.
//!
//! | Module | What it does |
//! |---|---|
//! | [`source`] | reads WAV, Ogg Opus (chains too) and `.bit` into a clip or a stream of packets |
//! | [`encode`](mod@encode) | makes a clip ready for the codec, and packets of it |
//! | [`decode`](mod@decode) | makes of packets what a listener hears |
//! | [`output`] | writes WAV, Ogg Opus, `.bit`: whole or not at all |
//! | [`settings`] | what an encoder is asked for, and what that makes of a clip |
//! | [`values`] | names of settings, for command lines and job files |
//!
//! It holds no instance and knows of no command line: who calls brings the codecs ([`Encode`], [`Decode`]) and is told
//! of each step ([`Watch`]), where it may say that it is enough. The same input, options and component give the same
//! bytes, on every machine.
#![forbid(unsafe_code)]

mod codecs;
pub mod decode;
pub mod encode;
mod error;
pub mod output;
pub mod settings;
pub mod source;
mod stream;
pub mod text;
pub mod values;
mod watch;

pub use codecs::{Decode, Encode, Fault};
pub use error::Error;
pub use settings::{EncoderOptions, PcmOptions, Settings};
pub use source::Source;
pub use stream::{CLOCK, Packet, Stream, at, duration_of, scaled};
pub use watch::{Unwatched, Watch};
