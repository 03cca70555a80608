//! The thread that owns the database: takes in what is to be kept, answers what is asked, and tries again where it cannot.

use super::store::{Size, Store};
use super::tiers::FINEST;
use super::trouble::Trouble;
use super::{Bounds, Ended, Fired, Place, Silence, Status, Task, file};
use crate::monitor::Sample;
use crate::retry::random;
use sidetone_protocol::device::Reconnect;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Samples that are written at a time: one transaction a minute, which is what a crash may cost.
const BATCH: usize = 6;

/// Samples and sessions that wait while history fails: an hour's.
const WAITING: usize = 360;

/// Waits between attempts.
const RETRY: Reconnect = Reconnect { first: Duration::from_secs(1), most: Duration::from_secs(60), jitter: true };

/// A file that is broken again so soon is not set aside again: whatever breaks them would fill the disk.
const SET_ASIDE: Duration = Duration::from_secs(3600);

pub(super) struct Keeper {
    place: Place,
    bounds: Bounds,
    status: Arc<Status>,
    store: Option<Store>,
    samples: VecDeque<(u64, Sample)>,
    ended: VecDeque<Ended>,
    fired: VecDeque<Fired>,
    silences: Option<Vec<Silence>>,
    failures: u32,
    again: Option<Instant>,
    set_aside: Option<Instant>,
    /// What an earlier process left was told.
    restored: bool,
}

/// Seconds of Unix time.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl Keeper {
    pub(super) fn new(place: Place, bounds: Bounds, status: Arc<Status>) -> Self {
        Self {
            place,
            bounds,
            status,
            store: None,
            samples: VecDeque::new(),
            ended: VecDeque::new(),
            fired: VecDeque::new(),
            silences: None,
            failures: 0,
            again: None,
            set_aside: None,
            restored: false,
        }
    }

    /// Works until there is nobody left to give it anything.
    pub(super) fn run(mut self, tasks: &Receiver<Task>) {
        self.attempt(Self::open);
        loop {
            let wait =
                self.again.map_or(Duration::from_secs(FINEST), |again| again.saturating_duration_since(Instant::now()));
            match tasks.recv_timeout(wait) {
                Ok(task) => self.take(task),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.is_due() {
                self.attempt(Self::flush);
            }
        }
        self.again = None;
        self.attempt(Self::flush);
        if let Some(store) = self.store {
            store.close();
        }
    }

    fn take(&mut self, task: Task) {
        match task {
            Task::Sample(at, sample) => {
                self.samples.push_back((at, *sample));
                if self.samples.len() > WAITING {
                    self.samples.pop_front();
                    self.status.drop_one();
                }
            }
            Task::Ended(ended) => {
                self.ended.push_back(*ended);
                if self.ended.len() > WAITING {
                    self.ended.pop_front();
                    self.status.drop_one();
                }
            }
            Task::Fired(fired) => {
                self.fired.push_back(fired);
                if self.fired.len() > WAITING {
                    self.fired.pop_front();
                    self.status.drop_one();
                }
            }
            Task::Silences(silences) => self.silences = Some(silences),
            Task::Bounds(bounds) => {
                self.bounds = bounds;
                self.attempt(|keeper| match &mut keeper.store {
                    Some(store) => store.set_bounds(bounds),
                    None => Ok(()),
                });
            }
            Task::Ask(ask) => {
                // What is asked for may be among what waits.
                if self.again.is_none() {
                    self.attempt(Self::flush);
                }
                let outcome = ask(self.store.as_ref());
                self.attempt(|_| outcome);
            }
        }
    }

    /// Whether something is to be written now.
    fn is_due(&self) -> bool {
        if let Some(again) = self.again {
            return Instant::now() >= again;
        }
        self.store.is_none()
            || self.samples.len() >= BATCH
            || self.ended.len() >= BATCH
            || !self.fired.is_empty()
            || self.silences.is_some()
    }

    fn open(&mut self) -> Result<(), Trouble> {
        if self.store.is_none() {
            let store = Store::open(&self.place, self.bounds)?;
            if !self.restored {
                self.status.restored(store.alerts()?);
                self.restored = true;
            }
            self.store = Some(store);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Trouble> {
        self.open()?;
        let Some(store) = &mut self.store else { return Ok(()) };
        if !self.samples.is_empty() || !self.ended.is_empty() {
            store.keep(now(), self.samples.make_contiguous(), self.ended.make_contiguous())?;
            self.samples.clear();
            self.ended.clear();
        }
        if let Some(silences) = &self.silences {
            store.keep_silences(silences)?;
            self.silences = None;
        }
        while let Some(fired) = self.fired.front() {
            store.keep_fired(fired)?;
            self.fired.pop_front();
        }
        Ok(())
    }

    /// Does something, and deals with what stands in the way.
    fn attempt(&mut self, work: impl FnOnce(&mut Self) -> Result<(), Trouble>) {
        match work(self).and_then(|()| self.store.as_ref().map_or(Ok(None), |store| store.size().map(Some))) {
            Ok(None) => {}
            Ok(Some(size)) => self.works(size),
            Err(trouble) => self.fails(&trouble),
        }
    }

    fn works(&mut self, size: Size) {
        if self.failures > 0 {
            tracing::info!(failures = self.failures, dropped = self.status.dropped(), "history is kept again");
        }
        (self.failures, self.again) = (0, None);
        self.status.works(size);
    }

    fn fails(&mut self, trouble: &Trouble) {
        self.store = None;
        let aside = matches!(trouble, Trouble::Corrupt(_)) && self.set_broken_aside(trouble);
        self.failures = self.failures.saturating_add(1);
        self.again = Some(Instant::now() + if aside { Duration::ZERO } else { RETRY.delay(self.failures, random()) });
        let said = format!("{}: {trouble}", self.place);
        if self.failures == 1 && !aside {
            tracing::error!(why = said, "history cannot be kept; calls go on, and it is tried again");
        }
        self.status.fails(said);
    }

    /// Whether a broken file was put out of the way.
    fn set_broken_aside(&mut self, trouble: &Trouble) -> bool {
        let Place::File(path) = &self.place else { return false };
        if self.set_aside.is_some_and(|last| last.elapsed() < SET_ASIDE) {
            return false;
        }
        match file::set_aside(path) {
            Ok(aside) => {
                self.set_aside = Some(Instant::now());
                tracing::error!(why = %trouble, kept = %aside.display(), "the history file is broken: it was set aside, and a new one is begun");
                true
            }
            Err(error) => {
                tracing::error!(why = %trouble, %error, "the history file is broken, and cannot be set aside");
                false
            }
        }
    }
}
