//! When a device plays what comes: a model of firmware's queue and player, reckoned packet by packet.

use std::time::Duration;

use sidetone_protocol::device::{PlayQueue, ReceiveRules};

/// Silence between two packets that a listener would notice, and a player's own buffer would not cover.
const DRY: Duration = Duration::from_millis(10);

/// What becomes of a packet that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Played {
    /// It is played at this time.
    At {
        /// When its first sample is heard.
        time: Duration,
        /// Whether playing had run dry before it.
        dry: bool,
    },
    /// The queue was full.
    Lost,
}

/// The queue between `tts start` and `stop`. Each packet is played when the one before it has been, or, where nothing
/// is left to play, when it comes.
#[derive(Debug)]
pub(super) struct Playout {
    queue: PlayQueue<()>,
    frame: Duration,
    /// When the first packet in the queue will be played.
    next: Duration,
    /// When everything will have been played; `None` before the first packet.
    until: Option<Duration>,
}

impl Playout {
    pub(super) const fn new(rules: ReceiveRules, frame: Duration) -> Self {
        Self { queue: PlayQueue::new(rules), frame, next: Duration::ZERO, until: None }
    }

    /// A packet comes at `now`; before it, `made_up` lost frames are concealed.
    pub(super) fn arrive(&mut self, now: Duration, made_up: u32) -> Played {
        self.play(now);
        let until = self.until.map(|until| until + self.frame * made_up);
        let time = until.map_or(now, |until| until.max(now));
        let dry = until.is_some_and(|until| now > until + DRY);
        if self.queue.push(()).is_err() {
            return Played::Lost;
        }
        if self.queue.len() == 1 {
            self.next = time;
        }
        self.until = Some(time + self.frame);
        Played::At { time, dry }
    }

    /// Stops, at `now`: returns the packets that are not played.
    pub(super) fn stop(&mut self, now: Duration) -> usize {
        self.play(now);
        self.until = None;
        self.queue.clear()
    }

    /// Takes from the queue what the player has begun.
    fn play(&mut self, now: Duration) {
        while self.next <= now && self.queue.pop().is_some() {
            self.next += self.frame;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(60);

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    const fn at(millis: u64, dry: bool) -> Played {
        Played::At { time: ms(millis), dry }
    }

    #[test]
    fn packets_follow_one_another_and_a_late_one_is_heard_late() {
        let mut playout = Playout::new(ReceiveRules::FIRMWARE, FRAME);
        let played: Vec<Played> = [0, 50, 130, 185, 300].map(|time| playout.arrive(ms(time), 0)).into();
        assert_eq!(played, [at(0, false), at(60, false), at(130, false), at(190, false), at(300, true)]);
        assert_eq!(playout.arrive(ms(310), 2), at(480, false), "two frames are made up first");
    }

    #[test]
    fn the_queue_holds_forty_and_a_stop_cuts_them() {
        let mut playout = Playout::new(ReceiveRules::FIRMWARE, FRAME);
        // The first one is played at once, and leaves the queue when the next one comes.
        let lost = (0..45).filter(|_| playout.arrive(ms(0), 0) == Played::Lost).count();
        assert_eq!(lost, 4);
        assert_eq!(playout.arrive(ms(60), 0), at(41 * 60, false));
        assert_eq!(playout.stop(ms(120)), 39);
        assert_eq!(playout.arrive(ms(125), 0), at(125, false), "a new sentence");
    }
}
