//! Where the workers stand on their quality ladders, and why.

use sidetone_host::pool::LadderConfig;
use sidetone_session::Quality;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A worker's step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    pub(crate) level: Quality,
    /// In ms of Unix time.
    pub(crate) since: u64,
    /// Average latency that made it take the step.
    average: Duration,
    /// Where it stood before.
    before: Quality,
}

/// The workers that have taken a step; the others are at full.
#[derive(Debug, Default)]
pub(crate) struct Ladders {
    rungs: Mutex<BTreeMap<usize, Rung>>,
    quality_changes: AtomicU64,
}

/// A quality as the API has it.
pub(crate) const fn word(quality: Quality) -> &'static str {
    match quality {
        Quality::Minimal => "minimal",
        Quality::Medium => "medium",
        Quality::Full => "full",
    }
}

impl Ladders {
    fn rungs(&self) -> std::sync::MutexGuard<'_, BTreeMap<usize, Rung>> {
        self.rungs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stepped(&self, worker: usize, level: Quality, average: Duration, now: u64) -> Rung {
        let mut rungs = self.rungs();
        let before = rungs.get(&worker).map_or(Quality::Full, |rung| rung.level);
        let rung = Rung { level, since: now, average, before };
        rungs.insert(worker, rung);
        rung
    }

    pub(super) fn quality_changed(&self) {
        self.quality_changes.fetch_add(1, Relaxed);
    }

    /// Sessions whose quality changed, since the start.
    pub(crate) fn quality_changes(&self) -> u64 {
        self.quality_changes.load(Relaxed)
    }

    /// A worker's step; `None`: it has never taken one.
    pub(crate) fn of(&self, worker: usize) -> Option<Rung> {
        self.rungs().get(&worker).copied()
    }

    /// Lowest of all workers: 0 minimal, 1 medium, 2 full.
    pub(crate) fn lowest(&self) -> f64 {
        let lowest = self.rungs().values().map(|rung| rung.level).min().unwrap_or(Quality::Full);
        match lowest {
            Quality::Minimal => 0.0,
            Quality::Medium => 1.0,
            Quality::Full => 2.0,
        }
    }
}

impl Rung {
    /// What it means, as a sentence.
    pub(crate) fn why(&self, worker: usize, ladder: &LadderConfig) -> String {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let (took, level) = (ms(self.average), word(self.level));
        let bound = match (self.before, self.level) {
            (Quality::Full, _) => format!("more than {} ms", ms(ladder.down)),
            (_, Quality::Minimal) => format!("more than {} ms", ms(ladder.further_down)),
            (Quality::Minimal, _) => format!("less than {} ms for {} ms", ms(ladder.first_up), ms(ladder.dwell)),
            _ => format!("less than {} ms for {} ms", ms(ladder.up), ms(ladder.dwell)),
        };
        format!("worker {worker} is at {level} since its frames took {took:.1} ms on average, {bound}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_explained_by_what_was_measured_and_the_mark_it_passed() {
        let (ladders, ladder) = (Ladders::default(), LadderConfig::default());
        assert_eq!((ladders.of(0), ladders.lowest()), (None, 2.0));
        let step = |level, millis| ladders.stepped(0, level, Duration::from_millis(millis), 7).why(0, &ladder);
        let said = [(Quality::Medium, 17), (Quality::Minimal, 30), (Quality::Medium, 8), (Quality::Full, 2)]
            .map(|(level, millis)| step(level, millis));
        assert_eq!(
            said,
            [
                "worker 0 is at medium since its frames took 17.0 ms on average, more than 15 ms",
                "worker 0 is at minimal since its frames took 30.0 ms on average, more than 25 ms",
                "worker 0 is at medium since its frames took 8.0 ms on average, less than 10 ms for 5000 ms",
                "worker 0 is at full since its frames took 2.0 ms on average, less than 5 ms for 5000 ms",
            ]
        );
        ladders.stepped(1, Quality::Medium, Duration::ZERO, 8);
        assert_eq!((ladders.lowest(), ladders.of(1).unwrap().since), (1.0, 8));
    }
}
