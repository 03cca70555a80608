//! A progress bar on stderr. Where that is no terminal nothing is shown.

use indicatif::{ProgressBar, ProgressStyle};

const TEMPLATE: &str = "{msg:>9} [{bar:32}] {pos}/{len} packets, {eta} left";

/// A bar of `steps`, which goes away when it is dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(doing: &'static str, steps: usize) -> Self {
        let bar = ProgressBar::new(steps as u64).with_message(doing);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    pub(crate) fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
