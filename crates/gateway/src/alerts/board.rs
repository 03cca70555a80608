//! All alerts: their rules, where each stands, silences, and what fired lately. Time is an argument.

use super::rule::{Comparison, Rule, Severity};
use super::state::{State, Step};
use crate::history::{FIRED, Silence};
use crate::monitor::Sample;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// A moment, by two clocks: one to measure with, one to tell the time by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Time since the gateway started.
    pub(crate) since_start: Duration,
    /// Milliseconds of Unix time.
    pub(crate) unix: u64,
}

/// An alert, as the API has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct AlertView {
    pub(crate) id: String,
    metric: &'static str,
    unit: &'static str,
    comparison: Comparison,
    threshold: f64,
    #[serde(rename = "for")]
    hold: u64,
    severity: Severity,
    help: String,
    state: &'static str,
    value: Option<f64>,
    since: Option<u64>,
    silence: Option<SilenceView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SilenceView {
    until: u64,
    why: Option<String>,
}

/// An alert that fired, or ceased to, as the API has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FiredView {
    at: u64,
    id: String,
    severity: String,
    state: String,
    value: Option<f64>,
    silenced: bool,
}

impl FiredView {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn state(&self) -> &str {
        &self.state
    }

    pub(crate) const fn value(&self) -> Option<f64> {
        self.value
    }
}

/// Something that the webhook is to be told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Notice {
    pub(crate) id: String,
    pub(crate) metric: &'static str,
    pub(crate) severity: Severity,
    pub(crate) firing: bool,
    pub(crate) summary: String,
    /// When it began to fire, in ms of Unix time.
    pub(crate) started: u64,
    /// When it ceased to.
    pub(crate) ended: Option<u64>,
}

/// What came of something.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// Alerts that look different now.
    pub(crate) changed: Vec<AlertView>,
    /// What fired, or ceased to.
    pub(crate) fired: Vec<FiredView>,
    /// What the webhook is to be told.
    pub(crate) notices: Vec<Notice>,
    /// Whether there are other silences than before.
    pub(crate) silences: bool,
}

/// How many alerts do what, for `/api/stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    pub(crate) firing: usize,
    pending: usize,
    silenced: usize,
    worst: Option<Severity>,
}

struct Alert {
    rule: Rule,
    state: State,
    /// When this state began.
    since: Option<u64>,
    value: Option<f64>,
    silence: Option<Silence>,
    /// When it began to fire.
    started: u64,
    /// Whether the webhook was told that it fires.
    told: bool,
}

/// All alerts.
#[derive(Default)]
pub(crate) struct Board {
    alerts: Vec<Alert>,
    recent: VecDeque<FiredView>,
}

impl Board {
    /// Takes other rules on. Where one asks what it asked before, its alert stands as it did; others begin anew, and
    /// what fired of them is over.
    pub(crate) fn set_rules(&mut self, rules: Vec<Rule>, at: Moment) -> Outcome {
        let mut outcome = Outcome::default();
        let mut old = std::mem::take(&mut self.alerts);
        for rule in rules {
            let before = old.iter().position(|alert| alert.rule.id == rule.id).map(|index| old.swap_remove(index));
            let alert = match before {
                Some(before) if before.rule.asks_the_same(&rule) => Alert { rule, ..before },
                Some(mut before) => {
                    self.end(&mut before, at, &mut outcome);
                    Alert { silence: before.silence, ..Alert::new(rule) }
                }
                None => Alert::new(rule),
            };
            self.alerts.push(alert);
        }
        for mut gone in old {
            outcome.silences |= gone.silence.is_some();
            self.end(&mut gone, at, &mut outcome);
        }
        outcome
    }

    /// Takes in what an earlier process left. Silences of alerts that there are not any more are let go.
    pub(crate) fn restore(&mut self, silences: Vec<Silence>, recent: Vec<FiredView>) {
        for silence in silences {
            if let Some(alert) = self.alerts.iter_mut().find(|alert| alert.rule.id == silence.id) {
                alert.silence.get_or_insert(silence);
            }
        }
        self.recent.extend(recent);
        self.recent.truncate(FIRED as usize);
    }

