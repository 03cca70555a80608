//! Measuring variants in turns.

use std::time::Instant;

/// One way to do what a case asks for.
pub struct Variant<'a> {
    /// Its name in the report.
    pub name: &'static str,
    /// Does one pass over the input and returns µs an operation.
    pub pass: Box<dyn FnMut() -> anyhow::Result<f64> + 'a>,
}

impl<'a> Variant<'a> {
    /// A variant of this name. `pass` does one pass over the input and returns how many operations that were.
    pub fn new(name: &'static str, mut pass: impl FnMut() -> anyhow::Result<u32> + 'a) -> Self {
        Self::timed(name, move || {
            let start = Instant::now();
            let operations = pass()?;
            Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(operations.max(1)))
        })
    }

    /// One whose pass looks at a clock of its own, and returns µs an operation.
    pub fn timed(name: &'static str, pass: impl FnMut() -> anyhow::Result<f64> + 'a) -> Self {
        Self { name, pass: Box::new(pass) }
    }
}

/// What a variant took: µs an operation, of each pass.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Its name in the report.
    pub name: &'static str,
    /// Ascending.
    micros: Vec<f64>,
}

impl Measured {
    /// Least µs an operation.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.micros[0]
    }

    /// Median µs an operation.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.micros[self.micros.len() / 2]
    }
}

/// Times a pass may fail in a row: on a busy machine one may miss a deadline, which says nothing of the code.
const ATTEMPTS: usize = 3;

/// Runs `passes` passes (at least one) of each variant, one after the other, after one pass that is not counted.
///
/// # Errors
/// The error of a pass that failed three times in a row.
pub fn take_turns(mut variants: Vec<Variant<'_>>, passes: usize) -> anyhow::Result<Vec<Measured>> {
    let mut measured: Vec<_> =
        variants.iter().map(|v| Measured { name: v.name, micros: Vec::with_capacity(passes) }).collect();
    for pass in 0..=passes.max(1) {
        for (variant, measured) in variants.iter_mut().zip(&mut measured) {
            let micros = timed(variant)?;
            if pass > 0 {
                measured.micros.push(micros);
            }
        }
    }
    for one in &mut measured {
        one.micros.sort_by(f64::total_cmp);
    }
    Ok(measured)
}

/// µs an operation of one pass.
fn timed(variant: &mut Variant<'_>) -> anyhow::Result<f64> {
    let mut attempt = 1;
    loop {
        match (variant.pass)() {
            Ok(micros) => return Ok(micros),
            Err(error) if attempt == ATTEMPTS => return Err(error.context(variant.name)),
            Err(error) => eprintln!("{}: {error:#}; measured again", variant.name),
        }
        attempt += 1;
    }
}
