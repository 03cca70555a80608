//! Finds packets that share keystream with an earlier one. A packet uses the counter blocks from its header onwards,
//! one per 16 bytes, so two packets overlap where those ranges meet: their headers are equal in type, flags, length and
//! connection id, and their (timestamp, sequence), read as one 64-bit number because the counter carries from one into
//! the other, are less than the number of blocks apart.

use alloc::boxed::Box;
use core::fmt;

use crate::header::{BLOCK_LEN, Header, MAX_BLOCKS};
use crate::replay::WINDOW;

/// Sequence numbers remembered. A packet may be [`WINDOW`] late and overlap one that is [`MAX_BLOCKS`] older still.
const REMEMBERED: usize = 256;
const _: () = assert!(REMEMBERED >= (WINDOW + MAX_BLOCKS) as usize && REMEMBERED.is_power_of_two());

/// The headers of the packets accepted last, in slots by sequence number. 3 KiB.
pub(crate) struct KeystreamHistory(Box<Slots>);

struct Slots {
    positions: [u64; REMEMBERED],
    /// Length and flags; 0 where the slot is empty, because no packet has length 0.
    shapes: [u32; REMEMBERED],
}

impl KeystreamHistory {
    pub(crate) fn new() -> Self {
        Self(Box::new(Slots { positions: [0; REMEMBERED], shapes: [0; REMEMBERED] }))
    }

    /// Remembers a packet, and tells whether it shares keystream with one that is remembered.
    pub(crate) fn record(&mut self, header: &Header) -> bool {
        let (position, shape) = (position(header), shape(header));
        let blocks = u64::from(header.payload_len).div_ceil(BLOCK_LEN as u64);
        // Both ways: a late packet comes below packets accepted before it.
        let overlaps = (1..blocks).any(|distance| {
            self.holds(position.checked_sub(distance), shape) || self.holds(position.checked_add(distance), shape)
        });
        let slot = slot(position);
        self.0.positions[slot] = position;
        self.0.shapes[slot] = shape;
        overlaps
    }

    fn holds(&self, position: Option<u64>, shape: u32) -> bool {
        position.is_some_and(|position| {
            let slot = slot(position);
            self.0.positions[slot] == position && self.0.shapes[slot] == shape
        })
    }
}

impl fmt::Debug for KeystreamHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeystreamHistory { .. }")
    }
}

fn slot(position: u64) -> usize {
    position as usize % REMEMBERED
}

/// The part of the counter that differs within a session: timestamp and sequence.
fn position(header: &Header) -> u64 {
    u64::from(header.timestamp) << 32 | u64::from(header.sequence)
}

/// The rest of the counter that differs.
fn shape(header: &Header) -> u32 {
    u32::from(header.flags) << 16 | u32::from(header.payload_len)
}