    /// Takes in the last minute.
    pub(crate) fn evaluate(&mut self, at: Moment, minute: &Sample) -> Outcome {
        let mut outcome = Outcome::default();
        for index in 0..self.alerts.len() {
            let alert = &mut self.alerts[index];
            alert.value = alert.rule.series.value(minute);
            let wrong = alert.rule.is_broken_by(alert.value);
            let step = alert.state.observe(at.since_start, wrong, alert.rule.hold);
            if step.is_some() {
                alert.since = Some(at.unix);
            }
            let expired = alert.silence.take_if(|silence| silence.until <= at.unix).is_some();
            outcome.silences |= expired;
            if step == Some(Step::Fires) {
                alert.started = at.unix;
            }
            if matches!(step, Some(Step::Fires | Step::Resolves)) {
                let fired = alert.fired(at.unix);
                outcome.fired.push(fired.clone());
                self.remember(fired);
            }
            let alert = &mut self.alerts[index];
            outcome.notices.extend(alert.notice(at.unix));
            if step.is_some() || expired {
                outcome.changed.push(alert.view());
            }
        }
        outcome
    }

    /// Silences an alert, until a time in ms of Unix time. `None`: there is no such alert.
    pub(crate) fn silence(&mut self, silence: Silence) -> Option<AlertView> {
        let alert = self.alerts.iter_mut().find(|alert| alert.rule.id == silence.id)?;
        alert.silence = Some(silence);
        Some(alert.view())
    }

    /// Lifts a silence, where there is one. The webhook hears of it with the next evaluation, where it still fires.
    pub(crate) fn lift(&mut self, id: &str) -> Option<AlertView> {
        let alert = self.alerts.iter_mut().find(|alert| alert.rule.id == id)?;
        alert.silence = None;
        Some(alert.view())
    }

    pub(crate) fn silences(&self) -> Vec<Silence> {
        self.alerts.iter().filter_map(|alert| alert.silence.clone()).collect()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.alerts.iter().map(|alert| alert.rule.id.as_str())
    }

    /// All alerts: those that fire first, then by severity and id.
    pub(crate) fn list(&self) -> Vec<AlertView> {
        let mut alerts: Vec<_> = self.alerts.iter().collect();
        alerts.sort_by(|a, b| {
            let key = |alert: &Alert| (alert.state.is_firing(), alert.rule.severity);
            key(b).cmp(&key(a)).then_with(|| a.rule.id.cmp(&b.rule.id))
        });
        alerts.into_iter().map(Alert::view).collect()
    }

    /// What fired lately, newest first.
    pub(crate) fn recent(&self) -> Vec<FiredView> {
        self.recent.iter().cloned().collect()
    }

    pub(crate) fn totals(&self) -> Totals {
        let count = |which: fn(&Alert) -> bool| self.alerts.iter().filter(|alert| which(alert)).count();
        let heard = self.alerts.iter().filter(|alert| alert.state.is_firing() && alert.silence.is_none());
        Totals {
            firing: count(|alert| alert.state.is_firing()),
            pending: count(|alert| matches!(alert.state, State::Pending { .. })),
            silenced: count(|alert| alert.silence.is_some()),
            worst: heard.map(|alert| alert.rule.severity).max(),
        }
    }

    fn remember(&mut self, fired: FiredView) {
        self.recent.push_front(fired);
        self.recent.truncate(FIRED as usize);
    }

    /// An alert whose rule is gone is over.
    fn end(&mut self, alert: &mut Alert, at: Moment, outcome: &mut Outcome) {
        let fired = alert.state.is_firing();
        (alert.state, alert.since) = (State::Ok, Some(at.unix));
        if fired {
            let over = alert.fired(at.unix);
            outcome.fired.push(over.clone());
            self.remember(over);
            outcome.changed.push(alert.view());
        }
        outcome.notices.extend(alert.notice(at.unix));
    }
}

impl Alert {
    fn new(rule: Rule) -> Self {
        Self { rule, state: State::Ok, since: None, value: None, silence: None, started: 0, told: false }
    }

    fn fired(&self, at: u64) -> FiredView {
        FiredView {
            at,
            id: self.rule.id.clone(),
            severity: self.rule.severity.as_str().into(),
            state: if self.state.is_firing() { "firing" } else { "resolved" }.into(),
            value: self.value,
            silenced: self.silence.is_some(),
        }
    }

