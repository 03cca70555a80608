//! Opus packets in Ogg files: RFC 7845 in the container of RFC 3533.
//!
//! All counts are in samples per channel at 48 kHz, whatever rate was encoded: that is the clock of the format. What a
//! player plays is what all packets decode to, less the first [`Head::pre_skip`] samples (the codec's delay) and
//! whatever the last page trims, so that a clip comes back with exactly the length that went in: [`Stream::samples`].
//!
//! Read: the first Opus stream of the file; other streams in it and links chained behind it are passed over. One or two
//! channels (mapping family 0).
//!
//! Written: pages of at most a second, as `opusenc` does, so that players can seek and a network can start early.

mod duration;
mod header;
mod page;
mod reader;
mod writer;

pub use duration::packet_duration;
pub use header::{Head, Tags};
pub use reader::{read, read_from};
pub use writer::Writer;

/// What a part of a file was found to be, or what is wrong with it: an error still without the file's name.
type Checked<T> = std::result::Result<T, String>;

/// A whole Opus stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// The identification header.
    pub head: Head,
    /// The comment header.
    pub tags: Tags,
    /// The audio packets, in order. Never empty.
    pub packets: Vec<Packet>,
    /// Samples per channel to play: decode all packets, drop the first [`Head::pre_skip`], keep this many.
    ///
    /// At 48 kHz; of a decoder at another rate keep `samples * rate / 48000`. 0 for a file made of an empty clip.
    pub samples: u64,
}

/// One Opus packet of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The packet, 1 to [`MAX_PACKET`](crate::MAX_PACKET) bytes.
    pub data: Vec<u8>,
    /// What it decodes to, in samples per channel at 48 kHz: 120 (2.5 ms) to 5760 (120 ms).
    pub duration: u32,
}
