//! How much a machine holds: the highest level of load at which nothing is late.
//!
//! One bad try may be the machine's: a level has failed when two tries out of three did. Levels go up in coarse steps;
//! where one fails, the gap below it is halved down to a fine step.

use anyhow::Result;
use std::collections::BTreeMap;

/// What one try of a level has shown.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// Milliseconds that a hundredth exceeds.
    pub p99: f64,
    /// Frames that were late, or lost for it.
    pub late: u64,
}

/// What to look for.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// No level above this is tried.
    pub most: u32,
    /// The first steps.
    pub coarse: u32,
    /// The last ones.
    pub fine: u32,
    /// A level holds below this p99, in milliseconds, and with nothing late.
    pub limit: f64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The highest level that held; 0 where none did.
    pub held: u32,
    /// Levels tried, and the best p99 of each.
    pub points: Vec<(f64, f64)>,
}

impl Search {
    /// Tries levels, telling of each on stderr.
    ///
    /// # Errors
    /// Those of `try_out`.
    pub fn highest(&self, name: &str, mut try_out: impl FnMut(u32) -> Result<Outcome>) -> Result<Found> {
        let mut points = BTreeMap::new();
        let (mut held, mut failed) = (0, None);
        loop {
            let next = match failed {
                None => (held + self.coarse).min(self.most),
                Some(failed) => (held + failed) / 2 / self.fine * self.fine,
            };
            if next <= held || points.contains_key(&next) {
                break;
            }
            let (holds, best) = self.judge(|| {
                let outcome = try_out(next)?;
                eprintln!("{name}: {next}, p99 {:.2} ms, {} late", outcome.p99, outcome.late);
                Ok(outcome)
            })?;
            points.insert(next, best);
            if holds {
                held = next;
            } else {
                failed = Some(next);
            }
        }
        Ok(Found { held, points: points.into_iter().map(|(level, p99)| (f64::from(level), p99)).collect() })
    }

    fn judge(&self, mut try_out: impl FnMut() -> Result<Outcome>) -> Result<(bool, f64)> {
        let (mut good, mut bad, mut best) = (0, 0, f64::MAX);
        while good < 2 && bad < 2 {
            let Outcome { p99, late } = try_out()?;
            best = best.min(p99);
            if p99 < self.limit && late == 0 {
                good += 1;
            } else {
                bad += 1;
            }
            // What is far from the limit needs no second look.
            if bad == 0 && p99 < self.limit / 2.0 {
                break;
            }
        }
        Ok((bad < 2, best))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEARCH: Search = Search { most: 1500, coarse: 50, fine: 10, limit: 10.0 };

    #[test]
    fn the_edge_is_found_and_one_bad_try_is_forgiven() {
        let mut tries = 0;
        let found = SEARCH.highest("test", |level| {
            tries += 1;
            let slip = level == 100 && tries == 2;
            Ok(Outcome { p99: if level > 235 { 30.0 } else { 6.0 }, late: u64::from(slip) })
        });
        let found = found.unwrap();
        assert_eq!(found.held, 230);
        assert!(found.points.contains(&(250.0, 30.0)) && found.points.contains(&(100.0, 6.0)));
    }

    #[test]
    fn nothing_or_everything_may_hold() {
        let of = |p99: f64| SEARCH.highest("test", |_| Ok(Outcome { p99, late: 0 })).unwrap().held;
        assert_eq!((of(50.0), of(1.0)), (0, 1500));
    }
}
