//! `[alerts]`: rules by which something is wrong, and who is told.

use super::Secret;
use super::nearest::nearest;
use crate::alerts::{self, Comparison, Rule, Severity};
use crate::monitor::{self, all};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;
use toml::{Table, Value};

/// Rules at most.
const RULES: usize = 100;

/// Longest that something may have to be wrong, in seconds.
const LONGEST: u64 = 86_400;

/// Longest name of a rule, in bytes.
const LONGEST_NAME: usize = 64;

/// Keys of a rule, and what each is for.
pub(super) const RULE_KEYS: &[(&str, &str, &str)] = &[
    ("name", "a to z, 0 to 9 and -, at most 64", "What it is called; a rule of a default's name takes its place"),
    (
        "metric",
        "a [series](api.md#get-apihistoryseries)",
        "What is compared: gauges as they are, counts and quantiles of the last minute",
    ),
    ("above", "a number", "The alert fires where the metric is above this"),
    ("below", "a number", "Or below this; one of both"),
    ("for", "0 to 86400", "Seconds that it must be so; 0 by default"),
    ("severity", "\"info\", \"warning\" or \"critical\"", "\"warning\" by default"),
    ("enabled", "true or false", "false: no such alert; `name` is all that is needed then"),
];

/// Rules by which something is wrong, and who is told.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alerts {
    /// Whether the rules that are built in are in force.
    pub defaults: bool,
    /// Where alerts are sent, as `http://…` or `https://…`: a secret, since many services know their users by it.
    pub webhook: Option<Secret>,
    /// Sent along as `Authorization: Bearer …`.
    pub webhook_token: Option<Secret>,
    /// PEM file of the authorities that the webhook's certificate must be signed by; the system's where there is none.
    pub webhook_ca: Option<PathBuf>,
    /// Which gateway speaks, in what the webhook is sent; by default the machine's name.
    pub instance: Option<String>,
    /// Rules of one's own.
    pub rules: Vec<AlertRule>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self { defaults: true, webhook: None, webhook_token: None, webhook_ca: None, instance: None, rules: Vec::new() }
    }
}

/// A rule: `[[alerts.rules]]`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// What it is called.
    pub name: String,
    /// Which series is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// It is wrong above this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// It is wrong below this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// Seconds that it must be so.
    #[serde(default, rename = "for")]
    pub hold: u64,
    /// `info`, `warning` or `critical`.
    #[serde(default = "warning")]
    pub severity: String,
    /// Whether it is in force.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn warning() -> String {
    "warning".into()
}

const fn yes() -> bool {
    true
}

impl Alerts {
    /// The rules in force: one's own, and those built in that none of one's own takes the place of.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        let own = self.rules.iter().filter(|rule| rule.enabled).filter_map(AlertRule::compiled);
        let built_in = if self.defaults { alerts::defaults() } else { Vec::new() };
        let free = |rule: &AlertRule| self.rules.iter().all(|own| own.name != rule.name);
        own.chain(built_in.iter().filter(|rule| free(rule)).filter_map(AlertRule::compiled)).collect()
    }

    /// Which rule the name of a setting is about: `alerts.rules.NAME.KEY`.
    pub(super) fn rule_of(&self, setting: &str) -> Option<usize> {
        let (name, _) = setting.strip_prefix("alerts.rules.")?.rsplit_once('.')?;
        self.rules.iter().rposition(|rule| rule.name == name)
    }

    /// What is wrong with the rules: number of the rule, its key, and why.
    pub(super) fn rule_problems(&self) -> Vec<(usize, &'static str, Option<String>, String)> {
        let mut problems: Vec<_> = self
            .rules
            .iter()
            .enumerate()
            .flat_map(|(index, rule)| {
                rule.problems().into_iter().map(move |(key, value, why)| (index, key, value, why))
            })
            .collect();
        for (index, rule) in self.rules.iter().enumerate() {
            if self.rules[..index].iter().any(|other| other.name == rule.name) {
                let why = "another rule has this name; give each its own".to_owned();
                problems.push((index, "name", Some(format!("{:?}", rule.name)), why));
            }
        }
        if self.rules.len() > RULES {
            problems.push((
                RULES,
                "name",
                None,
                format!("there are {} rules, and {RULES} is the most", self.rules.len()),
            ));
        }
        problems
    }
}

impl AlertRule {
    /// The rule that it means; `None` where it means none.
    fn compiled(&self) -> Option<Rule> {
        let (comparison, threshold) = match (self.above, self.below) {
            (Some(threshold), None) => (Comparison::Above, threshold),
            (None, Some(threshold)) => (Comparison::Below, threshold),
            _ => return None,
        };
        Some(Rule {
            id: self.name.clone(),
            series: monitor::named(self.metric.as_deref()?)?,
            comparison,
            threshold,
            hold: Duration::from_secs(self.hold),
            severity: Severity::named(&self.severity)?,
        })
    }

