//! A guest that takes long keeps nobody waiting but its own session: another thread serves the worker meanwhile.

use super::queue::MOST_BUSY;
use super::worker::Worker;
use crate::ticker::Ticker;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Threads of a worker, callers' among them: the one that serves, and as many whose guests take long as one tenant may
/// have. Were there no bound, a tenant could have as many threads as sessions.
const MOST_THREADS: u32 = MOST_BUSY as u32 + 1;

/// How often it is looked whether a guest takes long: a thread is relieved after 5 to 10 ms.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What a tenant is charged in the queue as soon as one of its guests takes long, so that its next ones wait.
pub(super) const ADVANCE: Duration = Duration::from_millis(10);

impl Worker {
    /// Lets another thread serve, where the one that does is still at the job `seen` when this was last asked, and others
    /// wait. Returns the job it is at.
    fn relieve(self: &Arc<Self>, seen: u64) -> u64 {
        let job = self.job.load(Relaxed);
        if job != seen || job == 0 {
            return job;
        }
        let mut queue = self.lock();
        let stuck = self.job.load(Relaxed) == job && !queue.work.is_empty();
        // A caller that serves has the worker's own thread to relieve it.
        let most = MOST_THREADS + u32::from(queue.away.is_some());
        if !stuck || queue.over || self.threads.load(Relaxed) >= most {
            return job;
        }
        if queue.away.is_some() {
            queue.serve_again();
            self.wake.notify_one();
        } else {
            let shift = queue.next_shift();
            // The new thread waits for this lock.
            if let Err(error) = self.spawn(shift) {
                tracing::warn!(worker = self.index, %error, "no thread to relieve one whose guest takes long");
                return job;
            }
            queue.shift = shift;
        }
        self.job.store(0, Relaxed);
        if let Some(tenant) = queue.served.take() {
            queue.work.charge(tenant, ADVANCE);
        }
        self.meters.reliefs.add(1);
        0
    }
}

/// Sees to it that a guest that takes long keeps nobody waiting but its own session. Ends when it is dropped.
pub(super) fn watch(workers: &[Arc<Worker>]) -> io::Result<Ticker> {
    let mut seen: Vec<_> = workers.iter().map(|worker| (worker.clone(), 0)).collect();
    Ticker::start("sidetone-watch", LOOK_EVERY, move || {
        seen.iter_mut().for_each(|(worker, job)| *job = worker.relieve(*job));
    })
}
