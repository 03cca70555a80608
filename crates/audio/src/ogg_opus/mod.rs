//! Opus packets in Ogg files: RFC 7845 in the container of RFC 3533.
//!
//! All counts are in samples per channel at 48 kHz, whatever rate was encoded: that is the clock of the format. What a
//! player plays is what all packets decode to, less the first [`Head::pre_skip`] samples (the codec's delay) and
//! whatever the last page trims, so that a clip comes back with exactly the length that went in: [`Stream::samples`].
//!
//! Read: chains of Opus streams, link by link ([`Chain`]), which is what joining files with `cat` and recording a live
//! stream make. One or two channels (mapping family 0). Of streams that run side by side the first of Opus is read, and
//! the others are named. A chain that goes on with another codec is refused.
//!
//! Written: pages of at most a second, as `opusenc` does, so that players can seek and a network can start early.

mod assembly;
mod duration;
mod header;
mod page;
mod reader;
mod writer;

pub use duration::packet_duration;
pub use header::{Head, Tags};
pub use reader::{read, read_chain, read_chain_from, read_from};
pub use writer::Writer;

/// What a part of a file was found to be, or what is wrong with it: an error still without the file's name.
type Checked<T> = std::result::Result<T, String>;

/// All of an Ogg file.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Its Opus streams, to be played one after the other, each by a decoder of its own. Never empty.
    pub links: Vec<Stream>,
    /// What else runs beside them and is not read: names of codecs.
    pub beside: Vec<&'static str>,
    /// Where the last page ends, bytes from the start of the file.
    pub end: u64,
    /// Bytes after that, which are no Ogg page and were not read.
    pub unread: u64,
}

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
