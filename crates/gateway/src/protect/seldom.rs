//! Lines of the log that others can cause as often as they like.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a line is said at most.
const EVERY: Duration = Duration::from_secs(5);

/// A line that is said now and then, with how often there was cause for it meanwhile: so that no stranger fills a disk.
#[derive(Debug)]
pub(crate) struct Seldom(Mutex<Said>);

#[derive(Debug)]
struct Said {
    last: Option<Instant>,
    unsaid: u64,
}

impl Seldom {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Said { last: None, unsaid: 0 }))
    }

    /// There is cause for the line. How often there was, this time included, if it is to be said now.
    pub(crate) fn times(&self) -> Option<u64> {
        self.times_at(Instant::now())
    }

    fn times_at(&self, now: Instant) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.unsaid += 1;
        if said.last.is_some_and(|last| now.saturating_duration_since(last) < EVERY) {
            return None;
        }
        said.last = Some(now);
        Some(std::mem::take(&mut said.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_said_at_once_and_the_others_are_counted() {
        let (seldom, start) = (Seldom::new(), Instant::now());
        let said: Vec<_> = (0..100).filter_map(|n| seldom.times_at(start + Duration::from_millis(100) * n)).collect();
        assert_eq!(said, [1, 50]);
    }
}
