//! From packets, whenever they come, to a frame of audio whenever one is due.
//!
//! Two ways: [`faithful`] is what firmware does: a queue of 40, what is missing is missing. [`adaptive`] is what a
//! device could do: a buffer as deep as the network is uneven, order restored, gaps recovered or concealed.
//!
//! Neither decodes: a [`Step`] says what the decoder is to do.

pub mod adaptive;
mod delay;
pub mod faithful;

use serde::Serialize;

/// What the decoder makes the next frame of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// This packet.
    Decode(Vec<u8>),
    /// The redundancy in the packet that follows the lost one, where there is some; otherwise it conceals.
    Recover(Vec<u8>),
    /// Nothing: it conceals.
    Conceal,
    /// No frame: silence.
    Silence,
}

/// What became of a packet that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It waits for its turn.
    Queued,
    /// Its turn was over.
    Late,
    /// It was there already.
    Duplicate,
    /// The queue is full.
    Overflow,
    /// Nothing is being played: firmware drops it.
    NotPlaying,
}

/// Counts since the start, in packets or frames, and how things stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// Packets that came.
    pub received: u64,
    /// Bytes of payload in them.
    pub bytes: u64,
    /// Packets that were not there when their turn came.
    pub lost: u64,
    /// Of these, made up.
    pub concealed: u64,
    /// Of these, asked of the packet that followed.
    pub recovered: u64,
    /// Of these, passed over: their time is missing.
    pub skipped: u64,
    /// Packets that came after their turn.
    pub late: u64,
    /// Packets that were there already.
    pub duplicate: u64,
    /// Packets dropped because the queue was full.
    pub overflowed: u64,
    /// Packets that came while nothing was played.
    pub not_playing: u64,
    /// Packets dropped to shorten the delay, or at a stop.
    pub dropped: u64,
    /// Frames played.
    pub played: u64,
    /// Frames that were due while the queue was empty in the middle of speech, though nothing was lost.
    pub underruns: u64,
    /// Packets that wait.
    pub depth: u32,
    /// Packets that should wait before playing begins.
    pub target: u32,
    /// Interarrival jitter (RFC 3550), in ms.
    pub jitter: f64,
}
