//! History: numbers over time, ended sessions, and what of alerts outlives a restart, in an embedded database.
//!
//! Nothing waits for it: a thread of its own has the database, what is to be kept is put into a bounded queue or dropped
//! and counted, and a disk that is full, slow or broken costs history alone.

mod encoding;
mod file;
mod keeper;
mod query;
mod schema;
mod store;
#[cfg(test)]
mod tests;
mod tiers;
mod trouble;

pub(crate) use query::{Kept, Page};
pub(crate) use store::FIRED;
pub(crate) use tiers::{FINEST, Range};

use crate::monitor::Sample;
use keeper::Keeper;
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use store::{Size, Store};
use tokio::sync::oneshot;
use trouble::Trouble;

/// What waits for the thread: two minutes of samples, and a gateway that ends all its calls.
const QUEUE: usize = 1024;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the thread has to write what waits when the gateway ends.
const CLOSING: Duration = Duration::from_secs(2);

/// Where history is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// As long as the process lives.
    Memory,
    /// In a file.
    File(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::File(path) => write!(f, "history.file = {path:?}"),
        }
    }
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) max_age: Duration,
    pub(crate) most_bytes: u64,
}

/// A session that ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// In ms of Unix time.
    pub(crate) ended: u64,
    pub(crate) id: String,
    pub(crate) tenant: String,
    pub(crate) device: String,
    /// As the API has it, without events.
    pub(crate) view: String,
    /// Events, as the API has them.
    pub(crate) events: String,
}

/// A silence of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Silence {
    pub(crate) id: String,
    /// In ms of Unix time.
    pub(crate) until: u64,
    pub(crate) why: Option<String>,
}

/// An alert that fired, or ceased to; as the API has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fired(pub(crate) String);

/// Something that is answered with the database, where there is one.
type Question = Box<dyn FnOnce(Option<&Store>) -> Result<(), Trouble> + Send>;

/// What the thread is told.
enum Task {
    /// By the second it begins at.
    Sample(u64, Box<Sample>),
    Ended(Box<Ended>),
    Fired(Fired),
    Silences(Vec<Silence>),
    Bounds(Bounds),
    Ask(Question),
}

/// How it goes, for operators.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusView {
    kept: &'static str,
    working: bool,
    why: Option<String>,
    bytes: u64,
    most_bytes: u64,
    days: u64,
    oldest: Option<u64>,
    samples: u64,
    dropped: u64,
    failures: u64,
}

/// The same, shared between thread and handle.
#[derive(Debug, Default)]
struct Status {
    failing: AtomicBool,
    dropped: AtomicU64,
    failures: AtomicU64,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    why: Option<String>,
    size: Size,
    /// What of alerts was found in the file; taken once.
    restored: Option<(Vec<Silence>, Vec<Fired>)>,
}

impl Status {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn works(&self, size: Size) {
        self.failing.store(false, Relaxed);
        let mut known = self.known();
        (known.why, known.size) = (None, size);
    }

    fn fails(&self, why: String) {
        self.failing.store(true, Relaxed);
        self.failures.fetch_add(1, Relaxed);
        self.known().why = Some(why);
    }

    fn restored(&self, restored: (Vec<Silence>, Vec<Fired>)) {
        self.known().restored = Some(restored);
    }

    fn drop_one(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}

/// Why history does not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unavailable {
    #[error("history is off: set history.file to a file, or to \"memory\"")]
    Off,
    #[error("history cannot be read: {0}")]
    Failing(String),
    #[error("history is busy; try again")]
    Busy,
}

/// History, as the rest of the gateway has it.
pub(crate) struct History {
    open: Option<Open>,
    bounds: Mutex<Bounds>,
    status: Arc<Status>,
}

struct Open {
    place: Place,
    tasks: Mutex<Option<SyncSender<Task>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    ended: Mutex<mpsc::Receiver<()>>,
}

