//! Finds marks in decoded audio: a matched filter over a stream of frames.

use std::sync::LazyLock;

use super::mark::mark;

/// The rate an [`Ear`] listens at, Hz: enough for the mark's band.
pub const EAR_RATE: u32 = 8_000;
/// What a normalised correlation must reach. Recordings of speech stay below 0.33, marks that went through two codecs are
/// above 0.8.
const THRESHOLD: f32 = 0.55;
/// A peak this near the end of what was heard may still rise.
const RISING: usize = 16;

/// The mark, normalised.
static TEMPLATE: LazyLock<Box<[f32]>> = LazyLock::new(|| {
    let samples: Vec<f32> = mark(EAR_RATE).into_iter().map(f32::from).collect();
    let norm = samples.iter().map(|sample| sample * sample).sum::<f32>().sqrt();
    samples.iter().map(|sample| sample / norm).collect()
});

/// Listens to one stream for one mark at a time. 3 kB.
#[derive(Clone, Debug)]
pub struct Ear {
    /// What was heard last: the start of a mark may be in it.
    tail: Vec<f32>,
    /// A peak that was near the end of what was heard: its strength, and how many samples before the next frame it is.
    rising: Option<(f32, usize)>,
}

impl Default for Ear {
    fn default() -> Self {
        Self::new()
    }
}

impl Ear {
    /// An ear that has heard nothing but silence.
    #[must_use]
    pub fn new() -> Self {
        Self { tail: vec![0.0; TEMPLATE.len() - 1], rising: None }
    }

    /// Hears a frame at [`EAR_RATE`], and tells where a mark began that is now complete: samples from the start of this
    /// frame, negative where it began in one before.
    pub fn hear(&mut self, frame: &[i16]) -> Option<isize> {
        let mut heard = std::mem::take(&mut self.tail);
        let before = heard.len();
        heard.extend(frame.iter().map(|&sample| f32::from(sample)));
        let best = best(&heard);
        let places = heard.len() + 1 - TEMPLATE.len();
        let found = match (self.rising.take(), best) {
            (Some((old, ago)), Some((new, _))) if old >= new => Some(-(ago as isize)),
            (Some((_, ago)), None) => Some(-(ago as isize)),
            (_, Some((strength, place))) if place + RISING >= places => {
                self.rising = Some((strength, heard.len() - place));
                None
            }
            (_, Some((_, place))) => Some(place as isize - before as isize),
            (None, None) => None,
        };
        heard.drain(..heard.len() + 1 - TEMPLATE.len());
        self.tail = heard;
        found
    }
}

/// The best place of the mark that reaches the threshold.
fn best(heard: &[f32]) -> Option<(f32, usize)> {
    let length = TEMPLATE.len();
    let square = |sample: f32| f64::from(sample) * f64::from(sample);
    let mut energy: f64 = heard.get(..length)?.iter().map(|&sample| square(sample)).sum();
    let mut best: Option<(f32, usize)> = None;
    for (place, window) in heard.windows(length).enumerate() {
        // Below this mean square there is nothing to be heard, and rounding would be.
        if energy > 100.0 * length as f64 {
            let strength = dot(window, &TEMPLATE) / (energy as f32).sqrt();
            if strength >= THRESHOLD && best.is_none_or(|(most, _)| strength > most) {
                best = Some((strength, place));
            }
        }
        if let Some(&next) = heard.get(place + length) {
            energy += square(next) - square(window[0]);
        }
    }
    best
}

/// Eight sums at a time, which the compiler makes vectors of.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    rest + sums.iter().sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds frames of 60 ms; gives the places in samples since the start.
    fn places(pcm: &[i16]) -> Vec<isize> {
        let mut ear = Ear::new();
        let frames = pcm.chunks_exact(480).enumerate();
        frames.filter_map(|(index, frame)| Some(ear.hear(frame)? + 480 * index as isize)).collect()
    }

    #[test]
    fn a_mark_is_found_to_the_sample_wherever_it_lies() {
        for place in (0..1_440).step_by(7) {
            let mut pcm = vec![0; 480 * 6];
            pcm[place..place + 320].copy_from_slice(&mark(EAR_RATE));
            assert_eq!(places(&pcm), [place as isize]);
        }
    }

    #[test]
    fn silence_and_noise_are_no_marks() {
        let mut random = crate::random::Random::new(5);
        let noise: Vec<i16> = (0..480 * 500).map(|_| random.bits() as i16).collect();
        assert!(places(&noise).is_empty());
        assert!(places(&[0; 4_800]).is_empty());
    }
}
