//! The queue of one process: its own pool does the jobs.

use crate::job::Job;
use crate::{Event, Fate, Problem, Queue, Stop, Workshop};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What this process is called among workers.
pub const NAME: &str = "local";

/// Words that wait to be heard; then the jobs wait.
const EVENTS: usize = 1024;

/// Jobs on threads of this process.
#[derive(Debug)]
pub struct Local {
    events: Receiver<Event>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Local {
    /// Starts so many threads, which do the jobs in order. A job may take `limit`.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(workshop: Arc<Workshop>, jobs: Vec<Job>, threads: usize, limit: Duration) -> Result<Self, Problem> {
        let (sender, events) = sync_channel(EVENTS);
        let waiting = Arc::new(Mutex::new(VecDeque::from(jobs)));
        let mut local = Self { events, stop: Arc::new(AtomicBool::new(false)), threads: Vec::new() };
        for index in 0..threads.max(1) {
            let hand = Hand {
                workshop: workshop.clone(),
                waiting: waiting.clone(),
                stop: local.stop.clone(),
                sender: sender.clone(),
                limit,
            };
            let thread = thread::Builder::new().name(format!("sidetone-job-{index}")).spawn(move || hand.work());
            let failed = |error| Problem::give_back(format!("the system gives no thread for a job: {error}"));
            local.threads.push(thread.map_err(failed)?);
        }
        Ok(local)
    }
}

impl Queue for Local {
    fn next(&mut self, wait: Duration) -> Result<Option<Event>, Problem> {
        match self.events.recv_timeout(wait) {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Problem::give_back("all threads of this process have ended")),
        }
    }

    fn withdraw(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // Make room for what they still say.
            while !thread.is_finished() {
                drop(self.events.recv_timeout(Duration::from_millis(10)));
            }
            // A panic of a job is its own: the others went on.
            drop(thread.join());
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.withdraw();
    }
}

/// One thread.
struct Hand {
    workshop: Arc<Workshop>,
    waiting: Arc<Mutex<VecDeque<Job>>>,
    stop: Arc<AtomicBool>,
    sender: SyncSender<Event>,
    limit: Duration,
}

impl Hand {
    fn work(self) {
        while !self.stop.load(Ordering::Relaxed) {
            let job = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(job) = job else { return };
            // Where nobody listens any more, the batch is over.
            if self.sender.send(self.perform(&job)).is_err() {
                return;
            }
        }
    }

    fn perform(&self, job: &Job) -> Event {
        let (address, worker) = (job.address.clone(), NAME.to_owned());
        let started = Event::Started { address: address.clone(), worker: worker.clone(), attempt: 1 };
        drop(self.sender.try_send(started));
        let so_far = |part| {
            let progress = Event::Progress { address: job.address.clone(), worker: NAME.to_owned(), part };
            drop(self.sender.try_send(progress));
        };
        let stop = Stop::new(self.stop.clone(), self.limit);
        match self.workshop.perform(job, &stop, &so_far) {
            Ok(made) => Event::Done { address, worker, attempt: 1, made },
            Err(Problem { reason, fate: Fate::Return }) => Event::Failed { address, worker, attempt: 1, reason },
            // There is no other worker, and no better time.
            Err(Problem { reason, .. }) => Event::Dead { address, worker, attempts: 1, reason },
        }
    }
}
