//! Which sequence numbers have been seen: a bitmap of the last 128, as RFC 4303 (section 3.4.3) and RFC 6479 have it.
//! One u128 holds the window, so moving it is one shift. Whether a number far ahead is believed is not decided here.

/// Sequence numbers that the window spans, the highest one included.
pub const WINDOW: u32 = u128::BITS;

/// Where a sequence number lies in relation to those seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// Nothing has been seen yet.
    First,
    /// Above the highest seen, by this many (1 for the very next).
    Ahead(u32),
    /// Below the highest seen by this many, inside the window, and not seen.
    Late(u32),
    /// Seen before.
    Replayed,
    /// [`WINDOW`] or more below the highest: whether it was seen is not known any more.
    TooOld,
}

/// What must survive a restart so that no packet is accepted twice. Plain numbers, to be stored outside the process
/// or instance that does the opening.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OpenerState {
    /// Highest sequence number seen; `None` before the first packet.
    pub highest: Option<u32>,
    /// Bit `n` is set where `highest - n` has been seen. 0 while `highest` is `None`.
    pub window: u128,
}

/// A sliding window over the sequence numbers of one direction of one session.
///
/// ```
/// use sidetone_packet::{Freshness, ReplayWindow};
///
/// let mut window = ReplayWindow::new();
/// window.mark(10);
/// assert_eq!(window.check(10), Freshness::Replayed);
/// assert_eq!(window.check(12), Freshness::Ahead(2));
/// assert_eq!(window.check(9), Freshness::Late(1));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayWindow {
    state: OpenerState,
}

impl ReplayWindow {
    /// A window that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: OpenerState { highest: None, window: 0 } }
    }

    /// The state to keep for a restart.
    #[must_use]
    pub const fn state(&self) -> OpenerState {
        self.state
    }

    /// The highest sequence number seen.
    #[must_use]
    pub const fn highest(&self) -> Option<u32> {
        self.state.highest
    }

    /// Tells where a sequence number lies. Changes nothing.
    #[must_use]
    pub fn check(&self, sequence: u32) -> Freshness {
        let Some(highest) = self.state.highest else {
            return Freshness::First;
        };
        if sequence > highest {
            return Freshness::Ahead(sequence - highest);
        }
        let behind = highest - sequence;
        match self.state.window.checked_shr(behind) {
            None => Freshness::TooOld,
            Some(bits) if bits & 1 == 1 => Freshness::Replayed,
            Some(_) => Freshness::Late(behind),
        }
    }

    /// Records a sequence number as seen. One above the highest moves the window, by any distance; one behind the
    /// window is ignored.
    pub fn mark(&mut self, sequence: u32) {
        self.merge(OpenerState { highest: Some(sequence), window: 1 });
    }

    /// Takes over what `other` has seen besides what this window has: the union, aligned at the higher of both. It can
    /// move a window forward, never back.
    pub fn merge(&mut self, other: OpenerState) {
        let Some(theirs) = other.highest else {
            return;
        };
        // A stored state whose highest bit is missing would let the highest packet in again.
        let other_window = other.window | 1;
        let shifted = |window: u128, by: u32| window.checked_shl(by).unwrap_or(0);
        self.state = match self.state.highest {
            Some(ours) if ours >= theirs => {
                OpenerState { highest: Some(ours), window: self.state.window | shifted(other_window, ours - theirs) }
            }
            Some(ours) => {
                OpenerState { highest: Some(theirs), window: other_window | shifted(self.state.window, theirs - ours) }
            }
            None => OpenerState { highest: Some(theirs), window: other_window },
        };
    }
}

impl From<OpenerState> for ReplayWindow {
    fn from(state: OpenerState) -> Self {
        let mut window = Self::new();
        window.merge(state);
        window
    }
}
