//! Whoever is told how far a job is, and may end it.

use crate::Error;

/// Told of each step of a job.
pub trait Watch {
    /// Something begins that has so many steps, packets or pieces.
    fn begin(&self, _doing: &'static str, _steps: u64) {}

    /// A step is done. `false`: no further one is wanted.
    fn step(&self) -> bool {
        true
    }

    /// It is done.
    fn end(&self) {}
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {}

/// A stage that is being watched. Over when it is dropped.
pub(crate) struct Stage<'a>(&'a dyn Watch);

impl<'a> Stage<'a> {
    pub(crate) fn new(watch: &'a dyn Watch, doing: &'static str, steps: u64) -> Self {
        watch.begin(doing, steps);
        Self(watch)
    }

    pub(crate) fn step(&self) -> Result<(), Error> {
        if self.0.step() { Ok(()) } else { Err(Error::Stopped) }
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
