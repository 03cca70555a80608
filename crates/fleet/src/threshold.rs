//! Demands on a report: `p99>50ms` fails a run whose worst hundredth of latencies is above 50 ms.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

use crate::metric::{self, Metric, Unit};
use crate::report::Report;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
}

impl Comparison {
    /// Longer signs first: `>=` begins with `>`.
    const ALL: [(Self, &'static str); 6] = [
        (Self::AtLeast, ">="),
        (Self::AtMost, "<="),
        (Self::Equal, "=="),
        (Self::Unequal, "!="),
        (Self::Above, ">"),
        (Self::Below, "<"),
    ];

    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Above => left > right,
            Self::AtLeast => left >= right,
            Self::Below => left < right,
            Self::AtMost => left <= right,
            // Counts and the decimals that people write: exact is what is meant.
            Self::Equal => left == right,
            Self::Unequal => left != right,
        }
    }

    fn sign(self) -> &'static str {
        Self::ALL.iter().find(|(comparison, _)| *comparison == self).map_or("", |(_, sign)| sign)
    }
}

/// When a run has failed.
#[derive(Clone, Copy, Debug)]
pub struct Threshold {
    metric: &'static Metric,
    comparison: Comparison,
    /// In milliseconds, percent, or a number.
    value: f64,
}

/// Text is no threshold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseThresholdError {
    /// No sign of comparison.
    #[error("{0:?} has no comparison: write METRIC, one of > >= < <= == !=, and VALUE, as in 'p99>50ms'")]
    Comparison(String),
    /// No figure of this name.
    #[error("no metric is called {name:?}; there are {known}", known = known())]
    Metric {
        /// What was written.
        name: String,
    },
    /// No number.
    #[error("{0:?} is no value: write a number and its unit, as in 50ms, 0.5s, 800us, 1% or 3")]
    Value(String),
    /// A unit that the figure does not have.
    #[error("{metric} is measured in {expected}, not in {unit:?}")]
    Unit {
        /// The figure.
        metric: &'static str,
        /// What it has.
        expected: &'static str,
        /// What was written.
        unit: String,
    },
}

fn known() -> String {
    metric::all().map(|metric| metric.name).collect::<Vec<_>>().join(", ")
}

impl FromStr for Threshold {
    type Err = ParseThresholdError;

    fn from_str(text: &str) -> Result<Self, ParseThresholdError> {
        let found = Comparison::ALL.iter().filter_map(|(comparison, sign)| Some((text.find(sign)?, sign, comparison)));
        // The first sign in the text; of two at the same place the longer, which comes first here.
        let (place, sign, &comparison) =
            found.min_by_key(|(place, ..)| *place).ok_or_else(|| ParseThresholdError::Comparison(text.into()))?;
        let (name, value) = (text[..place].trim(), text[place + sign.len()..].trim());
        let metric = metric::find(name).ok_or_else(|| ParseThresholdError::Metric { name: name.into() })?;
        Ok(Self { metric, comparison, value: value_of(metric, value)? })
    }
}

fn value_of(metric: &'static Metric, text: &str) -> Result<f64, ParseThresholdError> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..end], text[end..].trim());
    let number: f64 = number.parse().map_err(|_| ParseThresholdError::Value(text.into()))?;
    let (factor, expected) = match (metric.unit, unit) {
        (Unit::Time, "ms") => (Some(1.0), ""),
        (Unit::Time, "s") => (Some(1_000.0), ""),
        (Unit::Time, "us" | "µs") => (Some(0.001), ""),
        (Unit::Time, _) => (None, "ms, s or us"),
        (Unit::Share, "%") => (Some(1.0), ""),
        (Unit::Share, _) => (None, "%"),
        (Unit::Count, "") => (Some(1.0), ""),
        (Unit::Count, _) => (None, "a number without a unit"),
    };
    match factor {
        Some(factor) => Ok(number * factor),
        None => Err(ParseThresholdError::Unit { metric: metric.name, expected, unit: unit.into() }),
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.metric.unit {
            Unit::Time => "ms",
            Unit::Share => "%",
            Unit::Count => "",
        };
        write!(f, "{}{}{}{unit}", self.metric.name, self.comparison.sign(), self.value)
    }
}

