//! The wish that a job end before it is done: because its worker ends, or because it takes too long.

use crate::Problem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Asked between steps of a job.
#[derive(Debug, Clone)]
pub struct Stop {
    flag: Arc<AtomicBool>,
    until: Instant,
    limit: Duration,
}

impl Stop {
    /// A job that begins now, may take `limit`, and ends when `flag` is set.
    #[must_use]
    pub fn new(flag: Arc<AtomicBool>, limit: Duration) -> Self {
        let now = Instant::now();
        Self { flag, until: now.checked_add(limit).unwrap_or(now), limit }
    }

    /// Whether to go on.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), Problem> {
        if self.flag.load(Ordering::Relaxed) {
            return Err(Problem::stopped());
        }
        if Instant::now() >= self.until {
            return Err(Problem::give_back(format!(
                "it was not done within {:?}; cut the input into pieces, or raise --job-limit",
                self.limit
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fate;

    #[test]
    fn a_job_ends_when_told_to_or_late() {
        let flag = Arc::new(AtomicBool::new(false));
        assert!(Stop::new(flag.clone(), Duration::from_secs(9)).check().is_ok());
        let late = Stop::new(flag.clone(), Duration::ZERO).check().unwrap_err();
        assert_eq!(late.fate, Fate::GiveBack);
        flag.store(true, Ordering::Relaxed);
        assert_eq!(Stop::new(flag, Duration::from_secs(9)).check().unwrap_err().fate, Fate::Return);
    }
}
