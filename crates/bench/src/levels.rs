//! How much a machine holds: the highest level of load at which nothing is late.
//!
//! A try of a level is good where p99 is below the limit and no frame was late. Levels are looked at shortly first, from a
//! good guess on: upwards until one fails, or downwards until one holds; then the gap between the two is halved, down to
//! a fine step or a twentieth of what holds. What was found so is tried once more, for long: only a level that holds then
//! too is what the machine holds; one that does not gives way to the next below. A level has failed where two tries were
//! bad, or one was far above the limit. A bad try during which others took the machine's time does not count, up to a
//! bound: then it does.

use crate::machine::Others;
use anyhow::{Result, bail};
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

/// How a level is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Shortly, on the way to the edge.
    Short,
    /// For long: it is what was found, if it holds.
    Long,
}

/// What to look for.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// No level above this is tried.
    pub most: u32,
    /// The last steps.
    pub fine: u32,
    /// A level holds below this p99, in milliseconds, and with nothing late.
    pub limit: f64,
    /// No short look is begun after so long: what held until then is tried for long.
    pub time: Duration,
}

/// Share of the machine's time, taken by others, above which a bad try says nothing.
const DISTURBED: f64 = 0.03;

/// So many times the limit is no accident.
const FAR: f64 = 3.0;

/// Bad tries of a level that may be forgiven so.
const FORGIVEN: u32 = 4;

/// Levels that are tried for long before the search is given up.
const LONG_LOOKS: usize = 6;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The highest level that held for long; 0 where none did.
    pub held: u32,
    /// Levels tried, and the best p99 of each.
    pub points: Vec<(f64, f64)>,
}

impl Search {
    /// Tries levels, telling of each on stderr; the `first` is what a machine like this is thought to hold.
    ///
    /// # Errors
    /// Those of `try_out`; no level that held shortly held for long.
    pub fn highest(
        &self,
        name: &str,
        first: u32,
        mut try_out: impl FnMut(u32, Look) -> Result<Outcome>,
    ) -> Result<Found> {
        self.highest_beside(name, first, |level, look| {
            let others = Others::watch();
            Ok((try_out(level, look)?, others.share().unwrap_or(0.0)))
        })
    }

    /// The same, with what share of the machine others took during a try.
    fn highest_beside(
        &self,
        name: &str,
        first: u32,
        mut try_out: impl FnMut(u32, Look) -> Result<(Outcome, f64)>,
    ) -> Result<Found> {
        let (start, mut points) = (Instant::now(), BTreeMap::new());
        let mut holds = |level, look| {
            let (holds, best) = self.judge(|| {
                let (outcome, others) = try_out(level, look)?;
                let (Outcome { p99, late }, so_far) = (outcome, start.elapsed().as_secs());
                let long = if look == Look::Long { " for long" } else { "" };
                eprintln!(
                    "{name}: {level}{long}, p99 {p99:.2} ms, {late} late, others took {:.0} % ({so_far} s so far)",
                    others * 100.0
                );
                Ok((outcome, others))
            })?;
            let point: &mut f64 = points.entry(level).or_insert(f64::MAX);
            *point = point.min(best);
            anyhow::Ok(holds)
        };
        let (mut held, mut failed) = (0, None);
        while let Some(next) = self.next(first, held, failed) {
            if start.elapsed() >= self.time {
                eprintln!("{name}: {held} held; {next} was not tried, since {:?} are over", self.time);
                break;
            }
            if holds(next, Look::Short)? {
                held = next;
            } else {
                failed = Some(next);
            }
        }
        let below = |level: u32| self.whole(level - self.fine.max(level / 20).min(level));
        let mut levels = std::iter::successors(Some(held), |&level| Some(below(level))).take_while(|&level| level > 0);
        let mut found = 0;
        for level in levels.by_ref().take(LONG_LOOKS) {
            if holds(level, Look::Long)? {
                found = level;
                break;
            }
        }
        if found == 0 && levels.next().is_some() {
            bail!("{name}: {held} held shortly, but neither it nor the levels below it held for long");
        }
        Ok(Found { held: found, points: points.into_iter().map(|(level, p99)| (f64::from(level), p99)).collect() })
    }

