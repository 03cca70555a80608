//! What happened in one call: the last of it.

use serde::Serialize;
use std::collections::VecDeque;

/// Events that are kept of a call.
const EVENTS: usize = 64;

/// Characters of a detail that are kept: some of it is what a device said.
const DETAIL: usize = 200;

/// Something that happened in a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    /// In ms of Unix time.
    at: u64,
    what: &'static str,
    detail: String,
}

/// The last events of a call, oldest first.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Journal {
    events: VecDeque<Entry>,
    events_missed: u64,
}

impl Journal {
    pub(super) fn log(&mut self, at: u64, what: &'static str, detail: &str) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
            self.events_missed += 1;
        }
        let kept = detail.chars().take(DETAIL).filter(|c| !c.is_control()).collect();
        self.events.push_back(Entry { at, what, detail: kept });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_last_and_counts_the_rest() {
        let mut journal = Journal::default();
        (0..100).for_each(|at| journal.log(at, "x", &"é\n".repeat(500)));
        assert_eq!((journal.events.len(), journal.events_missed, journal.events[0].at), (64, 36, 36));
        assert_eq!(journal.events[0].detail, "é".repeat(100), "cut, and in one line");
    }
}