    /// As TOML in one line.
    pub(super) fn to_inline(&self) -> String {
        let metric = self.metric.as_deref().unwrap_or_default();
        let bound = match (self.above, self.below) {
            (Some(above), _) => format!("above = {above}"),
            (_, Some(below)) => format!("below = {below}"),
            _ => String::new(),
        };
        let Self { name, hold, severity, .. } = self;
        format!("{{ name = \"{name}\", metric = \"{metric}\", {bound}, for = {hold}, severity = \"{severity}\" }}")
    }

    fn problems(&self) -> Vec<(&'static str, Option<String>, String)> {
        let mut problems = Vec::new();
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > LONGEST_NAME || !self.name.chars().all(good) {
            let why = format!("must be 1 to {LONGEST_NAME} of a to z, 0 to 9 and -, such as \"latency\"");
            problems.push(("name", Some(format!("{:?}", self.name)), why));
        }
        if !self.enabled {
            return problems;
        }
        match self.metric.as_deref() {
            None => problems.push((
                "metric",
                None,
                "is missing: name a series, such as \"total_p99_ms\" (docs/api.md lists them)".into(),
            )),
            Some(metric) if monitor::named(metric).is_none() => {
                let names: Vec<_> = all().map(|series| series.name).collect();
                let hint = match nearest(metric, names.iter().copied()) {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => "docs/api.md lists them".into(),
                };
                problems.push(("metric", Some(format!("{metric:?}")), format!("there is no such series; {hint}")));
            }
            Some(_) => {}
        }
        match (self.above, self.below) {
            (None, None) => problems.push(("above", None, "is missing: give above = NUMBER, or below = NUMBER".into())),
            (Some(_), Some(_)) => problems.push(("below", None, "is set beside above; give one of both".into())),
            (Some(threshold), None) if !threshold.is_finite() => {
                problems.push(("above", Some(threshold.to_string()), "must be a number".into()));
            }
            (None, Some(threshold)) if !threshold.is_finite() => {
                problems.push(("below", Some(threshold.to_string()), "must be a number".into()));
            }
            _ => {}
        }
        if self.hold > LONGEST {
            problems.push((
                "for",
                Some(self.hold.to_string()),
                format!("must be a whole number from 0 to {LONGEST}: seconds"),
            ));
        }
        if Severity::named(&self.severity).is_none() {
            let why = "must be \"info\", \"warning\" or \"critical\"".into();
            problems.push(("severity", Some(format!("{:?}", self.severity)), why));
        }
        problems
    }
}

/// What is wrong with `alerts.rules` as the file has it: number of the rule, its key, its value, and why. Only what keeps
/// it from being read at all.
pub(super) fn shape_problems(rules: &Value) -> Vec<(Option<usize>, String, Option<String>, String)> {
    let Some(rules) = rules.as_array() else {
        return vec![(
            None,
            String::new(),
            None,
            "rules are written as [[alerts.rules]], each with its keys below".into(),
        )];
    };
    rules
        .iter()
        .enumerate()
        .flat_map(|(index, rule)| match rule {
            Value::Table(rule) => {
                rule_shape(rule).into_iter().map(|(key, value, why)| (Some(index), key, value, why)).collect()
            }
            _ => vec![(
                Some(index),
                String::new(),
                None,
                "a rule is a table: write [[alerts.rules]], with its keys below".into(),
            )],
        })
        .collect()
}

fn rule_shape(rule: &Table) -> Vec<(String, Option<String>, String)> {
    let mut problems = Vec::new();
    if !rule.contains_key("name") {
        problems.push((
            "name".to_owned(),
            None,
            "is missing: give each rule a name, such as name = \"latency\"".to_owned(),
        ));
    }
    for (key, value) in rule {
        let (good, allowed) = match key.as_str() {
            "name" | "metric" | "severity" => (value.is_str(), "must be text"),
            "above" | "below" => (value.is_integer() || value.is_float(), "must be a number"),
            "for" => (value.as_integer().is_some_and(|number| number >= 0), "must be a whole number of seconds"),
            "enabled" => (value.is_bool(), "must be true or false"),
            _ => {
                let hint = match nearest(key, RULE_KEYS.iter().map(|(key, ..)| *key)) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => {
                        format!("a rule has {}", RULE_KEYS.iter().map(|(key, ..)| *key).collect::<Vec<_>>().join(", "))
                    }
                };
                problems.push((key.clone(), None, format!("there is no such key; {hint}")));
                continue;
            }
        };
        if !good {
            problems.push((key.clone(), Some(super::print::literal(value)), allowed.to_owned()));
        }
    }
    problems
}
