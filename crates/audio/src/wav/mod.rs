//! WAV files: any common kind in, 16-bit out.
//!
//! Read: 8-, 16-, 24- and 32-bit integers and 32-bit floats, plain or `WAVE_FORMAT_EXTENSIBLE` (there also fewer bits, as
//! 20 in 24), up to 32 channels, 4 to 192 kHz. Wider samples are rounded to 16 bits without dither; floats beyond ±1
//! saturate; a file with NaN or an infinite sample is refused, as what made it is broken. Written: 16-bit integers, which
//! is what Opus decoders give.

mod reader;
mod riff;
mod writer;

pub use reader::{read, read_from};
pub use writer::{Writer, write};
