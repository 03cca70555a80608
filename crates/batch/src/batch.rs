//! A batch from its plan to its tally, over any queue.

use crate::plan::Plan;
use crate::{Address, Event, Made, Problem, Queue};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// How long to listen before looking at everything else.
const TURN: Duration = Duration::from_millis(100);

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// All jobs are done, or dead letters.
    Complete,
    /// It was told to end.
    Stopped,
    /// Nobody did anything for too long.
    Stalled,
}

/// A job that nobody does any more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dead {
    /// The file.
    pub input: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Why, in one sentence.
    pub reason: String,
}

/// What one worker did.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Share {
    /// Jobs that it did.
    pub jobs: u64,
    /// Seconds that these took, those side by side each by itself.
    pub busy_seconds: f64,
    /// Seconds of audio in them.
    pub audio_seconds: f64,
    /// Jobs that it gave back.
    pub given_back: u64,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tally {
    /// How it ended.
    pub end: End,
    /// Files.
    pub files: u64,
    /// Outputs that were there before.
    pub present: u64,
    /// Jobs done.
    pub done: u64,
    /// Jobs that are neither done nor dead.
    pub missing: u64,
    /// Dead letters.
    pub dead: Vec<Dead>,
    /// Tries that failed and were followed by another.
    pub retries: u64,
    /// Bytes of what was made.
    pub bytes: u64,
    /// Seconds of audio that were worked on.
    pub audio_seconds: f64,
    /// Seconds that it took.
    pub seconds: f64,
    /// By the names of workers.
    pub workers: BTreeMap<String, Share>,
    /// What is worth saying of files that were done.
    pub notes: Vec<String>,
}

impl Tally {
    /// Whether all that was wanted is there.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.end == End::Complete && self.dead.is_empty() && self.missing == 0
    }
}

/// How far a batch is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Jobs done or dead.
    pub over: usize,
    /// Jobs that a worker is at.
    pub running: usize,
    /// Bytes of input that were worked on, those of running jobs in proportion.
    pub bytes: u64,
    /// What just failed, for people to see.
    pub failed: Option<(&'a str, &'a str)>,
    /// Nobody has begun anything yet.
    pub idle: Duration,
}

/// What is known of a job that is not over.
struct Open {
    bytes: u64,
    part: f32,
    running: bool,
    /// Places of its files in the plan.
    items: Vec<usize>,
}

/// Hears of all jobs of a plan until they are over. `going` is told of the progress, and says whether to go on;
/// `patience` is how long nothing may happen.
///
/// # Errors
/// The queue is lost.
pub fn run(
    plan: &Plan,
    queue: &mut dyn Queue,
    patience: Duration,
    mut going: impl FnMut(Progress<'_>) -> bool,
) -> Result<Tally, Problem> {
    let mut run = Run::new(plan);
    let started = Instant::now();
    let mut heard = started;
    while !run.open.is_empty() {
        let event = queue.next(TURN)?;
        let failed = event.and_then(|event| {
            heard = Instant::now();
            run.take(plan, event)
        });
        let idle = heard.elapsed();
        let failed = failed.as_ref().map(|(name, reason)| (&**name, &**reason));
        if !going(run.progress(failed, idle)) {
            run.tally.end = End::Stopped;
            break;
        }
        if idle > patience {
            run.tally.end = End::Stalled;
            break;
        }
    }
    if run.tally.end != End::Complete {
        queue.withdraw();
    }
    run.tally.missing = run.open.len() as u64;
    run.tally.seconds = started.elapsed().as_secs_f64();
    Ok(run.tally)
}

struct Run {
    open: HashMap<Address, Open>,
    over: usize,
    bytes: u64,
    tally: Tally,
}

impl Run {
    fn new(plan: &Plan) -> Self {
        let mut open: HashMap<Address, Open> = HashMap::new();
        for job in &plan.jobs {
            let fresh = Open { bytes: job.input.bytes, part: 0.0, running: false, items: Vec::new() };
            open.insert(job.address.clone(), fresh);
        }
        for (place, item) in plan.items.iter().enumerate().filter(|(_, item)| !item.present) {
            if let Some(job) = open.get_mut(&item.address) {
                job.items.push(place);
            }
        }
        let tally = Tally {
            end: End::Complete,
            files: plan.items.len() as u64,
            present: plan.present() as u64,
            done: 0,
            missing: 0,
            dead: Vec::new(),
            retries: 0,
            bytes: 0,
            audio_seconds: 0.0,
            seconds: 0.0,
            workers: BTreeMap::new(),
            notes: Vec::new(),
        };
        Self { open, over: 0, bytes: 0, tally }
    }

    /// Takes a word in; what failed, if something did.
    fn take(&mut self, plan: &Plan, event: Event) -> Option<(String, String)> {
        // A word of what is over already is an echo: a job may be done twice.
        let name = |open: &Open| open.items.first().map_or_else(String::new, |&place| shown_input(plan, place));
        match event {
            Event::Started { address, .. } => {
                let open = self.open.get_mut(&address)?;
                (open.running, open.part) = (true, 0.0);
                None
            }
            Event::Progress { address, part, .. } => {
                let open = self.open.get_mut(&address)?;
                (open.running, open.part) = (true, part.clamp(0.0, 1.0));
                None
            }
            Event::Failed { address, worker, reason, .. } => {
                let open = self.open.get_mut(&address)?;
                (open.running, open.part) = (false, 0.0);
                self.tally.retries += 1;
                self.tally.workers.entry(worker).or_default().given_back += 1;
                Some((name(open), reason))
            }
            Event::Done { address, worker, made, .. } => {
                let open = self.open.remove(&address)?;
                self.done(plan, &open, worker, made);
                None
            }
            Event::Dead { address, attempts, reason, .. } => {
                let open = self.open.remove(&address)?;
                self.end(&open);
                for &place in &open.items {
                    let input = plan.items[place].input.to_string_lossy().into_owned();
                    self.tally.dead.push(Dead { input, attempts, reason: reason.clone() });
                }
                Some((name(&open), reason))
            }
        }
    }

    fn done(&mut self, plan: &Plan, open: &Open, worker: String, made: Made) {
        self.end(open);
        self.tally.done += 1;
        self.tally.bytes += made.bytes;
        self.tally.audio_seconds += made.audio_seconds;
        let share = self.tally.workers.entry(worker).or_default();
        share.jobs += 1;
        share.busy_seconds += made.seconds;
        share.audio_seconds += made.audio_seconds;
        if let Some(&place) = open.items.first() {
            let name = shown_input(plan, place);
            self.tally.notes.extend(made.notes.iter().map(|note| format!("{name}: {note}")));
        }
    }

    fn end(&mut self, open: &Open) {
        self.over += 1;
        self.bytes += open.bytes;
    }

    fn progress<'a>(&self, failed: Option<(&'a str, &'a str)>, idle: Duration) -> Progress<'a> {
        let running = self.open.values().filter(|open| open.running);
        let parts: f64 = running.clone().map(|open| open.bytes as f64 * f64::from(open.part)).sum();
        Progress { over: self.over, running: running.count(), bytes: self.bytes + parts as u64, failed, idle }
    }
}

fn shown_input(plan: &Plan, place: usize) -> String {
    sidetone_audio::shown::path(&plan.items[place].input).to_string()
}
