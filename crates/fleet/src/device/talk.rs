//! What the user of a device says, and when: turn by turn, from a seed.

use std::sync::Arc;
use std::time::Duration;

use sidetone_protocol::message::ListenMode;

use crate::random::Random;
use crate::speech::{Loop, MARK_EVERY, Speech};

/// How long a user waits for an answer before saying something else.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the microphone of a device picks up in one frame, encoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spoken<'s> {
    /// The packet.
    pub(super) payload: &'s [u8],
    /// Its place in the loop, where marks may be (realtime mode).
    pub(super) place: Option<usize>,
    /// The user has just finished an utterance.
    pub(super) finished: bool,
}

/// A user.
#[derive(Debug)]
pub(super) struct User {
    speech: Speech,
    mode: ListenMode,
    pause: Duration,
    random: Random,
    turn: Turn,
    /// Which utterance, and the frame in it or in the silence after it.
    utterance: usize,
    frame: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Says nothing until then.
    Pausing(Duration),
    Speaking,
    /// Waits for an answer to what was said until then.
    Waiting(Duration),
    /// Hears the answer.
    Hearing,
}

/// What comes of time passing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    /// The user gave up waiting.
    Unanswered,
    /// The user presses the button again (manual mode).
    Press,
}

impl User {
    /// A user who speaks in a mode. In realtime mode all start at different places of the loop.
    pub(super) fn new(speech: &Speech, mode: ListenMode, pause: Duration, mut random: Random, now: Duration) -> Self {
        let (speech, loops) = (speech.clone(), Arc::clone(&speech.marked));
        let utterance = random.below(speech.utterances.len() as u64) as usize;
        let frame = match mode {
            ListenMode::Realtime => {
                // Not right before a mark: the first one should find the stream under way.
                let rest = random.below(MARK_EVERY as u64 / 2) as usize;
                random.below((loops.packets().len() / MARK_EVERY) as u64) as usize * MARK_EVERY
                    + MARK_EVERY / 2
                    + 1
                    + rest
            }
            _ => 0,
        };
        let turn = match mode {
            ListenMode::Auto => Turn::Pausing(now + random.around(pause / 2)),
            _ => Turn::Speaking,
        };
        Self { speech, mode, pause, random, turn, utterance, frame }
    }

    /// One frame of the open microphone.
    pub(super) fn speak(&mut self, now: Duration) -> Spoken<'_> {
        if self.mode == ListenMode::Realtime {
            let place = self.frame;
            self.frame += 1;
            return Spoken { payload: self.speech.marked.packet(place), place: Some(place), finished: false };
        }
        if matches!(self.turn, Turn::Pausing(until) if now >= until) {
            self.turn = Turn::Speaking;
            self.frame = 0;
            self.utterance = (self.utterance + 1) % self.speech.utterances.len();
        }
        let utterance = &self.speech.utterances[self.utterance];
        let frame = self.frame;
        self.frame += 1;
        let (payload, finished) = match self.turn {
            Turn::Speaking => (&*utterance.speech()[frame], self.frame == utterance.speech().len()),
            _ => (utterance.silence(frame), false),
        };
        if finished {
            self.turn = Turn::Waiting(now + PATIENCE);
            self.frame = 0;
        }
        Spoken { payload, place: None, finished }
    }

    /// Frames until the next mark; `None` where none comes.
    pub(super) fn until_mark(&self) -> Option<usize> {
        (self.mode == ListenMode::Realtime).then(|| Loop::until_mark(self.frame))
    }

    /// An answer begins to play. `true`: it was waited for.
    pub(super) fn hear(&mut self) -> bool {
        let waited = matches!(self.turn, Turn::Waiting(_));
        if waited {
            self.turn = Turn::Hearing;
        }
        waited
    }

    /// The answer is over.
    pub(super) fn answered(&mut self, now: Duration) {
        if self.mode != ListenMode::Realtime && self.turn == Turn::Hearing {
            self.pause_from(now);
        }
    }

    /// Time passed.
    pub(super) fn step(&mut self, now: Duration) -> Step {
        match self.turn {
            Turn::Waiting(until) if now >= until => {
                self.pause_from(now);
                Step::Unanswered
            }
            // In auto mode the microphone is open, and speaking starts with the next frame.
            Turn::Pausing(until) if self.mode == ListenMode::Manual && now >= until => {
                self.turn = Turn::Speaking;
                self.frame = 0;
                self.utterance = (self.utterance + 1) % self.speech.utterances.len();
                Step::Press
            }
            _ => Step::Nothing,
        }
    }

    /// When to come with [`step`](Self::step).
    pub(super) fn next_step(&self) -> Option<Duration> {
        match self.turn {
            Turn::Waiting(until) => Some(until),
            Turn::Pausing(until) if self.mode == ListenMode::Manual => Some(until),
            _ => None,
        }
    }

    fn pause_from(&mut self, now: Duration) {
        self.turn = Turn::Pausing(now + self.random.around(self.pause));
    }
}
