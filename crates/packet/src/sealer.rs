//! Seals one direction of one session, and never uses a nonce twice.

use crate::error::SealError;
use crate::header::{Direction, Header, MAX_BLOCKS};
use crate::key_schedule::{KEY_LEN, KeySchedule};
use crate::stateless::{payload_len, seal_with};

/// The nonce high-water mark: what must survive a restart so that no nonce is used twice. Plain numbers, to be kept
/// outside the process or instance that does the sealing, and given back through [`Sealer::restore`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SealerState {
    /// Sequence number of the next packet. `u32::MAX` is never sent: it says that all numbers are used.
    pub next_sequence: u32,
    /// Timestamp of the packet sent last, in milliseconds; 0 before the first.
    pub last_timestamp: u32,
}

impl SealerState {
    /// The mark of a session that has sent nothing: real firmware starts at sequence 1.
    pub const START: Self = Self { next_sequence: 1, last_timestamp: 0 };

    /// Moves the mark past a packet that was sent. With the header of each packet that leaves an instance, its owner
    /// keeps the mark without asking the instance for it.
    pub fn observe(&mut self, sent: &Header) {
        self.advance(Self { next_sequence: sent.sequence.saturating_add(1), last_timestamp: sent.timestamp });
    }

    /// Takes the higher of each number: a mark only moves forward.
    fn advance(&mut self, other: Self) {
        self.next_sequence = self.next_sequence.max(other.next_sequence);
        self.last_timestamp = self.last_timestamp.max(other.last_timestamp);
    }
}

impl Default for SealerState {
    fn default() -> Self {
        Self::START
    }
}

/// Seals the packets of one direction of one session. Keeps the key schedule; allocates nothing a packet.
///
/// Downlink packets carry [`FLAG_DOWNLINK`](crate::FLAG_DOWNLINK) and strictly increasing timestamps, which makes
/// every counter block of the session unique. Uplink packets are as devices send them: flags 0, timestamp as given. An
/// uplink sealer that is given the same timestamp again reuses keystream, as firmware does; give it a millisecond
/// counter where the choice is yours.
#[derive(Debug)]
pub struct Sealer {
    schedule: KeySchedule,
    connection_id: u32,
    direction: Direction,
    state: SealerState,
}

impl Sealer {
    /// A sealer for a session that has sent nothing in `direction`. Use [`restore`](Self::restore) if it has.
    #[must_use]
    pub fn new(key: &[u8; KEY_LEN], connection_id: u32, direction: Direction) -> Self {
        Self { schedule: KeySchedule::new(key), connection_id, direction, state: SealerState::START }
    }

    /// Writes header and ciphertext of the session's next packet to `out`, and returns the header: its
    /// [`packet_len`](Header::packet_len) is what was written, its timestamp what was sent.
    ///
    /// `timestamp_ms` is, downlink, the milliseconds since the hello; it is raised to one more than the last where it
    /// is not above it.
    ///
    /// # Errors
    /// Every variant of [`SealError`]. Nothing is used up then.
    pub fn seal(&mut self, timestamp_ms: u32, payload: &[u8], out: &mut [u8]) -> Result<Header, SealError> {
        let header = Header {
            flags: self.direction.flags(),
            payload_len: payload_len(payload)?,
            connection_id: self.connection_id,
            timestamp: self.next_timestamp(timestamp_ms)?,
            sequence: self.next_sequence()?,
        };
        seal_with(&self.schedule, &header, payload, out)?;
        self.state.observe(&header);
        Ok(header)
    }

    /// The nonce high-water mark, to be kept for a restart.
    #[must_use]
    pub const fn state(&self) -> SealerState {
        self.state
    }

    /// Continues after `state`. Only ever moves forward: an older mark changes nothing.
    pub fn restore(&mut self, state: SealerState) {
        self.state.advance(state);
    }

    /// Passes over the nonces of up to `packets` packets that may have been sent since the mark was taken.
    ///
    /// Skips as many more sequence numbers as a packet has blocks at most, so that not even a packet with the very
    /// timestamp of a lost one can share a block with it.
    pub fn skip_ahead(&mut self, packets: u32) {
        self.state.next_sequence = self.state.next_sequence.saturating_add(packets).saturating_add(MAX_BLOCKS - 1);
        self.state.last_timestamp = self.state.last_timestamp.saturating_add(packets);
    }

    /// The session's connection id.
    #[must_use]
    pub const fn connection_id(&self) -> u32 {
        self.connection_id
    }

    /// The direction of the packets that are sealed.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    fn next_sequence(&self) -> Result<u32, SealError> {
        match self.state.next_sequence {
            u32::MAX => Err(SealError::SequenceExhausted),
            sequence => Ok(sequence),
        }
    }

    fn next_timestamp(&self, timestamp_ms: u32) -> Result<u32, SealError> {
        match self.direction {
            Direction::Uplink => Ok(timestamp_ms),
            Direction::Downlink => {
                let lowest = self.state.last_timestamp.checked_add(1).ok_or(SealError::TimestampExhausted)?;
                Ok(timestamp_ms.max(lowest))
            }
        }
    }
}
