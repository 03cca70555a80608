//! When something is wrong: a rule compares a series with a threshold.

use crate::monitor::Series;
use serde::{Serialize, Serializer};
use std::time::Duration;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    Info,
    Warning,
    Critical,
}

impl Severity {
    pub(crate) const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == name)
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// On which side of the threshold it is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Comparison {
    Above,
    Below,
}

/// A rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) series: Series,
    pub(crate) comparison: Comparison,
    pub(crate) threshold: f64,
    /// How long it must be so.
    pub(crate) hold: Duration,
    pub(crate) severity: Severity,
}

impl Rule {
    /// Whether a value is wrong. Nothing to measure is not.
    pub(crate) fn is_broken_by(&self, value: Option<f64>) -> bool {
        value.is_some_and(|value| match self.comparison {
            Comparison::Above => value > self.threshold,
            Comparison::Below => value < self.threshold,
        })
    }

    /// Whether it asks the same; how much it matters may differ.
    pub(crate) fn asks_the_same(&self, other: &Self) -> bool {
        self.series.name == other.series.name
            && self.comparison == other.comparison
            && self.threshold.to_bits() == other.threshold.to_bits()
            && self.hold == other.hold
    }
}
