//! A progress bar on stderr. Where that is no terminal nothing is shown.

use crate::interrupt;
use indicatif::{ProgressBar, ProgressStyle};
use sidetone_transcode::Watch;
use std::cell::RefCell;

const TEMPLATE: &str = "{msg:>9} [{bar:32}] {percent:>3} %, {eta} left";

/// A bar of so many steps, packets or bytes, which goes away when it is dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(doing: &'static str, steps: u64) -> Self {
        let bar = ProgressBar::new(steps).with_message(doing);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    pub(crate) fn step(&self) {
        self.by(1);
    }

    pub(crate) fn by(&self, steps: u64) {
        self.0.inc(steps);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// The stages of a job, each with a bar; a signal that came ends it.
#[derive(Default)]
pub(crate) struct Watched(RefCell<Option<Progress>>);

impl Watch for Watched {
    fn begin(&self, doing: &'static str, steps: u64) {
        *self.0.borrow_mut() = Some(Progress::new(doing, steps));
    }

    fn step(&self) -> bool {
        if let Some(progress) = &*self.0.borrow() {
            progress.step();
        }
        interrupt::check().is_ok()
    }

    fn end(&self) {
        *self.0.borrow_mut() = None;
    }
}