/// What became of a demand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The demand: the run fails if this holds.
    pub fail_if: String,
    /// What was measured, in milliseconds, percent, or a number; `None` where nothing was.
    pub measured: Option<f64>,
    /// It holds, or nothing was measured: what was not measured is not known to be good.
    pub failed: bool,
}

impl Threshold {
    /// Whether a run has failed.
    #[must_use]
    pub fn judge(&self, report: &Report) -> Verdict {
        let measured = (self.metric.of)(report);
        let failed = measured.is_none_or(|measured| self.comparison.holds(measured, self.value));
        Verdict { fail_if: self.to_string(), measured, failed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demands_are_read() {
        for (text, canonical) in [
            ("p99>50ms", "p99>50ms"),
            ("p99 > 50 ms", "p99>50ms"),
            ("p99>=0.05s", "p99>=50ms"),
            ("added_p99>800us", "added_p99>0.8ms"),
            ("added_p99>800µs", "added_p99>0.8ms"),
            ("loss>=1%", "loss>=1%"),
            ("loss_by_others>0.5 %", "loss_by_others>0.5%"),
            ("calls_lost>0", "calls_lost>0"),
            ("calls_completed<200", "calls_completed<200"),
            ("calls_completed!=200", "calls_completed!=200"),
            ("hostile_answered==1", "hostile_answered==1"),
            ("in_call_peak<=3", "in_call_peak<=3"),
        ] {
            let threshold: Threshold = text.parse().unwrap();
            assert_eq!(threshold.to_string(), canonical, "{text}");
            assert_eq!(canonical.parse::<Threshold>().unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn what_is_no_demand_is_told_with_the_remedy() {
        for (text, expected) in [
            ("", "has no comparison"),
            ("p99", "has no comparison"),
            ("p98>50ms", "no metric is called \"p98\"; there are p50, p95, p99, max"),
            (">50ms", "no metric is called \"\""),
            ("p99>", "no value"),
            ("p99>ms", "no value"),
            ("p99>-5ms", "no value"),
            ("p99>1.2.3ms", "no value"),
            ("p99>50", "p99 is measured in ms, s or us, not in \"\""),
            ("p99>50%", "p99 is measured in ms, s or us"),
            ("loss>1", "loss is measured in %"),
            ("calls_lost>0ms", "calls_lost is measured in a number without a unit"),
            ("p99>50ms>60ms", "not in \"ms>60ms\""),
        ] {
            let error = text.parse::<Threshold>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_written_is_read_or_refused(text in "[a-z0-9_]{0,12}[<>=!]{0,2}[0-9.]{0,5}[a-zµ%]{0,3}") {
            // Never a panic; and what is read is read again as the same.
            if let Ok(threshold) = text.parse::<Threshold>() {
                let shown = threshold.to_string();
                proptest::prop_assert_eq!(shown.parse::<Threshold>().unwrap().to_string(), shown);
            }
        }

        #[test]
        fn every_metric_takes_its_unit(index in 0..57_usize, sign in 0..6_usize, value in 0..100_000_u32) {
            let metric = metric::all().nth(index).unwrap();
            let unit = ["ms", "%", ""][metric.unit as usize];
            let text = format!("{} {} {value}{unit}", metric.name, Comparison::ALL[sign].1);
            let threshold: Threshold = text.parse().unwrap();
            proptest::prop_assert_eq!(threshold.to_string(), text.replace(' ', ""));
        }
    }

    #[test]
    fn comparisons_are_what_their_signs_say() {
        for (comparison, below, equal, above) in [
            (Comparison::Above, false, false, true),
            (Comparison::AtLeast, false, true, true),
            (Comparison::Below, true, false, false),
            (Comparison::AtMost, true, true, false),
            (Comparison::Equal, false, true, false),
            (Comparison::Unequal, true, false, true),
        ] {
            assert_eq!([1.0, 2.0, 3.0].map(|left| comparison.holds(left, 2.0)), [below, equal, above]);
        }
    }
}
