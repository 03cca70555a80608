//! What a benchmark may be told on its command line. What is wrong there, or `--help`, ends the program.

use crate::Report;
use anyhow::{Context, Result};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command, value_parser};
use std::time::{Duration, Instant};

/// For a benchmark that has none.
pub fn none(name: &'static str, about: &'static str) {
    command(name, about).get_matches();
}

/// How often the variants of a case take turns: `[PASSES]`.
#[must_use]
pub fn passes(name: &'static str, about: &'static str, usual: &'static str) -> usize {
    let passes = Arg::new("passes").value_name("PASSES").value_parser(value_parser!(u16).range(1..));
    let help = "How often the variants take turns; more of them even out a noisy machine";
    let matches = command(name, about).arg(passes.default_value(usual).help(help)).get_matches();
    usize::from(matches.get_one::<u16>("passes").copied().unwrap_or_default())
}

/// One part of a benchmark; `T` is what all of them are fed with.
pub type Part<T> = (&'static str, fn(&mut Report, &T) -> Result<()>);

/// Which parts of a benchmark are wanted: `[PART] [--seconds SECONDS]`.
#[derive(Debug)]
pub struct Wanted {
    only: Option<String>,
    /// For each level of load.
    pub time: Duration,
}

impl Wanted {
    /// From the command line; a level takes so many `seconds` where it does not say.
    #[must_use]
    pub fn parse<T>(name: &'static str, about: &'static str, parts: &[Part<T>], seconds: &'static str) -> Self {
        Self::of(&matches_of(command(name, about), parts, seconds).get_matches())
    }

    fn of(matches: &ArgMatches) -> Self {
        let seconds = matches.get_one("seconds").copied().unwrap_or_default();
        Self { only: matches.get_one("part").cloned(), time: Duration::from_secs(seconds) }
    }

    /// Runs the parts that are wanted and writes the report after each. The figures of the others stay as they were.
    ///
    /// # Errors
    /// Those of the parts; the report cannot be read or written.
    pub fn run<T>(&self, name: &'static str, parts: &[Part<T>], input: &T) -> Result<()> {
        let mut report = Report::new(name);
        let wanted = |part: &str| self.only.as_deref().is_none_or(|only| only == part);
        if self.only.is_some() {
            report.continue_earlier()?;
        }
        let (start, count) = (Instant::now(), parts.iter().filter(|(name, _)| wanted(name)).count());
        for (number, (name, part)) in (1..).zip(parts.iter().filter(|(name, _)| wanted(name))) {
            eprintln!("part {number} of {count}: {name} ({} s so far)", start.elapsed().as_secs());
            part(&mut report, input).with_context(|| format!("part {name}"))?;
            report.write()?;
        }
        report.finish()
    }
}

fn command(name: &'static str, about: &'static str) -> Command {
    Command::new(name).bin_name(format!("cargo xtask bench {name} --")).about(about)
}

fn matches_of<T>(command: Command, parts: &[Part<T>], seconds: &'static str) -> Command {
    let names: Vec<_> = parts.iter().map(|(name, _)| *name).collect();
    let part = Arg::new("part").value_name("PART").value_parser(PossibleValuesParser::new(names));
    let time =
        Arg::new("seconds").long("seconds").value_name("SECONDS").value_parser(value_parser!(u64).range(1..=3600));
    command
        .arg(part.help("Only this part; the figures of the others stay as an earlier run wrote them"))
        .arg(time.default_value(seconds).help("How long a level of load is looked at"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: [Part<()>; 2] = [("memory", |_, ()| Ok(())), ("calls", |_, ()| Ok(()))];

    fn parse(arguments: &[&str]) -> Result<Wanted, clap::Error> {
        let command = matches_of(command("gateway", "What a gateway holds."), &PARTS, "5");
        command.try_get_matches_from([&["gateway"], arguments].concat()).map(|matches| Wanted::of(&matches))
    }

    #[test]
    fn a_part_and_its_time_are_read() {
        let all = parse(&[]).unwrap();
        assert_eq!((all.only, all.time.as_secs()), (None, 5));
        let one = parse(&["calls", "--seconds", "9"]).unwrap();
        assert_eq!((one.only.as_deref(), one.time.as_secs()), (Some("calls"), 9));
    }

    #[test]
    fn what_is_no_part_is_answered_with_those_there_are() {
        let error = parse(&["cals"]).unwrap_err().to_string();
        assert!(error.contains("'cals'") && error.contains("memory, calls"), "{error}");
        assert!(parse(&["calls", "--seconds", "0"]).unwrap_err().to_string().contains("1..=3600"));
    }
}