    /// The level after these; `None`: the edge is found.
    fn next(&self, first: u32, held: u32, failed: Option<u32>) -> Option<u32> {
        let next = match failed {
            None if held == 0 => first.min(self.most),
            None => self.whole(held + held / if held <= first { 4 } else { 2 }).min(self.most),
            Some(failed) if failed - held <= self.fine.max(held / 20) => return None,
            // The guess was too high, by how much is not known.
            Some(failed) if held == 0 => self.whole(failed - failed / 4),
            Some(failed) => self.whole((held + failed) / 2),
        };
        (next > held).then_some(next)
    }

    /// A level in whole steps.
    const fn whole(&self, level: u32) -> u32 {
        level / self.fine * self.fine
    }

    fn judge(&self, mut try_out: impl FnMut() -> Result<(Outcome, f64)>) -> Result<(bool, f64)> {
        let (mut bad, mut forgiven, mut best) = (0, 0, f64::MAX);
        loop {
            let (Outcome { p99, late }, others) = try_out()?;
            best = best.min(p99);
            if p99 < self.limit && late == 0 {
                return Ok((true, best));
            }
            if others > DISTURBED && forgiven < FORGIVEN {
                forgiven += 1;
                continue;
            }
            bad += 1;
            // What is far from the limit needs no second look.
            if bad == 2 || p99 > self.limit * FAR {
                return Ok((false, best));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEARCH: Search = Search { most: 1500, fine: 10, limit: 10.0, time: Duration::from_secs(3600) };

    /// Searches from 200 on, on a machine of its own: how busy this one is says nothing of what is tried.
    fn highest(search: Search, mut try_out: impl FnMut(u32, Look) -> Outcome) -> Result<Found> {
        search.highest_beside("test", 200, |level, look| Ok((try_out(level, look), 0.0)))
    }

    /// What a machine shows that holds so many.
    fn holding(edge: u32, level: u32) -> Outcome {
        Outcome { p99: if level > edge { 30.0 } else { 6.0 }, late: 0 }
    }

    #[test]
    fn the_edge_is_found_and_one_bad_try_is_forgiven() {
        let (mut tries, mut long) = (0, Vec::new());
        let found = highest(SEARCH, |level, look| {
            tries += 1;
            long.extend((look == Look::Long).then_some(level));
            Outcome { late: u64::from(tries == 1), ..holding(235, level) }
        });
        let found = found.unwrap();
        assert_eq!((found.held, tries, long), (230, 9, vec![230]));
        let tried: Vec<_> = found.points.iter().map(|point| point.0).collect();
        assert_eq!(tried, [200.0, 220.0, 230.0, 240.0, 250.0]);
    }

    #[test]
    fn a_guess_may_be_far_off() {
        let of = |edge| highest(SEARCH, |level, _| holding(edge, level)).unwrap().held;
        assert_eq!([of(0), of(25), of(1000), of(5000)], [0, 20, 990, 1500]);
    }

    #[test]
    fn what_holds_shortly_and_not_for_long_gives_way_to_the_next_below() {
        let search =
            |edge: u32| highest(SEARCH, |level, look| holding(if look == Look::Long { edge } else { 300 }, level));
        assert_eq!(search(275).unwrap().held, 260);
        assert!(search(10).unwrap_err().to_string().starts_with("test: 300 held shortly, but neither it nor"));
    }

    #[test]
    fn a_bad_try_beside_others_is_repeated_within_a_bound() {
        let of = |noisy_tries: u32| {
            let mut at_200 = 0;
            let try_out = |level, _| {
                at_200 += u32::from(level == 200);
                let noisy = level == 200 && at_200 <= noisy_tries;
                let outcome = if noisy { Outcome { p99: 25.0, late: 0 } } else { holding(210, level) };
                Ok((outcome, f64::from(noisy)))
            };
            (SEARCH.highest_beside("test", 200, try_out).unwrap().held, at_200)
        };
        assert_eq!(of(3), (210, 4), "three that do not count, and one that does");
        assert_eq!(of(FORGIVEN + 2).0, 190, "a machine that is never quiet ends the search all the same");
    }

    #[test]
    fn when_its_time_is_over_it_tries_for_long_what_it_has() {
        let search = Search { time: Duration::ZERO, ..SEARCH };
        assert_eq!(highest(search, |_, _| unreachable!()).unwrap(), Found { held: 0, points: vec![] });
    }
}