    /// What the webhook is to be told now, if anything: that it fires, unless it is silenced; and of what it was told that
    /// fires, that it is over.
    fn notice(&mut self, at: u64) -> Option<Notice> {
        let firing = self.state.is_firing();
        if firing == self.told || (firing && self.silence.is_some()) {
            return None;
        }
        self.told = firing;
        Some(Notice {
            id: self.rule.id.clone(),
            metric: self.rule.series.name,
            severity: self.rule.severity,
            firing,
            summary: self.summary(),
            started: self.started,
            ended: (!firing).then_some(at),
        })
    }

    fn summary(&self) -> String {
        let Rule { series, comparison, threshold, hold, .. } = &self.rule;
        let unit = match series.unit.as_str() {
            "percent" => " %".to_owned(),
            "" | "flag" => String::new(),
            unit => format!(" {unit}"),
        };
        let side = if *comparison == Comparison::Above { "above" } else { "below" };
        let value = self.value.map_or_else(|| "nothing to measure".into(), |value| format!("{}{unit}", short(value)));
        let held = if hold.is_zero() { String::new() } else { format!(" for {} s", hold.as_secs()) };
        let help = series.help;
        match self.state.is_firing() {
            true => format!("{help}: {value}, {side} {}{unit}{held}", short(*threshold)),
            false => format!("{help}: {value}, no longer {side} {}{unit}", short(*threshold)),
        }
    }

    fn view(&self) -> AlertView {
        let Rule { id, series, comparison, threshold, hold, severity } = &self.rule;
        AlertView {
            id: id.clone(),
            metric: series.name,
            unit: series.unit.as_str(),
            comparison: *comparison,
            threshold: *threshold,
            hold: hold.as_secs(),
            severity: *severity,
            help: format!("{}.", series.help),
            state: self.state.as_str(),
            value: self.value,
            since: self.since,
            silence: self
                .silence
                .as_ref()
                .map(|silence| SilenceView { until: silence.until, why: silence.why.clone() }),
        }
    }
}

