//! Where a device is answered: learnt from packets, since the protocol does not say.

use std::time::Duration;

/// How long the old address must be silent before another is believed.
const SILENCE: Duration = Duration::from_secs(2);

/// Plausible packets in a row that another address must show.
const ROW: u32 = 3;

/// The return address of one call. `A` is an address, or whatever tells ways back apart.
#[derive(Debug)]
pub(crate) struct ReturnAddress<A> {
    bound: Option<A>,
    heard_at: Duration,
    candidate: Option<(A, u32)>,
}

impl<A: PartialEq + Clone> ReturnAddress<A> {
    pub(crate) const fn new() -> Self {
        Self { bound: None, heard_at: Duration::ZERO, candidate: None }
    }

    /// A plausible packet, accepted into the stream, came from `from`. `true`: that is the return address from now on,
    /// and was not before.
    pub(crate) fn heard(&mut self, from: &A, now: Duration) -> bool {
        if self.bound.as_ref() == Some(from) {
            self.heard_at = now;
            self.candidate = None;
            return false;
        }
        if self.bound.is_some() {
            let row = match &self.candidate {
                Some((address, row)) if address == from => row.saturating_add(1),
                _ => 1,
            };
            self.candidate = Some((from.clone(), row));
            if row < ROW || now.saturating_sub(self.heard_at) < SILENCE {
                return false;
            }
        }
        *self = Self { bound: Some(from.clone()), heard_at: now, candidate: None };
        true
    }

    /// Where the device is answered, once it was heard.
    pub(crate) const fn get(&self) -> Option<&A> {
        self.bound.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_first_plausible_packet_binds() {
        let mut address = ReturnAddress::new();
        assert_eq!(address.get(), None);
        assert!(address.heard(&'a', at(0)));
        assert!(!address.heard(&'a', at(60)));
        assert_eq!(address.get(), Some(&'a'));
    }

    #[test]
    fn another_address_needs_three_packets_and_two_seconds_of_silence() {
        let mut address = ReturnAddress::new();
        address.heard(&'a', at(0));
        assert!(!(1..40).any(|n| address.heard(&'b', at(n * 50))), "the old one may still be there");
        assert!(address.heard(&'b', at(2_000)));
        assert_eq!(address.get(), Some(&'b'));
        assert!(!address.heard(&'c', at(9_000)) && !address.heard(&'c', at(9_060)), "two are not enough");
        assert!(address.heard(&'c', at(9_120)));
    }

    #[test]
    fn a_row_is_broken_by_the_old_address_and_by_a_third() {
        let mut address = ReturnAddress::new();
        address.heard(&'a', at(0));
        for from in ['b', 'b', 'c', 'b', 'b'] {
            assert!(!address.heard(&from, at(5_000)));
        }
        assert!(!address.heard(&'a', at(5_010)));
        assert!(!address.heard(&'b', at(8_000)));
        assert_eq!(address.get(), Some(&'a'));
    }
}