impl History {
    /// Begins to keep history; `None`: not at all. Opening the file happens on the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(place: Option<Place>, bounds: Bounds) -> std::io::Result<Self> {
        let status = Arc::new(Status::default());
        let open = place.map(|place| Self::open(place, bounds, &status)).transpose()?;
        Ok(Self { open, bounds: Mutex::new(bounds), status })
    }

    fn open(place: Place, bounds: Bounds, status: &Arc<Status>) -> std::io::Result<Open> {
        let (tasks, received) = mpsc::sync_channel(QUEUE);
        let (end, ended): (Sender<()>, _) = mpsc::channel();
        let keeper = Keeper::new(place.clone(), bounds, status.clone());
        let thread = std::thread::Builder::new().name("history".into()).spawn(move || {
            // Dropped when the thread ends, in whatever way.
            let _end = end;
            keeper.run(&received);
        })?;
        Ok(Open { place, tasks: Mutex::new(Some(tasks)), thread: Mutex::new(Some(thread)), ended: Mutex::new(ended) })
    }

    fn put(&self, task: Task) -> bool {
        let Some(open) = &self.open else { return true };
        let tasks = open.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.as_ref().is_some_and(|tasks| tasks.try_send(task).is_ok())
    }

    fn keep(&self, task: Task) {
        if !self.put(task) {
            self.status.drop_one();
        }
    }

    /// Keeps a sample that begins at a second of Unix time.
    pub(crate) fn sample(&self, at: u64, sample: Sample) {
        self.keep(Task::Sample(at, Box::new(sample)));
    }

    /// Keeps a session that ended.
    pub(crate) fn ended(&self, ended: Ended) {
        self.keep(Task::Ended(Box::new(ended)));
    }

    /// Keeps note of an alert that fired, or ceased to.
    pub(crate) fn fired(&self, fired: Fired) {
        self.keep(Task::Fired(fired));
    }

    /// Keeps the silences there are.
    pub(crate) fn silences(&self, silences: Vec<Silence>) {
        self.keep(Task::Silences(silences));
    }

    /// Takes other bounds on.
    pub(crate) fn set_bounds(&self, bounds: Bounds) {
        let mut current = self.bounds.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != bounds {
            *current = bounds;
            self.keep(Task::Bounds(bounds));
        }
    }

    /// What of alerts was found in the file; once.
    pub(crate) fn restored(&self) -> Option<(Vec<Silence>, Vec<Fired>)> {
        self.status.known().restored.take()
    }

    /// Whether it should be kept, and cannot be.
    pub(crate) fn is_failing(&self) -> bool {
        self.status.failing.load(Relaxed)
    }

    pub(crate) fn kept(&self) -> &'static str {
        match self.open.as_ref().map(|open| &open.place) {
            None => "off",
            Some(Place::Memory) => "memory",
            Some(Place::File(_)) => "file",
        }
    }

    pub(crate) fn status(&self) -> StatusView {
        let bounds = *self.bounds.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.status.known();
        StatusView {
            kept: self.kept(),
            working: self.open.is_some() && !self.is_failing(),
            why: known.why.clone(),
            bytes: known.size.bytes,
            most_bytes: bounds.most_bytes,
            days: bounds.max_age.as_secs() / 86_400,
            oldest: known.size.oldest.map(|oldest| oldest * 1000),
            samples: known.size.samples,
            dropped: self.status.dropped(),
            failures: self.status.failures.load(Relaxed),
        }
    }

    /// The points of a range, up to now; `None`: a gap.
    pub(crate) async fn range(&self, range: Range, now: u64) -> Result<Vec<Option<Sample>>, Unavailable> {
        self.ask(move |store| store.range(&range, now)).await
    }

    /// A page of ended sessions, the last to end first.
    pub(crate) async fn sessions(&self, page: Page) -> Result<Vec<Kept>, Unavailable> {
        self.ask(move |store| store.sessions(&page)).await
    }

    /// An ended session.
    pub(crate) async fn session(&self, id: String) -> Result<Option<Kept>, Unavailable> {
        self.ask(move |store| store.session(&id)).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Store) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Unavailable> {
        if self.open.is_none() {
            return Err(Unavailable::Off);
        }
        let (answer, answered) = oneshot::channel();
        let ask = move |store: Option<&Store>| {
            // Whoever asked may have gone.
            let (found, trouble) = match store.map(question) {
                Some(Ok(found)) => (Some(found), Ok(())),
                Some(Err(trouble)) => (None, Err(trouble)),
                None => (None, Ok(())),
            };
            drop(answer.send(found));
            trouble
        };
        if !self.put(Task::Ask(Box::new(ask))) {
            return Err(Unavailable::Busy);
        }
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(Some(found))) => Ok(found),
            Ok(_) => Err(Unavailable::Failing(self.status.known().why.clone().unwrap_or_else(|| "it ended".into()))),
            Err(_) => Err(Unavailable::Busy),
        }
    }

    /// Writes what waits. Blocks, for at most [`CLOSING`]; a thread that is stuck is left to itself.
    pub(crate) fn close(&self) {
        let Some(open) = &self.open else { return };
        drop(open.tasks.lock().unwrap_or_else(PoisonError::into_inner).take());
        let until = Instant::now() + CLOSING;
        let ended = open.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let stuck = ended.recv_timeout(until.saturating_duration_since(Instant::now()));
        if stuck == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!("history was still busy, and lacks its last minute");
            return;
        }
        if let Some(thread) = open.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic was logged by the thread itself.
            drop(thread.join());
        }
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").field("kept", &self.kept()).finish_non_exhaustive()
    }
}
