//! When to believe a jump far ahead of the stream. One forged packet with a high sequence number must not push the
//! replay window past everything the real device is about to send, and a stream that really is elsewhere (a gateway
//! that restarted without its state, a long outage) must be found again.

/// Plausible packets that must follow each other before the window moves further than the forward limit. Random bytes
/// pass a test for Opus with the negotiated duration 1.2 % of the time, so three in a row about once in 600,000.
pub const PACKETS_IN_A_ROW: u32 = 3;

/// The most by which the sequence numbers of such packets may grow from one to the next: one second of 60 ms frames.
pub const ROW_SPACING: u32 = 16;

/// Plausible packets far ahead of the window, seen in a row.
#[derive(Debug, Default)]
pub(crate) struct Row {
    sequences: [u32; PACKETS_IN_A_ROW as usize],
    len: usize,
}

impl Row {
    /// Adds a plausible packet: to the row if it follows its last one closely, or else as the first of a new row. One
    /// that is in the row already is ignored, so that a network which duplicates every packet can complete it.
    /// Returns the whole row once it is complete, and starts anew.
    pub(crate) fn push(&mut self, sequence: u32) -> Option<[u32; PACKETS_IN_A_ROW as usize]> {
        let row = &self.sequences[..self.len];
        if row.contains(&sequence) {
            return None;
        }
        let follows = row.last().is_some_and(|&last| sequence > last && sequence - last <= ROW_SPACING);
        if !follows {
            self.len = 0;
        }
        self.sequences[self.len] = sequence;
        self.len += 1;
        if self.len < self.sequences.len() {
            return None;
        }
        self.len = 0;
        Some(self.sequences)
    }

    /// Packets that have yet to follow.
    pub(crate) fn missing(&self) -> u32 {
        PACKETS_IN_A_ROW - self.len as u32
    }

    /// Something else came between.
    pub(crate) fn interrupt(&mut self) {
        self.len = 0;
    }
}
