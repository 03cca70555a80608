//! What can go wrong, by cause.

use crate::packet::PacketError;

/// Everything the codec can refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A sample rate Opus does not have, in Hz.
    #[error("sample rate {0} Hz is not one of 8000, 12000, 16000, 24000, 48000")]
    SampleRate(u32),
    /// A channel count Opus does not have in one stream.
    #[error("{0} channels: Opus codes 1 or 2")]
    Channels(u32),
    /// A frame duration Opus does not have, in microseconds.
    #[error("frame of {0} µs: Opus has 2500, 5000, 10000, 20000, 40000, 60000, 80000, 100000, 120000")]
    FrameDuration(u32),
    /// PCM whose length is no frame, in samples of all channels.
    #[error("{samples} samples at {rate} Hz and {channels} channel(s) are no Opus frame (2.5 to 120 ms)")]
    FrameLength {
        /// Samples of all channels given.
        samples: usize,
        /// Rate of the encoder, in Hz.
        rate: u32,
        /// Channels of the encoder.
        channels: u8,
    },
    /// A bitrate out of range, in bits/s.
    #[error("bitrate {0} bits/s is not within 500 to 512000")]
    Bitrate(u32),
    /// A complexity out of range.
    #[error("complexity {0} is not within 0 to 10")]
    Complexity(u32),
    /// An expected packet loss out of range, in percent.
    #[error("expected loss {0} % is not within 0 to 100")]
    Loss(u32),
    /// An output buffer that cannot hold the result.
    #[error("output holds {have}, {need} are needed")]
    OutputTooSmall {
        /// Bytes (encoding) or samples of all channels (decoding) the buffer holds.
        have: usize,
        /// What the operation needs.
        need: usize,
    },
    /// The bytes are no Opus packet.
    #[error("not an Opus packet: {0}")]
    Packet(#[from] PacketError),
    /// The packet is well formed, but libopus could not decode it.
    #[error("libopus cannot decode this packet")]
    Undecodable,
    /// No memory for the codec's state.
    #[error("no memory for the codec")]
    NoMemory,
    /// libopus refused for a reason that this crate should have caught.
    #[error("libopus error {0}")]
    Internal(i32),
}

#[cfg(feature = "libopus")]
impl Error {
    /// The error for a negative return value of libopus.
    pub(crate) fn from_code(code: i32) -> Self {
        match code {
            opus_wasm_sys::OPUS_INVALID_PACKET => Self::Undecodable,
            opus_wasm_sys::OPUS_ALLOC_FAIL => Self::NoMemory,
            code => Self::Internal(code),
        }
    }
}
