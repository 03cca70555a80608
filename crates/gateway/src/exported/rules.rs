//! Alert rules for Prometheus: those that are built in here, in its language.

use super::promql::expression;
use crate::alerts::defaults;
use crate::monitor::named;
use std::fmt::Write as _;

/// Alert rules for Prometheus, as a file that `rule_files` names.
#[must_use]
pub fn prometheus_rules() -> String {
    let mut out = String::from(
        "# Alert rules for Prometheus, by `sidetone metrics --prometheus-rules`: the rules that are built into the gateway.\n\
         groups:\n  - name: sidetone\n    rules:\n      - alert: SidetoneDown\n        expr: up{job=~\".*sidetone.*\"} == 0\n\
        \x20       for: 60s\n        labels:\n          severity: critical\n        annotations:\n\
        \x20         summary: \"The gateway does not answer Prometheus.\"\n",
    );
    for rule in defaults() {
        let Some(series) = rule.metric.as_deref().and_then(named) else { continue };
        let Some(expression) = expression(series.name) else { continue };
        let (side, threshold) = match (rule.above, rule.below) {
            (Some(above), _) => (">", above),
            (_, Some(below)) => ("<", below),
            _ => continue,
        };
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "      - alert: Sidetone{name}\n        expr: {expr:?}\n        for: {hold}s\n        labels:\n          severity: {severity}\n\
            \x20       annotations:\n          summary: {summary:?}\n",
            name = camel(&rule.name),
            expr = format!("{expression} {side} {threshold}"),
            hold = rule.hold,
            severity = rule.severity,
            summary = format!("{}: {{{{ $value | humanize }}}} ({side} {threshold}).", series.help),
        );
    }
    out
}

/// `BrokerDown` of `broker-down`.
fn camel(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::super::metrics;
    use super::*;
    use sidetone_host::metrics::Kind;

    #[test]
    fn every_rule_that_is_built_in_is_there_and_names_metrics_that_are() {
        let text = prometheus_rules();
        for rule in defaults() {
            assert!(text.contains(&format!("alert: Sidetone{}\n", camel(&rule.name))), "{}", rule.name);
        }
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let named: Vec<_> = words.filter(|word| word.starts_with("sidetone_")).collect();
        assert!(named.len() > 20, "{text}");
        for name in named {
            let base = name.strip_suffix("_bucket").unwrap_or(name);
            let metric = metrics().find(|metric| metric.name == base);
            let metric = metric.unwrap_or_else(|| panic!("/metrics has no {name}"));
            assert_eq!(metric.kind == Kind::Histogram, base != name, "{name}");
        }
    }
}
