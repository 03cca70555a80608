//! Which audio packets firmware plays, generation by generation.

use std::collections::VecDeque;

use sidetone_packet::{HEADER_LEN, Header, HeaderError};

/// Packets that firmware's decode queue holds: 2.4 s of 60 ms frames.
pub const QUEUE: usize = 40;

/// Which sequence numbers are old. Neither generation drops one that leaves a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SequenceRule {
    /// Up to the last one, duplicates included (FW).
    UpToLast,
    /// Below the last one: a duplicate is played twice (FW25, and the gateways).
    BelowLast,
}

/// What a device looks at in an audio packet. None looks at the connection id or the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReceiveRules {
    /// Which sequence numbers it drops.
    pub sequence: SequenceRule,
    /// Whether the datagram must be as long as its header says (FW), or all of it is decrypted (FW25).
    pub exact_length: bool,
    /// Packets that its queue holds.
    pub queue: usize,
}

impl ReceiveRules {
    /// Firmware of 2026-08.
    pub const FIRMWARE: Self = Self { sequence: SequenceRule::UpToLast, exact_length: true, queue: QUEUE };

    /// Firmware of 2025-09.
    pub const FIRMWARE_2025: Self = Self { sequence: SequenceRule::BelowLast, exact_length: false, queue: QUEUE };
}

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is decrypted and queued.
    Play {
        /// Its header. The ciphertext is all that follows it.
        header: Header,
        /// Sequence numbers missing before it: firmware logs them, and conceals nothing.
        gap: u32,
    },
    /// Dropped: its sequence number is old.
    Old {
        /// Its sequence number.
        sequence: u32,
        /// The last one played.
        last: u32,
    },
    /// Dropped: no well-formed packet to this firmware.
    Malformed(HeaderError),
}

/// The receive side of a device's UDP channel, between hello and goodbye. It decrypts nothing.
///
/// ```
/// use sidetone_packet::Header;
/// use sidetone_protocol::device::{ReceiveRules, Receiver, Verdict};
///
/// let header = Header { payload_len: 1, sequence: 1, ..Header::default() };
/// let datagram = [&header.to_bytes()[..], &[0x58]].concat();
/// let mut firmware = Receiver::new(ReceiveRules::FIRMWARE);
/// assert_eq!(firmware.judge(&datagram), Verdict::Play { header, gap: 0 });
/// assert_eq!(firmware.judge(&datagram), Verdict::Old { sequence: 1, last: 1 });
/// ```
#[derive(Clone, Debug)]
pub struct Receiver {
    rules: ReceiveRules,
    last: u32,
}

impl Receiver {
    /// A channel right after its hello.
    #[must_use]
    pub const fn new(rules: ReceiveRules) -> Self {
        Self { rules, last: 0 }
    }

    /// Judges a datagram by its header, and takes note of it where it is played.
    pub fn judge(&mut self, datagram: &[u8]) -> Verdict {
        let header = match self.parse(datagram) {
            Ok(header) => header,
            Err(error) => return Verdict::Malformed(error),
        };
        let (sequence, last) = (header.sequence, self.last);
        let old = match self.rules.sequence {
            SequenceRule::UpToLast => sequence <= last,
            SequenceRule::BelowLast => sequence < last,
        };
        if old {
            return Verdict::Old { sequence, last };
        }
        self.last = sequence;
        Verdict::Play { header, gap: sequence.saturating_sub(last).saturating_sub(1) }
    }

    /// The last sequence number played; 0 before the first.
    #[must_use]
    pub const fn last(&self) -> u32 {
        self.last
    }

    fn parse(&self, datagram: &[u8]) -> Result<Header, HeaderError> {
        let Some((head, ciphertext)) = datagram.split_first_chunk::<HEADER_LEN>() else {
            return Err(HeaderError::Truncated { len: datagram.len() });
        };
        let header = Header::parse(head)?;
        if self.rules.exact_length && usize::from(header.payload_len) != ciphertext.len() {
            return Err(HeaderError::LengthMismatch { declared: header.payload_len, actual: ciphertext.len() });
        }
        Ok(header)
    }
}

/// Firmware's queue of packets to be played: what comes when it is full is lost.
#[derive(Clone, Debug)]
pub struct PlayQueue<T> {
    packets: VecDeque<T>,
    most: usize,
    overflowed: u64,
}

impl<T> PlayQueue<T> {
    /// An empty queue for so many packets as the rules say.
    #[must_use]
    pub const fn new(rules: ReceiveRules) -> Self {
        Self { packets: VecDeque::new(), most: rules.queue, overflowed: 0 }
    }

    /// Appends a packet; gives it back where the queue is full.
    ///
    /// # Errors
    /// The packet, which is counted as lost.
    pub fn push(&mut self, packet: T) -> Result<(), T> {
        if self.packets.len() >= self.most {
            self.overflowed += 1;
            return Err(packet);
        }
        self.packets.push_back(packet);
        Ok(())
    }

    /// The packet to be played next.
    pub fn pop(&mut self) -> Option<T> {
        self.packets.pop_front()
    }

    /// Drops all, as a `tts stop` does; returns how many packets the user does not hear.
    pub fn clear(&mut self) -> usize {
        let dropped = self.packets.len();
        self.packets.clear();
        dropped
    }

    /// Packets that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Packets lost because the queue was full.
    #[must_use]
    pub const fn overflowed(&self) -> u64 {
        self.overflowed
    }
}
