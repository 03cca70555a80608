//! What the webhook is still to be told: of each alert, how it stands now. Time is an argument.
//!
//! Bounded by the number of alerts, whatever flaps: a newer notice takes the place of the one that waits, and each alert
//! may speak a few times at once and then once in a while.

use super::board::Notice;
use crate::protect::Bucket;
use std::collections::BTreeMap;
use std::time::Duration;

/// Notices of one alert at once, and a second.
const AT_ONCE: f64 = 4.0;
const A_SECOND: f64 = 1.0 / 300.0;

/// How long it is tried to deliver a notice.
const WORTH: Duration = Duration::from_secs(3600);

/// Alerts at most that it knows of: far more than there may be rules.
const ALERTS: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: BTreeMap<String, Waiting>,
    known: BTreeMap<String, Known>,
    given_up: u64,
}

#[derive(Debug)]
struct Waiting {
    notice: Notice,
    since: Duration,
    /// Its right to be sent was used.
    granted: bool,
}

#[derive(Debug)]
struct Known {
    right: Bucket,
    /// What the receiver was told last.
    told: Option<bool>,
}

impl Outbox {
    /// Takes a notice in, in the place of an older one of the same alert.
    pub(super) fn put(&mut self, notice: Notice, now: Duration) {
        let id = notice.id.clone();
        if self.known.len() >= ALERTS && !self.known.contains_key(&id) {
            self.given_up += 1;
            return;
        }
        let known = self
            .known
            .entry(id.clone())
            .or_insert_with(|| Known { right: Bucket::new(A_SECOND, AT_ONCE, now), told: None });
        let granted = self.waiting.remove(&id).is_some_and(|old| old.granted);
        // It came and went, or went and came, before anybody was told.
        if known.told != Some(notice.firing) {
            self.waiting.insert(id, Waiting { notice, since: now, granted });
        }
    }

    /// What may be sent now.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Notice> {
        let mut due = Vec::new();
        for (id, waiting) in &mut self.waiting {
            if !waiting.granted {
                waiting.granted = self.known.get_mut(id).is_none_or(|known| known.right.take(now));
            }
            if waiting.granted {
                due.push(waiting.notice.clone());
            }
        }
        due
    }

    /// These were delivered.
    pub(super) fn delivered(&mut self, notices: &[Notice]) {
        for notice in notices {
            if let Some(known) = self.known.get_mut(&notice.id) {
                known.told = Some(notice.firing);
            }
            match self.waiting.get_mut(&notice.id) {
                Some(waiting) if waiting.notice == *notice || waiting.notice.firing == notice.firing => {
                    self.waiting.remove(&notice.id);
                }
                // It has changed since, and the right was used.
                Some(waiting) => waiting.granted = false,
                None => {}
            }
        }
    }

    /// These were refused for good.
    pub(super) fn refused(&mut self, notices: &[Notice]) {
        for notice in notices {
            if self.waiting.get(&notice.id).is_some_and(|waiting| waiting.notice == *notice) {
                self.waiting.remove(&notice.id);
                self.given_up += 1;
            }
        }
    }

    /// Gives up what has waited too long.
    pub(super) fn expire(&mut self, now: Duration) {
        let before = self.waiting.len();
        self.waiting.retain(|_, waiting| !waiting.granted || now.saturating_sub(waiting.since) < WORTH);
        self.given_up += (before - self.waiting.len()) as u64;
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) const fn given_up(&self) -> u64 {
        self.given_up
    }
}

#[cfg(test)]
mod tests {
    use super::super::rule::Severity;
    use super::*;

    fn notice(id: &str, firing: bool) -> Notice {
        Notice {
            id: id.into(),
            metric: "calls",
            severity: Severity::Info,
            firing,
            summary: String::new(),
            started: 0,
            ended: None,
        }
    }

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_newer_notice_takes_the_place_of_the_one_that_waits() {
        let mut outbox = Outbox::default();
        outbox.put(notice("a", true), secs(0));
        outbox.put(notice("b", true), secs(0));
        outbox.put(notice("a", false), secs(1));
        assert_eq!(outbox.due(secs(1)), [notice("a", false), notice("b", true)]);
        outbox.delivered(&[notice("a", false), notice("b", true)]);
        assert_eq!((outbox.due(secs(2)), outbox.waiting()), (vec![], 0));
    }

    #[test]
    fn what_came_and_went_unheard_is_not_told() {
        let mut outbox = Outbox::default();
        outbox.put(notice("a", true), secs(0));
        let sent = outbox.due(secs(0));
        outbox.delivered(&sent);
        outbox.put(notice("a", false), secs(1));
        outbox.put(notice("a", true), secs(2));
        assert_eq!(outbox.due(secs(2)), [], "the receiver knows already that it fires");
    }

    #[test]
    fn what_changes_while_it_is_delivered_is_told_after_it() {
        let mut outbox = Outbox::default();
        outbox.put(notice("a", true), secs(0));
        let sent = outbox.due(secs(0));
        outbox.put(notice("a", false), secs(1));
        outbox.delivered(&sent);
        assert_eq!(outbox.due(secs(1)), [notice("a", false)]);
    }

    #[test]
    fn one_that_flaps_for_an_hour_speaks_a_few_times_and_then_once_in_five_minutes() {
        let (mut outbox, mut sent) = (Outbox::default(), 0);
        for second in 0..3600u64 {
            outbox.put(notice("a", second.is_multiple_of(2)), secs(second));
            let due = outbox.due(secs(second));
            sent += due.len();
            outbox.delivered(&due);
        }
        assert!((4..=16).contains(&sent), "{sent}");
    }

    #[test]
    fn what_cannot_be_delivered_waits_for_an_hour_and_is_counted() {
        let mut outbox = Outbox::default();
        outbox.put(notice("a", true), secs(0));
        outbox.put(notice("b", true), secs(0));
        assert_eq!(outbox.due(secs(0)).len(), 2);
        outbox.refused(&[notice("b", true)]);
        outbox.expire(secs(3599));
        assert_eq!((outbox.waiting(), outbox.given_up()), (1, 1));
        outbox.expire(secs(3600));
        assert_eq!((outbox.waiting(), outbox.given_up()), (0, 2));
    }

    #[test]
    fn more_alerts_than_there_may_be_are_not_kept() {
        let mut outbox = Outbox::default();
        (0..2000).for_each(|number| outbox.put(notice(&number.to_string(), true), secs(0)));
        assert_eq!((outbox.waiting(), outbox.given_up()), (1024, 976));
    }
}
