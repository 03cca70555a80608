//! When the next packet may go to the device. Sans-IO: time comes in as an argument.

use std::time::Duration;

/// The least time between two packets: several within 10 ms make small devices stutter. More would hold up what comes
/// after a gap: the frame that was made up for it, and then the next one.
const GAP: Duration = Duration::from_millis(12);

/// Paces packets at one a frame, with a small lead: a device plays what it holds, and stutters when several packets
/// come at once.
#[derive(Debug)]
pub(crate) struct Pacer {
    frame: Duration,
    lead: Duration,
    sent_at: Option<Duration>,
    played_until: Duration,
}

impl Pacer {
    /// Packets of `frame` each, of which the device may hold `lead` ahead of what it plays.
    pub(crate) fn new(frame: Duration, lead: u32) -> Self {
        Self { frame, lead: frame * lead, sent_at: None, played_until: Duration::ZERO }
    }

    /// The earliest time at which the next packet may go: a moment after the last one, and not before the device has room.
    pub(crate) fn due(&self) -> Duration {
        let spaced = self.sent_at.map_or(Duration::ZERO, |at| at + GAP.min(self.frame));
        spaced.max(self.played_until.saturating_sub(self.lead))
    }

    /// Whether the device holds so much that live speech would only wait for it: more than its lead, and a moment, since
    /// networks are not even.
    pub(crate) fn has_enough(&self, now: Duration) -> bool {
        let slack = self.frame.saturating_sub(self.lead).max(GAP);
        self.played_until > now + self.lead + slack
    }

    /// A packet went. Returns when the device will have played it, if it plays without a pause.
    pub(crate) fn sent(&mut self, now: Duration) -> Duration {
        self.sent_at = Some(now);
        self.played_until = self.played_until.max(now) + self.frame;
        self.played_until
    }

    /// The device dropped what it holds.
    pub(crate) fn interrupted(&mut self, now: Duration) {
        self.played_until = self.played_until.min(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pacer: &mut Pacer, from: u64, packets: usize) -> Vec<u64> {
        let mut now = Duration::from_millis(from);
        let mut times = Vec::new();
        for _ in 0..packets {
            now = now.max(pacer.due());
            times.push(now.as_millis() as u64);
            pacer.sent(now);
        }
        times
    }

    #[test]
    fn a_sentence_builds_its_lead_and_then_keeps_time() {
        let mut pacer = Pacer::new(Duration::from_millis(60), 3);
        let times = run(&mut pacer, 1_000, 10);
        assert_eq!(times, [1000, 1012, 1024, 1036, 1060, 1120, 1180, 1240, 1300, 1360]);
    }

    #[test]
    fn live_audio_passes_at_once_and_a_jam_dissolves_without_a_burst() {
        let mut pacer = Pacer::new(Duration::from_millis(60), 3);
        assert_eq!(run(&mut pacer, 0, 1), [0]);
        assert_eq!(run(&mut pacer, 60, 1), [60]);
        assert_eq!(run(&mut pacer, 300, 3), [300, 312, 324]);
    }

    #[test]
    fn short_frames_are_never_closer_than_devices_bear() {
        let mut pacer = Pacer::new(Duration::from_millis(20), 3);
        assert_eq!(run(&mut pacer, 0, 4), [0, 12, 24, 36]);
        let mut pacer = Pacer::new(Duration::from_millis(5), 3);
        assert_eq!(run(&mut pacer, 0, 4), [0, 5, 10, 15]);
    }

    #[test]
    fn a_device_that_holds_its_lead_has_enough() {
        let at = Duration::from_millis;
        let mut pacer = Pacer::new(at(60), 3);
        assert!(!pacer.has_enough(at(1_000)));
        // A jam dissolves: four packets, the last of which is played at 1240.
        assert_eq!(run(&mut pacer, 1_000, 4), [1000, 1012, 1024, 1036]);
        assert!(pacer.has_enough(at(1_047)) && !pacer.has_enough(at(1_048)));
        let mut pacer = Pacer::new(at(60), 0);
        run(&mut pacer, 1_000, 1);
        assert!(!pacer.has_enough(at(1_000)), "without a lead a packet may be a frame early");
    }

    #[test]
    fn after_an_interruption_the_lead_is_built_anew() {
        let mut pacer = Pacer::new(Duration::from_millis(60), 3);
        run(&mut pacer, 0, 8);
        pacer.interrupted(Duration::from_millis(250));
        assert_eq!(run(&mut pacer, 260, 3), [260, 272, 284]);
    }
}