/// A number as people read it.
fn short(number: f64) -> String {
    if number.fract() == 0.0 { number.to_string() } else { format!("{number:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::named;

    fn rule(id: &str, threshold: f64, hold: u64) -> Rule {
        Rule {
            id: id.into(),
            series: named("restarts").unwrap(),
            comparison: Comparison::Above,
            threshold,
            hold: Duration::from_secs(hold),
            severity: Severity::Warning,
        }
    }

    fn at(second: u64) -> Moment {
        Moment { since_start: Duration::from_secs(second), unix: 1_000_000 + second * 1000 }
    }

    /// A minute with as many restarts.
    fn minute(restarts: u64) -> Sample {
        let mut minute = Sample { seconds: 60.0, ..Sample::default() };
        let place = crate::monitor::COUNTS.iter().position(|count| count.name == "restarts").unwrap();
        minute.counts[place] = restarts;
        minute
    }

    fn board(rules: Vec<Rule>) -> Board {
        let mut board = Board::default();
        assert_eq!(board.set_rules(rules, at(0)), Outcome::default());
        board
    }

    fn silence(until: u64) -> Silence {
        Silence { id: "a".into(), until: at(until).unix, why: None }
    }

    /// Whether the webhook is told that it fires, in each of these outcomes.
    fn told(outcome: &Outcome) -> Vec<bool> {
        outcome.notices.iter().map(|notice| notice.firing).collect()
    }

    #[test]
    fn an_alert_goes_from_pending_to_firing_to_resolved_and_each_is_told_once() {
        let mut board = board(vec![rule("a", 0.0, 10)]);
        assert_eq!(board.evaluate(at(1), &minute(0)), Outcome::default());
        let pends = board.evaluate(at(2), &minute(3));
        assert_eq!(
            (pends.changed[0].state, pends.changed[0].since, told(&pends)),
            ("pending", Some(at(2).unix), vec![])
        );
        assert_eq!(board.evaluate(at(11), &minute(3)), Outcome::default());
        let fires = board.evaluate(at(12), &minute(4));
        assert_eq!((fires.changed[0].state, fires.fired[0].state(), told(&fires)), ("firing", "firing", vec![true]));
        assert_eq!(fires.notices[0].summary, "Instances that failed: 4, above 0 for 10 s");
        assert_eq!((fires.notices[0].started, fires.notices[0].ended), (at(12).unix, None));
        assert_eq!(board.evaluate(at(13), &minute(9)), Outcome::default());
        assert_eq!(board.totals(), Totals { firing: 1, pending: 0, silenced: 0, worst: Some(Severity::Warning) });
        assert_eq!(board.evaluate(at(20), &minute(0)), Outcome::default());
        assert_eq!(board.evaluate(at(79), &minute(0)), Outcome::default());
        let over = board.evaluate(at(80), &minute(0));
        assert_eq!((over.changed[0].state, over.fired[0].state(), told(&over)), ("ok", "resolved", vec![false]));
        assert_eq!(over.notices[0].summary, "Instances that failed: 0, no longer above 0");
        assert_eq!((over.notices[0].started, over.notices[0].ended), (at(12).unix, Some(at(80).unix)));
        let recent: Vec<_> = board.recent().iter().map(|fired| fired.state().to_owned()).collect();
        assert_eq!(recent, ["resolved", "firing"]);
    }

    #[test]
    fn a_silence_keeps_the_webhook_from_what_begins_and_not_from_the_end_of_what_it_knows() {
        let mut board = board(vec![rule("a", 0.0, 0)]);
        assert!(board.silence(Silence { id: "b".into(), ..silence(1) }).is_none());
        board.silence(silence(100)).unwrap();
        let fires = board.evaluate(at(1), &minute(1));
        assert_eq!((told(&fires), fires.fired.len(), board.totals().worst), (vec![], 1, None));
        // It expires while the alert still fires.
        assert!(!board.evaluate(at(99), &minute(1)).silences);
        let expired = board.evaluate(at(100), &minute(1));
        assert!(expired.silences && expired.changed[0].silence.is_none());
        assert_eq!(told(&expired), [true]);
        board.silence(silence(1000)).unwrap();
        board.evaluate(at(101), &minute(0));
        assert_eq!(
            told(&board.evaluate(at(161), &minute(0))),
            [false],
            "whoever knows that it fires learns that it is over"
        );
        assert_eq!(told(&board.evaluate(at(162), &minute(1))), Vec::<bool>::new());
        board.lift("a").unwrap();
        assert_eq!(told(&board.evaluate(at(163), &minute(1))), [true]);
    }

    #[test]
    fn other_rules_leave_those_that_ask_the_same_as_they_stand() {
        let mut board = board(vec![rule("a", 0.0, 0), rule("b", 0.0, 0), rule("c", 0.0, 0)]);
        board.evaluate(at(1), &minute(1));
        board.silence(silence(500)).unwrap();
        let same = Rule { severity: Severity::Critical, ..rule("a", 0.0, 0) };
        let outcome = board.set_rules(vec![same, rule("b", 5.0, 0)], at(2));
        let over: Vec<_> = outcome.fired.iter().map(|fired| (fired.id(), fired.state())).collect();
        assert_eq!(over, [("b", "resolved"), ("c", "resolved")]);
        assert_eq!(told(&outcome), [false, false]);
        let list = board.list();
        let seen: Vec<_> = list.iter().map(|alert| (alert.id.as_str(), alert.state, alert.severity)).collect();
        assert_eq!(seen, [("a", "firing", Severity::Critical), ("b", "ok", Severity::Warning)]);
        assert!(list[0].silence.is_some());
        assert_eq!(board.evaluate(at(3), &minute(1)), Outcome::default());
    }

    #[test]
    fn what_an_earlier_process_left_is_taken_on_where_there_is_such_an_alert() {
        let mut board = board(vec![rule("a", 0.0, 0)]);
        let gone = Silence { id: "gone".into(), ..silence(50) };
        let fired: FiredView = serde_json::from_value(serde_json::json!({
            "at": 5, "id": "gone", "severity": "info", "state": "firing", "value": null, "silenced": false
        }))
        .unwrap();
        board.restore(vec![silence(50), gone], vec![fired; 300]);
        assert_eq!((board.silences(), board.recent().len()), (vec![silence(50)], 100));
    }

    #[test]
    fn nothing_to_measure_is_not_wrong() {
        let latency = |comparison| Rule { series: named("total_p99_ms").unwrap(), comparison, ..rule("a", 10.0, 0) };
        for comparison in [Comparison::Above, Comparison::Below] {
            let mut board = board(vec![latency(comparison)]);
            assert_eq!(board.evaluate(at(1), &Sample::default()), Outcome::default());
            assert_eq!(board.list()[0].value, None);
        }
    }
}
