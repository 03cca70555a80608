//! Speech of the server on its way to the leg: what is read ahead, and what is not to be heard.

use crate::bridge::Speech;
use sidetone_protocol::message::Tts;
use std::collections::VecDeque;

/// Pieces that are read ahead of what the device plays: at 60 ms each, two minutes.
const PIECES: usize = 2_000;

/// Bytes of the same.
const BYTES: usize = 512 * 1024;

/// A queue that is read into until it is full, and no further: the server waits then.
#[derive(Debug, Default)]
pub(super) struct SpeechQueue {
    waiting: VecDeque<Speech>,
    bytes: usize,
    turn: Turn,
}

/// Where the server is in its turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turn {
    #[default]
    Silent,
    Speaking,
    /// The user wants to hear no more of it.
    Interrupted,
}

impl SpeechQueue {
    /// Whether the server is to wait.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= PIECES || self.bytes >= BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether the server speaks.
    pub(super) fn is_speaking(&self) -> bool {
        self.turn == Turn::Speaking
    }

    /// The server said this. One that names sentences without having begun is taken to begin.
    pub(super) fn mark(&mut self, tts: Tts) {
        match (&tts, self.turn) {
            (Tts::Start, _) => self.turn = Turn::Speaking,
            (Tts::SentenceStart { .. }, Turn::Silent) => self.mark(Tts::Start),
            (Tts::SentenceStart { .. }, Turn::Interrupted) => return,
            (Tts::SentenceStart { .. }, Turn::Speaking) => {}
            (Tts::Stop, turn) => {
                self.turn = Turn::Silent;
                if turn != Turn::Speaking {
                    return;
                }
            }
        }
        self.push(Speech::Mark(tts));
    }

    /// Audio of the server. `false`: it is none of a turn, and was dropped.
    pub(super) fn audio(&mut self, speech: Speech) -> bool {
        let takes = self.is_speaking();
        if takes {
            self.push(speech);
        }
        takes
    }

    /// The user interrupts: nothing of what waits, and nothing up to the next start, is to be heard.
    pub(super) fn interrupt(&mut self) {
        self.waiting.clear();
        self.bytes = 0;
        if self.is_speaking() {
            self.turn = Turn::Interrupted;
        }
    }

    /// The server is gone: what it began ends.
    pub(super) fn cut(&mut self) {
        if self.is_speaking() {
            self.push(Speech::Mark(Tts::Stop));
        }
        self.turn = Turn::Silent;
    }

    pub(super) fn pop(&mut self) -> Option<Speech> {
        let speech = self.waiting.pop_front()?;
        self.bytes -= weight(&speech);
        Some(speech)
    }

    fn push(&mut self, speech: Speech) {
        self.bytes += weight(&speech);
        self.waiting.push_back(speech);
    }
}

fn weight(speech: &Speech) -> usize {
    match speech {
        Speech::Mark(Tts::SentenceStart { text }) => text.len(),
        Speech::Mark(_) | Speech::Live => 0,
        Speech::Pcm(samples) => 2 * samples.len(),
        Speech::Packet(payload) => payload.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet() -> Speech {
        Speech::Packet(vec![0; 1_000])
    }

    fn sentence() -> Tts {
        Tts::SentenceStart { text: "One.".into() }
    }

    fn rest(queue: &mut SpeechQueue) -> Vec<Speech> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn audio_outside_of_a_turn_is_dropped() {
        let mut queue = SpeechQueue::default();
        assert!(!queue.audio(packet()));
        queue.mark(Tts::Stop);
        queue.mark(Tts::Start);
        assert!(queue.audio(packet()));
        queue.mark(Tts::Stop);
        assert!(!queue.audio(packet()), "the stop overtook it");
        assert_eq!(rest(&mut queue), [Speech::Mark(Tts::Start), packet(), Speech::Mark(Tts::Stop)]);
        queue.mark(sentence());
        assert_eq!(rest(&mut queue), [Speech::Mark(Tts::Start), Speech::Mark(sentence())]);
    }

    #[test]
    fn an_interrupted_turn_is_heard_no_more() {
        let mut queue = SpeechQueue::default();
        queue.mark(Tts::Start);
        queue.audio(packet());
        queue.interrupt();
        assert!(queue.is_empty() && !queue.audio(packet()));
        queue.mark(sentence());
        queue.mark(Tts::Stop);
        assert!(queue.is_empty());
        queue.mark(Tts::Start);
        assert!(queue.audio(packet()));
    }

    #[test]
    fn a_turn_that_breaks_off_is_ended_once() {
        let mut queue = SpeechQueue::default();
        queue.cut();
        assert!(queue.is_empty());
        queue.mark(Tts::Start);
        queue.cut();
        queue.cut();
        assert_eq!(rest(&mut queue), [Speech::Mark(Tts::Start), Speech::Mark(Tts::Stop)]);
    }

    #[test]
    fn it_is_bounded_in_bytes_and_in_pieces() {
        let mut queue = SpeechQueue::default();
        queue.mark(Tts::Start);
        let mut pieces = 0;
        while !queue.is_full() {
            queue.audio(packet());
            pieces += 1;
        }
        assert_eq!(pieces, BYTES.div_ceil(1_000));
        while queue.pop().is_some() {}
        while !queue.is_full() {
            queue.audio(Speech::Packet(vec![0]));
        }
        assert_eq!(rest(&mut queue).len(), PIECES);
    }
}
