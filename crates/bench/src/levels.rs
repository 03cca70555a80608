//! How much a machine holds: the highest level of load at which nothing is late.
//!
//! A try of a level is good where p99 is below the limit and no frame was late. A level holds where a try is far below the
//! limit, or two out of three are good; it has failed where two were bad, or one was far above. A bad try during which
//! others took the machine's time does not count, up to a bound: then it does. Levels double until one fails; then the gap
//! below it is halved, down to a fine step or a twentieth of what holds, until the time for all of it is used up.

use crate::machine::Others;
use anyhow::Result;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

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
    /// The first level.
    pub first: u32,
    /// The last steps.
    pub fine: u32,
    /// A level holds below this p99, in milliseconds, and with nothing late.
    pub limit: f64,
    /// No level is begun after so long; what held until then is what was found.
    pub time: Duration,
}

/// Share of the machine's time, taken by others, above which a bad try says nothing.
const DISTURBED: f64 = 0.03;

/// So many times the limit is no accident.
const FAR: f64 = 3.0;

/// Bad tries of a level that may be forgiven so.
const FORGIVEN: u32 = 4;

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
        self.highest_beside(name, |level| {
            let others = Others::watch();
            Ok((try_out(level)?, others.share().unwrap_or(0.0)))
        })
    }

    /// The same, with what share of the machine others took during a try.
    fn highest_beside(&self, name: &str, mut try_out: impl FnMut(u32) -> Result<(Outcome, f64)>) -> Result<Found> {
        let (start, mut points) = (Instant::now(), BTreeMap::new());
        let (mut held, mut failed) = (0, None);
        while let Some(next) = self.next(held, failed) {
            if start.elapsed() >= self.time {
                eprintln!("{name}: {held} held; {next} was not tried, since {:?} are over", self.time);
                break;
            }
            let (holds, best) = self.judge(|| {
                let (outcome, others) = try_out(next)?;
                let (Outcome { p99, late }, so_far) = (outcome, start.elapsed().as_secs());
                eprintln!(
                    "{name}: {next}, p99 {p99:.2} ms, {late} late, others took {:.0} % ({so_far} s so far)",
                    others * 100.0
                );
                Ok((outcome, others))
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

    /// The level after these; `None`: the edge is found.
    fn next(&self, held: u32, failed: Option<u32>) -> Option<u32> {
        let next = match failed {
            None => (held * 2).max(self.first).min(self.most),
            Some(failed) if failed - held <= self.fine.max(held / 20) => return None,
            Some(failed) => (held + failed) / 2 / self.fine * self.fine,
        };
        (next > held).then_some(next)
    }

    fn judge(&self, mut try_out: impl FnMut() -> Result<(Outcome, f64)>) -> Result<(bool, f64)> {
        let (mut good, mut bad, mut forgiven, mut best) = (0, 0, 0, f64::MAX);
        while good < 2 && bad < 2 {
            let (Outcome { p99, late }, others) = try_out()?;
            best = best.min(p99);
            if p99 < self.limit && late == 0 {
                good += 1;
            } else if others > DISTURBED && forgiven < FORGIVEN {
                forgiven += 1;
            } else {
                bad += 1;
            }
            // What is far from the limit needs no second look.
            if (good == 1 && bad == 0 && p99 < self.limit / 2.0) || (bad > 0 && p99 > self.limit * FAR) {
                break;
            }
        }
        Ok((good > bad, best))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEARCH: Search = Search { most: 1500, first: 50, fine: 10, limit: 10.0, time: Duration::from_secs(3600) };

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
        let tried: Vec<_> = found.points.iter().map(|point| point.0).collect();
        assert_eq!(tried, [50.0, 100.0, 200.0, 220.0, 230.0, 240.0, 250.0, 300.0, 400.0].map(f64::from).to_vec());
    }

    #[test]
    fn nothing_or_everything_may_hold() {
        let of = |p99: f64| SEARCH.highest("test", |_| Ok(Outcome { p99, late: 0 })).unwrap().held;
        assert_eq!((of(50.0), of(1.0)), (0, 1500));
    }

    #[test]
    fn a_bad_try_beside_others_is_repeated_within_a_bound() {
        let of = |noisy_tries: u32| {
            let mut at_100 = 0;
            let try_out = |level| {
                at_100 += u32::from(level == 100);
                let noisy = level == 100 && at_100 <= noisy_tries;
                Ok((Outcome { p99: if noisy || level > 180 { 25.0 } else { 6.0 }, late: 0 }, f64::from(noisy)))
            };
            (SEARCH.highest_beside("test", try_out).unwrap().held, at_100)
        };
        assert_eq!(of(3), (180, 5), "three that do not count, and two that do");
        assert_eq!(of(FORGIVEN + 2), (90, FORGIVEN + 2), "a machine that is never quiet ends the search all the same");
    }

    #[test]
    fn when_its_time_is_over_it_gives_what_it_has() {
        let search = Search { time: Duration::ZERO, ..SEARCH };
        assert_eq!(search.highest("test", |_| unreachable!()).unwrap(), Found { held: 0, points: vec![] });
    }
}
