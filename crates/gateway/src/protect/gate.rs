//! What a call takes in, and from where: its device's own address comes first.

use super::Bucket;
use std::time::Duration;

/// Packets a second from where the device is known to be, as a multiple of what its frames make, and at least; and how
/// many seconds' worth of them at once.
const KNOWN: (f64, f64) = (2.4, 40.0);
const BURST: f64 = 3.0;

/// The same from anywhere else: enough for a device that moved to be heard.
const STRANGE: (f64, f64) = (20.0, 20.0);

/// How long after a packet of the device nobody else is listened to. One random packet in eighty passes for Opus, moves
/// the replay window, and costs the device the packets that it sends next: so there must be none while it speaks. Eight
/// frames, which is more than a usual network holds back; an address changes while a device speaks only rarely, and
/// then costs so much of its speech.
const HEARD: Duration = Duration::from_millis(500);

/// The gate of one call. `A` is an address, or whatever tells ways back apart.
#[derive(Debug)]
pub(crate) struct Gate<A> {
    home: Option<A>,
    /// When the device was heard last; none: not to be expected from there any more.
    heard_at: Option<Duration>,
    known: Bucket,
    strange: Bucket,
}

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is looked at.
    In,
    /// Too many come.
    Rate,
    /// It comes from elsewhere, and the device is being heard where it is.
    Stranger,
}

impl<A: PartialEq + Clone> Gate<A> {
    /// For a device that sends one packet each `frame`, and was not heard yet.
    pub(crate) fn new(frame: Duration, now: Duration) -> Self {
        let bucket = |(rate, burst)| Bucket::new(rate, burst, now);
        let (times, least) = KNOWN;
        let rate = (times / frame.as_secs_f64().max(0.001)).max(least);
        Self { home: None, heard_at: None, known: bucket((rate, rate * BURST)), strange: bucket(STRANGE) }
    }

    /// Whether a datagram is looked at.
    pub(crate) fn admit(&mut self, from: &A, now: Duration) -> Admission {
        let bucket = match &self.home {
            Some(home) if home != from => {
                if self.heard_at.is_some_and(|heard| now.saturating_sub(heard) < HEARD) {
                    return Admission::Stranger;
                }
                &mut self.strange
            }
            _ => &mut self.known,
        };
        if bucket.take(now) { Admission::In } else { Admission::Rate }
    }

    /// A packet that was taken into the stream came from `home`, where the device is.
    pub(crate) fn heard(&mut self, home: &A, now: Duration) {
        if self.home.as_ref() != Some(home) {
            self.home = Some(home.clone());
        }
        self.heard_at = Some(now);
    }

    /// Where the device is, as far as it is known.
    pub(crate) const fn home(&self) -> Option<&A> {
        self.home.as_ref()
    }

    /// Nothing can come from there any more.
    pub(crate) const fn gone(&mut self) {
        self.heard_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// How many of a thousand are let in.
    fn admitted(gate: &mut Gate<char>, from: char, millis: u64) -> usize {
        (0..1000).filter(|_| gate.admit(&from, at(millis)) == Admission::In).count()
    }

    #[test]
    fn a_device_of_short_frames_is_let_in_as_fast_as_it_speaks() {
        for (frame, at_once, a_second) in [(60, 120, 40), (20, 360, 120)] {
            let mut gate = Gate::new(at(frame), at(0));
            gate.heard(&'a', at(0));
            assert_eq!((admitted(&mut gate, 'a', 0), admitted(&mut gate, 'a', 1000)), (at_once, a_second));
            assert_eq!(admitted(&mut gate, 'b', 1000), 20, "a stranger has a stranger's share");
        }
    }

    #[test]
    fn nobody_else_is_let_in_for_half_a_second_after_the_device_was_heard() {
        let mut gate = Gate::new(at(60), at(0));
        assert_eq!(gate.admit(&'b', at(0)), Admission::In, "before, it may be anywhere");
        gate.heard(&'a', at(0));
        for now in (60..=6000).step_by(60) {
            assert_eq!(gate.admit(&'b', at(now)), Admission::Stranger, "{now} ms");
            assert_eq!(gate.admit(&'a', at(now)), Admission::In, "{now} ms");
            gate.heard(&'a', at(now));
        }
        assert_eq!(gate.admit(&'b', at(6499)), Admission::Stranger);
        assert_eq!(admitted(&mut gate, 'b', 6500), 20, "after a pause, what a device that moved needs");
        assert_eq!(gate.admit(&'b', at(6501)), Admission::Rate);
        // Packets of the device that wait for their judgement while a stranger's come do not open the gate.
        assert_eq!(gate.admit(&'a', at(6502)), Admission::In);
        gate.heard(&'a', at(6503));
        assert_eq!(gate.admit(&'b', at(7002)), Admission::Stranger);
    }

    #[test]
    fn where_the_device_moved_it_is_home_and_its_old_address_a_stranger() {
        let mut gate = Gate::new(at(60), at(0));
        gate.heard(&'a', at(0));
        gate.heard(&'b', at(3000));
        assert_eq!(gate.home(), Some(&'b'));
        assert_eq!(gate.admit(&'a', at(3001)), Admission::Stranger);
        assert_eq!(gate.admit(&'b', at(3001)), Admission::In);
    }

    #[test]
    fn a_connection_that_is_closed_keeps_nobody_out() {
        let mut gate = Gate::new(at(60), at(0));
        gate.heard(&'a', at(1000));
        gate.gone();
        assert_eq!(admitted(&mut gate, 'b', 1000), 20);
    }
}
