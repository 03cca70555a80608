//! A worker: a queue, the seats of the sessions that live there, and the thread that serves them.
//!
//! One thread serves a worker at a time. It takes a job and the seat it is for, and lays the seat down with the next
//! lock of the queue. A thread that panics is replaced; one whose guest takes long while others wait is relieved: a
//! further thread serves the other seats meanwhile, and the first ends when its guest does (see [`shift`](super::shift)).

use super::ladder::Ladder;
use super::meters::Meters;
use super::queue::Queues;
use super::seated::Seated;
use super::session::{Meta, shut_down};
use super::shared::Shared;
use super::work::Work;
use super::{CloseReason, PoolError, Shed};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(crate) struct Worker {
    pub(crate) index: usize,
    pub(crate) shared: Arc<Shared>,
    /// Sessions that live here; counted from before they open until their slot is free.
    pub(crate) sessions: AtomicU32,
    pub(super) queue: Mutex<Queue>,
    pub(super) wake: Condvar,
    /// Something waits: looked at without the lock while spinning.
    pub(super) pending: AtomicU64,
    /// Number of the job that is being done; 0 where there is none.
    pub(super) job: AtomicU64,
    pub(crate) meters: Meters,
    /// Threads that have not ended.
    pub(super) threads: AtomicU32,
    pub(super) thread: Mutex<Option<JoinHandle<()>>>,
}

pub(super) struct Queue {
    pub(super) work: Queues<Arc<Meta>, Work>,
    /// By lane; `None` where there is none yet, or a thread has it.
    pub(super) seats: Vec<Option<Box<Seated>>>,
    pub(super) ladder: Ladder,
    pub(super) asleep: bool,
    /// Closing: finish what is queued until this time.
    pub(super) until: Option<Duration>,
    /// Number of the thread that serves.
    pub(super) shift: u64,
    /// The last number that was given.
    pub(super) shifts: u64,
    /// A caller serves; this is the number of the worker's own thread, which sleeps.
    pub(super) away: Option<u64>,
    /// Jobs taken so far.
    pub(super) jobs: u64,
    /// Tenant of the one that is being done.
    pub(super) served: Option<usize>,
    /// Nobody serves any more.
    pub(super) over: bool,
}

impl Queue {
    pub(super) const fn next_shift(&mut self) -> u64 {
        self.shifts += 1;
        self.shifts
    }

    /// The worker's own thread serves again, once it is woken.
    pub(super) const fn serve_again(&mut self) {
        if let Some(thread) = self.away.take() {
            self.shift = thread;
        }
    }
}

impl Worker {
    pub(crate) fn start(index: usize, shared: Arc<Shared>) -> Result<Arc<Self>, PoolError> {
        let worker = Arc::new(Self {
            index,
            queue: Mutex::new(Queue {
                work: Queues::new(shared.bounds),
                seats: Vec::new(),
                ladder: Ladder::new(shared.ladder),
                asleep: false,
                until: None,
                shift: 0,
                shifts: 0,
                away: None,
                jobs: 0,
                served: None,
                over: false,
            }),
            sessions: AtomicU32::new(0),
            wake: Condvar::new(),
            pending: AtomicU64::new(0),
            job: AtomicU64::new(0),
            meters: Meters::new(index),
            threads: AtomicU32::new(0),
            thread: Mutex::new(None),
            shared,
        });
        worker.spawn(0).map_err(|error| PoolError::Start(format!("no thread for worker {index}: {error}")))?;
        Ok(worker)
    }

    /// A lane, and its first work, made of what its owner holds. That is handed back where the work does not keep it.
    pub(crate) fn open<T>(
        self: &Arc<Self>,
        tenant: usize,
        meta: impl FnOnce(usize) -> Meta,
        work: impl FnOnce(Arc<Meta>) -> (Work, T),
    ) -> Result<T, PoolError> {
        let mut queue = self.lock();
        if queue.until.is_some() {
            return Err(shut_down());
        }
        // Each holds a slot, or waits for one to open in, or to give it back: these, too, are bounded.
        let instances = self.shared.instances;
        if self.sessions.load(Relaxed) as usize >= instances as usize + self.shared.bounds.worker {
            return Err(PoolError::Busy { instances });
        }
        self.sessions.fetch_add(1, Relaxed);
        self.meters.sessions_metric.increment(1.0);
        let lane = queue.work.open(tenant, |lane| Arc::new(meta(lane)));
        let Some(meta) = queue.work.owner(lane).cloned() else { return Err(PoolError::Lost) };
        drop(queue);
        let (work, rest) = work(meta.clone());
        self.submit(&meta, work);
        Ok(rest)
    }

    /// Queues work of a session.
    pub(crate) fn submit(&self, meta: &Meta, work: Work) {
        let now = self.shared.clock.now();
        let queue = self.lock();
        if queue.until.is_some() {
            drop(queue);
            return work.refuse(shut_down());
        }
        self.push(queue, meta, now, work);
    }

    pub(super) fn push(&self, mut queue: MutexGuard<'_, Queue>, meta: &Meta, now: Duration, work: Work) {
        let removed = queue.work.push(meta.lane, now, work);
        self.pending.store(queue.work.frames().max(1) as u64, Relaxed);
        let wakes = queue.asleep && queue.away.is_none();
        drop(queue);
        if wakes {
            self.wake.notify_one();
        }
        if let Some(removed) = removed {
            let why = if removed.own_queue { Shed::SessionQueue } else { Shed::WorkerQueue };
            removed.owner.shed(removed.job, now.saturating_sub(removed.since), why);
        }
    }

    /// Gives up what a session has queued to be sent.
    pub(crate) fn discard(&self, meta: &Meta) {
        let now = self.shared.clock.now();
        let mut queue = self.lock();
        let gone = if queue.until.is_some() { Vec::new() } else { queue.work.discard(meta.lane, Work::is_outgoing) };
        drop(queue);
        for (since, work) in gone {
            meta.shed(work, now.saturating_sub(since), Shed::Discarded);
        }
    }

    /// Ends a lane, for work that was begun at `start`: that, too, its tenant pays for.
    pub(super) fn end_lane(&self, lane: usize, start: Duration) {
        let now = self.shared.clock.now();
        let took = now.saturating_sub(start);
        let mut queue = self.lock();
        let Some((meta, rest)) = queue.work.close(lane) else { return };
        queue.work.charge(meta.tenant.place.index(), took);
        drop(queue);
        meta.tenant.charge(now, took);
        self.left(&meta);
        rest.into_iter().for_each(|work| work.refuse(PoolError::Closed(CloseReason::Asked)));
    }

    pub(super) fn left(&self, meta: &Meta) {
        self.sessions.fetch_sub(1, Relaxed);
        self.meters.sessions_metric.decrement(1.0);
        meta.tenant.leave();
    }

    pub(crate) fn queued(&self) -> usize {
        self.lock().work.frames()
    }

    /// Takes no more work, and ends when what is queued was done, or at `until`.
    pub(crate) fn close(&self, until: Duration) {
        self.lock().until = Some(until);
        // One that looks for work without the lock finds this.
        self.pending.store(1, Relaxed);
        self.wake.notify_all();
    }

    /// Waits for its threads; `false` if one is still there after `bound`.
    pub(crate) fn join(&self, bound: Duration) -> bool {
        let start = std::time::Instant::now();
        while self.threads.load(Relaxed) > 0 {
            if start.elapsed() > bound {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Dropped by a callback on the worker itself, it cannot wait for itself.
        if let Some(thread) = thread.filter(|handle| handle.thread().id() != thread::current().id()) {
            drop(thread.join());
        }
        true
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
