//! The line of progress.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::Progress;

/// The line of progress on stderr: rewritten in place on a terminal, else a new one every ten seconds.
pub(super) struct Line {
    shown: Option<bool>,
    last: Duration,
}

impl Line {
    pub(super) fn new(quiet: bool) -> Self {
        Self { shown: (!quiet).then(|| std::io::stderr().is_terminal()), last: Duration::ZERO }
    }

    pub(super) fn show(&mut self, progress: &Progress) {
        let Some(terminal) = self.shown else { return };
        if !terminal && progress.elapsed < self.last + Duration::from_secs(10) && !progress.ending {
            return;
        }
        self.last = progress.elapsed;
        let (start, end) = if terminal { ("\r\x1b[2K", "") } else { ("", "\n") };
        // Nobody to be told is no reason to stop.
        let _ = write!(std::io::stderr(), "{start}{}{end}", text(progress));
    }

    pub(super) fn clear(&self) {
        if self.shown == Some(true) {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}

fn text(progress: &Progress) -> String {
    let Progress { elapsed, duration, devices, counts, mouth_to_ear, ending } = progress;
    let latency = mouth_to_ear.map_or(String::new(), |(median, worst)| {
        format!(", mouth to ear p50 {} p99 {} ms", median.as_millis(), worst.as_millis())
    });
    let ending = if *ending { ", saying goodbye" } else { "" };
    format!(
        "{:.0}/{:.0} s  {} of {devices} connected, {} in a call, {} calls done, {} lost, {} packets lost{latency}{ending}",
        elapsed.as_secs_f64(),
        duration.as_secs_f64(),
        counts.connected,
        counts.in_call,
        counts.calls_completed,
        counts.calls_lost,
        counts.lost
    )
}
