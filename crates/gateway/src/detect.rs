//! When a speaker has finished: energy against the noise before it. Sans-IO.

use std::time::Duration;

/// Hears pieces of PCM, and tells when speech was followed by silence.
#[derive(Debug)]
pub(crate) struct Endpoint {
    rate: u32,
    /// Mean square of the noise, slowly followed.
    noise: f64,
    spoken: Duration,
    silent: Duration,
}

/// The quietest noise that is assumed, as a mean square: some -66 dB of full scale.
const FLOOR: f64 = 16.0 * 16.0;

/// How much louder than the noise speech is, in power: 9 dB.
const ABOVE: f64 = 8.0;

/// How long it must be louder to be speech.
const SPEECH: Duration = Duration::from_millis(120);

impl Endpoint {
    /// How long silence must last to be the end.
    pub(crate) const SILENCE: Duration = Duration::from_millis(800);

    pub(crate) const fn new(rate: u32) -> Self {
        Self { rate, noise: FLOOR, spoken: Duration::ZERO, silent: Duration::ZERO }
    }

    /// Hears a piece; `true`: the speaker has finished.
    pub(crate) fn hear(&mut self, samples: &[i16]) -> bool {
        // In pieces of 20 ms, whatever comes.
        let piece = (self.rate / 50).max(1) as usize;
        let mut over = false;
        for samples in samples.chunks(piece) {
            over |= self.hear_piece(samples);
        }
        over
    }

    /// Whether it heard speech since it began.
    pub(crate) fn has_spoken(&self) -> bool {
        self.spoken >= SPEECH
    }

    fn hear_piece(&mut self, samples: &[i16]) -> bool {
        let lasting = Duration::from_secs_f64(samples.len() as f64 / f64::from(self.rate.max(1)));
        let power = samples.iter().map(|&s| f64::from(s) * f64::from(s)).sum::<f64>() / samples.len().max(1) as f64;
        if power > self.noise * ABOVE {
            self.spoken += lasting;
            self.silent = Duration::ZERO;
            // What never ends is noise.
            self.noise *= 1.002;
            return false;
        }
        self.noise = (self.noise * 0.95 + power * 0.05).max(FLOOR);
        if !self.has_spoken() {
            // A click is not speech.
            self.spoken = Duration::ZERO;
            return false;
        }
        self.silent += lasting;
        self.silent >= Self::SILENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(millis: u32, loud: i16) -> Vec<i16> {
        (0..16 * millis).map(|n| if n % 40 < 20 { loud } else { -loud }).collect()
    }

    #[test]
    fn speech_then_silence_is_the_end() {
        let mut endpoint = Endpoint::new(16_000);
        assert!(!endpoint.hear(&tone(1_000, 10)), "silence before speech is no end");
        assert!(!endpoint.hear(&tone(500, 3_000)) && endpoint.has_spoken());
        assert!(!endpoint.hear(&tone(780, 10)), "a pause is no end");
        assert!(endpoint.hear(&tone(40, 10)));
    }

    #[test]
    fn a_click_is_not_speech_and_a_pause_is_forgotten() {
        let mut endpoint = Endpoint::new(16_000);
        endpoint.hear(&tone(60, 8_000));
        assert!(!endpoint.hear(&tone(2_000, 10)) && !endpoint.has_spoken());
        endpoint.hear(&tone(300, 3_000));
        endpoint.hear(&tone(700, 10));
        assert!(!endpoint.hear(&tone(300, 3_000)));
        assert!(!endpoint.hear(&tone(700, 10)), "the pause starts anew");
    }

    #[test]
    fn steady_noise_is_learnt() {
        let mut endpoint = Endpoint::new(16_000);
        endpoint.hear(&tone(5_000, 40));
        endpoint.hear(&tone(500, 4_000));
        assert!(endpoint.hear(&tone(900, 40)), "the noise goes on, the speech does not");
    }
}
