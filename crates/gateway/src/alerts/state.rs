//! Where an alert stands: ok, pending, firing. Time is an argument.

use std::time::Duration;

/// How long a firing alert must have been well before it is over: so that one that flaps stays one alert.
pub(crate) const CALM: Duration = Duration::from_secs(60);

/// Where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// All is well.
    #[default]
    Ok,
    /// It is wrong, but not for long enough.
    Pending {
        /// Since when.
        since: Duration,
    },
    /// It was wrong for long enough.
    Firing {
        /// Since when it has been well again, if it is.
        calm: Option<Duration>,
    },
}

/// What an observation made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It pends now.
    Pends,
    /// It fires now.
    Fires,
    /// It was pending, and is not any more.
    Recovers,
    /// It fired, and is over.
    Resolves,
}

impl State {
    /// Takes in whether it is wrong at `now`; `hold`: for how long it must be.
    pub(crate) fn observe(&mut self, now: Duration, wrong: bool, hold: Duration) -> Option<Step> {
        let (next, step) = match (*self, wrong) {
            (Self::Ok, true) if hold.is_zero() => (Self::Firing { calm: None }, Some(Step::Fires)),
            (Self::Ok, true) => (Self::Pending { since: now }, Some(Step::Pends)),
            (Self::Ok, false) => (Self::Ok, None),
            (Self::Pending { .. }, false) => (Self::Ok, Some(Step::Recovers)),
            (Self::Pending { since }, true) if now.saturating_sub(since) >= hold => {
                (Self::Firing { calm: None }, Some(Step::Fires))
            }
            (Self::Firing { .. }, true) => (Self::Firing { calm: None }, None),
            (Self::Firing { calm: Some(calm) }, false) if now.saturating_sub(calm) >= CALM => {
                (Self::Ok, Some(Step::Resolves))
            }
            (Self::Firing { calm: None }, false) => (Self::Firing { calm: Some(now) }, None),
            (same, _) => (same, None),
        };
        *self = next;
        step
    }

    pub(crate) const fn is_firing(self) -> bool {
        matches!(self, Self::Firing { .. })
    }

    /// As the API has it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Pending { .. } => "pending",
            Self::Firing { .. } => "firing",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    /// What `(second, wrong)` make of it, in turn.
    fn steps(hold: u64, seen: &[(u64, bool)]) -> Vec<(u64, Step)> {
        let mut state = State::default();
        let step = |&(at, wrong): &(u64, bool)| Some((at, state.observe(secs(at), wrong, secs(hold))?));
        seen.iter().filter_map(step).collect()
    }

    #[test]
    fn it_pends_then_fires_then_resolves() {
        let seen = [(0, false), (1, true), (30, true), (60, true), (61, true), (62, false), (121, false), (122, false)];
        assert_eq!(steps(60, &seen), [(1, Step::Pends), (61, Step::Fires), (122, Step::Resolves)]);
    }

    #[test]
    fn what_recovers_in_time_never_fires() {
        let seen = [(1, true), (59, true), (60, false), (61, true), (120, true), (121, true)];
        assert_eq!(steps(60, &seen), [(1, Step::Pends), (60, Step::Recovers), (61, Step::Pends), (121, Step::Fires)]);
    }

    #[test]
    fn without_a_hold_it_fires_at_once() {
        assert_eq!(steps(0, &[(5, true), (6, true)]), [(5, Step::Fires)]);
    }

    #[test]
    fn one_that_flaps_is_one_alert() {
        let seen: Vec<_> = (0..300).map(|at| (at, at % 20 < 10)).chain([(300, false), (360, false)]).collect();
        assert_eq!(
            steps(0, &seen),
            [(0, Step::Fires), (360, Step::Resolves)],
            "calm since 290, which is not enough at 300"
        );
    }

    #[test]
    fn a_clock_that_stands_still_changes_nothing() {
        assert_eq!(steps(1, &[(5, true), (5, true), (4, true)]), [(5, Step::Pends)]);
    }
}
