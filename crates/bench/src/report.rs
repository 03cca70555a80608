//! What a benchmark found: printed for people, written as JSON for tools.

use crate::machine::Machine;
use crate::plot::{self, Bar};
use crate::table;
use crate::turns::Measured;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The variant that ratios refer to, where a report says nothing else.
const REFERENCE: &str = "native";

/// All findings of one benchmark.
#[derive(Debug, Serialize)]
pub struct Report {
    #[serde(skip)]
    name: &'static str,
    /// The variant that ratios refer to.
    reference: &'static str,
    machine: Machine,
    rows: Vec<Row>,
    figures: BTreeMap<String, f64>,
}

#[derive(Debug, Serialize)]
struct Row {
    case: &'static str,
    variant: &'static str,
    us_min: f64,
    us_median: f64,
    /// To the reference, by minimum; none where the case has no reference.
    ratio: Option<f64>,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self::against(REFERENCE, name)
    }

    /// An empty report whose ratios refer to another variant than `native`.
    #[must_use]
    pub fn against(reference: &'static str, name: &'static str) -> Self {
        Self { name, reference, machine: Machine::here(), rows: Vec::new(), figures: BTreeMap::new() }
    }

    /// Takes over the figures of an earlier run, where there was one: for a run of a part.
    ///
    /// # Errors
    /// Where the file of that run is no report.
    pub fn continue_earlier(&mut self) -> anyhow::Result<()> {
        let path = self.path();
        let Ok(text) = std::fs::read_to_string(&path) else { return Ok(()) };
        let earlier: Earlier =
            serde_json::from_str(&text).with_context(|| format!("{} is no report: delete it", path.display()))?;
        self.figures.extend(earlier.figures);
        Ok(())
    }

    /// Adds a case, and prints it.
    pub fn case(&mut self, case: &'static str, measured: &[Measured]) {
        let reference = measured.iter().find(|m| m.name == self.reference).map(Measured::min);
        for one in measured {
            let ratio = reference.map(|reference| one.min() / reference);
            self.rows.push(Row { case, variant: one.name, us_min: one.min(), us_median: one.median(), ratio });
        }
        eprintln!("measured {case}");
    }

    /// Adds a figure that is no comparison.
    pub fn figure(&mut self, name: &'static str, value: f64) {
        self.figures.insert(name.to_owned(), value);
    }

    /// Adds a figure whose name is put together.
    pub fn named(&mut self, name: String, value: f64) {
        self.figures.insert(name, value);
    }

    /// Prints everything, and writes `target/bench/NAME.json`.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn finish(&self) -> anyhow::Result<()> {
        let Machine { cpu, cores, system, libopus, compilers, component, load } = &self.machine;
        println!("{cpu}, {cores} cores, {system}; libopus {libopus}; component {} by {compilers}", &component[..12]);
        if let Some(load) = load.filter(|&load| load > 0.5) {
            println!("(the machine was not idle: load {load:.1}; trust the ratios, not the microseconds)");
        }
        println!();
        if !self.rows.is_empty() {
            let rows: Vec<_> = self.rows.iter().map(Row::cells).collect();
            for line in table::lines(&["case", "variant", "µs min", "µs median", "ratio"], &rows) {
                println!("{line}");
            }
            println!();
        }
        let figures: Vec<_> = self.figures.iter().map(|(name, value)| vec![name.clone(), shown(*value)]).collect();
        for line in table::lines(&["figure", "value"], &figures) {
            println!("{line}");
        }
        let path = self.write()?;
        println!("\nwritten: {}", path.display());
        if let Some(plot) = self.plot() {
            let path = path.with_extension("svg");
            write_file(&path, &plot)?;
            println!("plot:    {}", path.display());
        }
        Ok(())
    }

    /// The ratios as bars; none where there are none, as in a report of figures alone.
    fn plot(&self) -> Option<String> {
        let others = self.rows.iter().filter(|row| row.variant != self.reference);
        let bars: Vec<_> = others.filter_map(Row::bar).collect();
        (!bars.is_empty()).then(|| plot::bars(&format!("{}: time, against {}", self.name, self.reference), &bars))
    }

    fn path(&self) -> PathBuf {
        folder().join(self.name).with_extension("json")
    }

    /// Writes `target/bench/NAME.json` as it is so far: a long run that breaks off leaves what it has measured.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self) -> anyhow::Result<PathBuf> {
        let path = self.path();
        write_file(&path, &serde_json::to_string_pretty(self)?)?;
        Ok(path)
    }
}

/// Where reports and plots are written.
#[must_use]
pub fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    target.join("bench")
}

/// Writes a file there, and makes the folder.
///
/// # Errors
/// Where it cannot be written.
pub fn write_file(path: &Path, text: &str) -> anyhow::Result<()> {
    write_bytes(path, text.as_bytes())
}

/// The same, of bytes.
///
/// # Errors
/// Where it cannot be written.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(path, bytes)).with_context(|| format!("cannot write {}", path.display()))
}

/// What is taken over of an earlier run.
#[derive(Deserialize)]
struct Earlier {
    figures: BTreeMap<String, f64>,
}

impl Row {
    fn bar(&self) -> Option<Bar> {
        Some(Bar { group: self.case, name: self.variant, value: self.ratio? })
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.case.to_owned(),
            self.variant.to_owned(),
            shown(self.us_min),
            shown(self.us_median),
            self.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        ]
    }
}

fn shown(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}
