//! How results look: numbers as people read them, tables, JSON, and the one way to stdout.

pub(crate) use sidetone_transcode::text::{count, grouped};

use anyhow::{Context, Result};
use serde::Serialize;
use sidetone_audio::shown;
use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::time::Duration;

/// The start of a hash: enough to tell builds apart.
pub(crate) fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// A share in percent, 0 of nothing.
pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// Lines of a label and what there is to say, aligned.
#[derive(Default)]
pub(crate) struct Sheet(Vec<(&'static str, String)>);

impl Sheet {
    pub(crate) fn line(&mut self, label: &'static str, text: impl Into<String>) {
        self.0.push((label, text.into()));
    }
}

impl std::fmt::Display for Sheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = self.0.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
        self.0.iter().try_for_each(|(label, text)| writeln!(f, "  {label:width$}  {text}"))
    }
}

/// Rows under headings; the first and the last column to the left, numbers between them to the right.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([headings[column].len()]).max().unwrap_or(0)
    };
    let mut text = String::new();
    for row in std::iter::once(headings.map(str::to_owned)).chain(rows.iter().cloned()) {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = width(column);
            // Writing to a String cannot fail.
            let _ = if column == 0 || column + 1 == N {
                write!(line, "{cell:width$}  ")
            } else {
                write!(line, "{cell:>width$}  ")
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// How long each of many calls took.
#[derive(Debug, Default, Clone)]
pub(crate) struct Times(Vec<Duration>);

/// The same, in figures.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) calls: u64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) total_ms: f64,
}

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(crate) fn extend(&mut self, others: &[Duration]) {
        self.0.extend_from_slice(others);
    }

    pub(crate) fn total(&self) -> Duration {
        self.0.iter().sum()
    }

    /// `None` where nothing was measured.
    pub(crate) fn percentiles(&self) -> Option<Percentiles> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        // Nearest rank: a value that was measured, not one between two.
        let rank = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            sorted.get(rank - 1).map(|time| tenths(time.as_secs_f64() * 1e6))
        };
        Some(Percentiles {
            calls: sorted.len() as u64,
            p50_us: rank(50)?,
            p99_us: rank(99)?,
            total_ms: tenths(self.total().as_secs_f64() * 1e3),
        })
    }
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// What stands for a text that is not shown, as it could be a secret.
pub(crate) const NOT_SAID: &str = "(not shown, it could be a key)";

/// What could not be done, of a report that could not be written.
pub(crate) const STDOUT: &str = "cannot write to stdout";

/// Writes to stdout. A reader that has seen enough and left (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context(STDOUT),
        _ => Ok(()),
    }
}

/// Says something on stderr, in one line.
pub(crate) fn complain(kind: &str, text: &str) {
    // Not `eprintln!`, which would panic where nobody can be told. The text may hold others' words (a parser's, the
    // system's), so it is made safe once more.
    let _ = writeln!(std::io::stderr(), "{kind}: {}", shown::text(text));
}

/// Indented JSON and a line end. Characters that do not show, as a file's name may have, are escaped; line ends between
/// the values are the only ones that JSON leaves.
pub(crate) fn json(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value).context("cannot express the report as JSON")? + "\n";
    let escaped =
        |c: char| if c != '\n' && shown::is_hidden(c) { format!("\\u{:04x}", c as u32) } else { c.to_string() };
    Ok(text.chars().map(escaped).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_names_and_shows_all_of_them() {
        let name = "a\n\u{1b}[2J\u{9b}\u{202e}é";
        let text = json(&[name]).unwrap();
        assert_eq!(text, "[\n  \"a\\n\\u001b[2J\\u009b\\u202eé\"\n]\n");
        assert_eq!(serde_json::from_str::<[String; 1]>(&text).unwrap(), [name]);
    }

    #[test]
    fn percentiles_are_measured_values_by_nearest_rank() {
        let mut times = Times::default();
        (1..=200).rev().for_each(|micros| times.add(Duration::from_micros(micros)));
        let found = times.percentiles().unwrap();
        assert_eq!((found.p50_us, found.p99_us, found.calls), (100.0, 198.0, 200));
        assert!(Times::default().percentiles().is_none());
    }
}
