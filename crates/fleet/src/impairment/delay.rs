//! Packets under way: a queue by the time they are due, of bounded length.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// The most packets under way in one direction of one device: 5 s of 20 ms frames.
pub const MOST_DELAYED: usize = 256;

/// Packets under way. What is due at the same time comes in the order it went in.
#[derive(Debug)]
pub struct Delay<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    order: u64,
}

#[derive(Debug)]
struct Entry<T> {
    due: Duration,
    order: u64,
    packet: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.order).cmp(&(other.due, other.order))
    }
}

impl<T> Default for Delay<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), order: 0 }
    }
}

impl<T> Delay<T> {
    /// Takes a packet in until it is due.
    ///
    /// # Errors
    /// The packet, where [`MOST_DELAYED`] are under way.
    pub fn push(&mut self, due: Duration, packet: T) -> Result<(), T> {
        if self.heap.len() >= MOST_DELAYED {
            return Err(packet);
        }
        self.heap.push(Reverse(Entry { due, order: self.order, packet }));
        self.order += 1;
        Ok(())
    }

    /// The next packet that is due, and when it was.
    pub fn pop(&mut self, now: Duration) -> Option<(Duration, T)> {
        if self.next_due()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.due, entry.packet))
    }

    /// When the next packet is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        self.heap.peek().map(|Reverse(entry)| entry.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn packets_come_when_due_and_equals_in_order() {
        let mut delay = Delay::default();
        for (due, packet) in [(30, 'c'), (10, 'a'), (30, 'd'), (20, 'b')] {
            assert_eq!(delay.push(ms(due), packet), Ok(()));
        }
        assert_eq!(delay.pop(ms(9)), None);
        assert_eq!(delay.pop(ms(20)), Some((ms(10), 'a')));
        assert_eq!(delay.pop(ms(20)), Some((ms(20), 'b')));
        assert_eq!((delay.pop(ms(20)), delay.next_due()), (None, Some(ms(30))));
        assert_eq!(delay.pop(ms(99)), Some((ms(30), 'c')));
        assert_eq!(delay.pop(ms(99)), Some((ms(30), 'd')));
        assert_eq!((delay.pop(ms(99)), delay.next_due()), (None, None));
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut delay = Delay::default();
        for packet in 0..MOST_DELAYED {
            assert_eq!(delay.push(ms(1), packet), Ok(()));
        }
        assert_eq!(delay.push(ms(0), 999), Err(999));
    }
}
