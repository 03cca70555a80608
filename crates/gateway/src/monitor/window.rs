//! The last minute, second by second.

use super::sample::Sample;
use std::collections::VecDeque;

/// How long it is, in seconds.
const LENGTH: f64 = 60.0;

/// The samples of the last minute.
#[derive(Debug, Default)]
pub(super) struct Window(VecDeque<Sample>);

impl Window {
    /// Takes in what happened last, and lets go of what is older than a minute.
    pub(super) fn push(&mut self, sample: Sample) {
        self.0.push_back(sample);
        let mut whole: f64 = self.0.iter().map(|sample| sample.seconds).sum();
        while self.0.len() > 1 && whole > LENGTH + 0.5 {
            let Some(oldest) = self.0.pop_front() else { break };
            whole -= oldest.seconds;
        }
    }

    /// What happened in the last minute; gauges as they stand now.
    pub(super) fn minute(&self) -> Sample {
        let mut minute = Sample::default();
        self.0.iter().for_each(|sample| minute.merge(sample));
        if let Some(last) = self.0.back() {
            minute.gauges = last.gauges;
        }
        minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seconds: f64, count: u64, gauge: f64) -> Sample {
        let mut sample = Sample { seconds, ..Sample::default() };
        (sample.counts[0], sample.gauges[0]) = (count, Some(gauge));
        sample
    }

    #[test]
    fn it_holds_a_minute_of_counts_and_the_gauges_of_now() {
        let mut window = Window::default();
        assert_eq!(window.minute(), Sample::default());
        for second in 0..100 {
            window.push(sample(1.0, second, second as f64));
        }
        let minute = window.minute();
        assert_eq!((minute.seconds, minute.counts[0]), (60.0, (40..100).sum::<u64>()));
        assert_eq!(minute.gauges[0], Some(99.0));
    }

    #[test]
    fn a_span_longer_than_a_minute_is_all_there_is() {
        let mut window = Window::default();
        window.push(sample(1.0, 1, 1.0));
        window.push(sample(300.0, 5, 2.0));
        assert_eq!((window.minute().seconds, window.minute().counts[0]), (300.0, 5));
    }
}
