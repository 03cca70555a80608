//! A worker: a thread that owns the instances of its sessions, the queue in front of it, and what becomes of both when
//! the thread panics.

use super::event::Event;
use super::histogram::Histogram;
use super::ladder::Ladder;
use super::queue::{Next, Queues};
use super::seats::Seats;
use super::session::{Meta, PoolSession, shut_down};
use super::shared::Shared;
use super::tenant::Meter;
use super::work::Work;
use super::{CloseReason, PoolError, Shed};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(crate) struct Worker {
    pub(crate) index: usize,
    pub(crate) shared: Arc<Shared>,
    /// Sessions that live here; counted from before they open until their slot is free.
    pub(crate) sessions: AtomicU32,
    queue: Mutex<Queue>,
    wake: Condvar,
    /// Something waits: looked at without the lock while spinning.
    pub(crate) pending: AtomicU64,
    pub(crate) meters: Meters,
    /// Handed from a thread that panicked to its successor.
    seats: Mutex<Option<Seats>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    pub(crate) ended: AtomicBool,
}

struct Queue {
    work: Queues<Arc<Meta>, Work>,
    asleep: bool,
    /// Closing: finish what is queued until this time.
    until: Option<Duration>,
}

/// What a worker measures.
pub(crate) struct Meters {
    pub(crate) queue: Histogram,
    pub(crate) guest: Histogram,
    pub(crate) total: Histogram,
    pub(crate) depth: AtomicU64,
    pub(crate) average_nanos: AtomicU64,
    pub(crate) replaced: Meter,
    queue_metric: metrics::Histogram,
    guest_metric: metrics::Histogram,
    total_metric: metrics::Histogram,
    depth_metric: metrics::Gauge,
}

impl Meters {
    fn new(worker: usize) -> Self {
        let name = worker.to_string();
        Self {
            queue: Histogram::default(),
            guest: Histogram::default(),
            total: Histogram::default(),
            depth: AtomicU64::new(0),
            average_nanos: AtomicU64::new(0),
            replaced: Meter::new(metrics::counter!("sidetone_workers_replaced_total", "worker" => name.clone())),
            queue_metric: metrics::histogram!("sidetone_queue_seconds", "worker" => name.clone()),
            guest_metric: metrics::histogram!("sidetone_guest_seconds", "worker" => name.clone()),
            total_metric: metrics::histogram!("sidetone_total_seconds", "worker" => name.clone()),
            depth_metric: metrics::gauge!("sidetone_queue_depth", "worker" => name),
        }
    }

    fn record(&self, waited: Duration, took: Duration) {
        self.queue.record(waited);
        self.guest.record(took);
        self.total.record(waited + took);
        self.queue_metric.record(waited);
        self.guest_metric.record(took);
        self.total_metric.record(waited + took);
    }
}

impl Worker {
    pub(crate) fn start(index: usize, shared: Arc<Shared>) -> Result<Arc<Self>, PoolError> {
        let worker = Arc::new(Self {
            index,
            queue: Mutex::new(Queue { work: Queues::new(shared.bounds), asleep: false, until: None }),
            sessions: AtomicU32::new(0),
            wake: Condvar::new(),
            pending: AtomicU64::new(0),
            meters: Meters::new(index),
            seats: Mutex::new(Some(Seats::default())),
            thread: Mutex::new(None),
            ended: AtomicBool::new(false),
            shared,
        });
        worker.spawn().map_err(|error| PoolError::Start(format!("no thread for worker {index}: {error}")))?;
        Ok(worker)
    }

    fn spawn(self: &Arc<Self>) -> std::io::Result<()> {
        let worker = self.clone();
        let name = format!("sidetone-worker-{}", self.index);
        let thread = thread::Builder::new().name(name).spawn(move || worker.main())?;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// The thread. A panic ends it; another takes over its queue and its sessions.
    fn main(self: Arc<Self>) {
        loop {
            let taken = self.seats.lock().unwrap_or_else(PoisonError::into_inner).take();
            let mut seats = taken.unwrap_or_default();
            if catch_unwind(AssertUnwindSafe(|| self.serve(&mut seats))).is_ok() {
                self.ended.store(true, Relaxed);
                return;
            }
            self.meters.replaced.add(1);
            tracing::error!(worker = self.index, "a worker's thread panicked and is replaced");
            // The sink may be what panicked.
            drop(catch_unwind(AssertUnwindSafe(|| seats.survive_panic(&self.shared))));
            *self.seats.lock().unwrap_or_else(PoisonError::into_inner) = Some(seats);
            let told = || self.shared.sink.tell(&Event::WorkerReplaced { worker: self.index });
            drop(catch_unwind(AssertUnwindSafe(told)));
            if self.spawn().is_ok() {
                return;
            }
            // No thread to be had: this one goes on.
        }
    }

    fn serve(&self, seats: &mut Seats) {
        let mut ladder = Ladder::new(self.shared.ladder);
        while let Some(Next { lane, tenant, since, job }) = self.next(seats) {
            let start = self.shared.clock.now();
            let waited = start.saturating_sub(since);
            let audio = job.is_audio();
            if let Work::Close(answer) = job {
                seats.close(lane);
                self.end_lane(lane);
                // Told when there is room again.
                drop(answer.map(|answer| answer.send(Ok(()))));
                continue;
            }
            if !seats.serve(self, lane, waited, job) {
                continue;
            }
            let end = self.shared.clock.now();
            let took = end.saturating_sub(start);
            seats.charge(lane, tenant, took);
            if audio {
                self.meters.record(waited, took);
                if let Some(level) = ladder.observe(end, waited + took) {
                    seats.level = level;
                    self.shared.sink.tell(&Event::Ladder { worker: self.index, level });
                }
                self.meters.average_nanos.store(ladder.average().as_nanos() as u64, Relaxed);
            }
        }
        seats.leave_all();
        let owners = self.lock().work.close_all();
        owners.iter().for_each(|meta| self.left(meta));
    }

    /// Waits for work. `None`: the pool is shut down.
    fn next(&self, seats: &mut Seats) -> Option<Next<Work>> {
        let mut queue = self.lock();
        if let Some((tenant, took)) = seats.owed.take() {
            queue.work.charge(tenant, took);
        }
        loop {
            if queue.until.is_some_and(|until| self.shared.clock.now() >= until) {
                let late = queue.work.drain();
                drop(queue);
                late.into_iter().for_each(|work| work.refuse(shut_down()));
                return None;
            }
            let depth = queue.work.frames() as u64;
            if let Some(next) = queue.work.pop() {
                self.pending.store(queue.work.frames() as u64, Relaxed);
                self.meters.depth.fetch_add(depth, Relaxed);
                self.meters.depth_metric.set(depth as f64);
                return Some(next);
            }
            if queue.until.is_some() {
                return None;
            }
            self.pending.store(0, Relaxed);
            if !self.shared.spin.is_zero() {
                drop(queue);
                self.spin();
                queue = self.lock();
                if !queue.work.is_empty() || queue.until.is_some() {
                    continue;
                }
            }
            queue.asleep = true;
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.asleep = false;
        }
    }

    /// Looks for work for a while before it sleeps: waking a thread takes longer than a frame may wait.
    fn spin(&self) {
        let start = std::time::Instant::now();
        while self.pending.load(Relaxed) == 0 && start.elapsed() < self.shared.spin {
            std::hint::spin_loop();
        }
    }

    /// A lane for a session, and its first work.
    pub(crate) fn open(
        self: &Arc<Self>,
        tenant: usize,
        meta: impl FnOnce(usize) -> Meta,
        work: impl FnOnce(PoolSession) -> Work,
    ) -> Result<(), PoolError> {
        let mut queue = self.lock();
        if queue.until.is_some() {
            return Err(shut_down());
        }
        self.sessions.fetch_add(1, Relaxed);
        let mut opened = None;
        queue.work.open(tenant, |lane| {
            let meta = Arc::new(meta(lane));
            opened = Some(meta.clone());
            meta
        });
        drop(queue);
        if let Some(meta) = opened {
            let session = PoolSession { meta: meta.clone(), worker: self.clone(), closed: false };
            self.submit(&meta, work(session));
        }
        Ok(())
    }

    /// Queues work of a session.
    pub(crate) fn submit(&self, meta: &Meta, work: Work) {
        let now = self.shared.clock.now();
        if work.is_audio()
            && let Err(error) = meta.tenant.admit(now)
        {
            return work.refuse(error);
        }
        let mut queue = self.lock();
        if queue.until.is_some() {
            drop(queue);
            return work.refuse(shut_down());
        }
        let removed = queue.work.push(meta.lane, now, work);
        self.pending.store(queue.work.frames().max(1) as u64, Relaxed);
        let asleep = queue.asleep;
        drop(queue);
        if asleep {
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

    fn end_lane(&self, lane: usize) {
        let closed = self.lock().work.close(lane);
        let Some((meta, rest)) = closed else { return };
        self.left(&meta);
        rest.into_iter().for_each(|work| work.refuse(PoolError::Closed(CloseReason::Asked)));
    }

    fn left(&self, meta: &Meta) {
        self.sessions.fetch_sub(1, Relaxed);
        meta.tenant.leave();
    }

    pub(crate) fn queued(&self) -> usize {
        self.lock().work.frames()
    }

    /// Takes no more work, and ends when what is queued was done, or at `until`.
    pub(crate) fn close(&self, until: Duration) {
        self.lock().until = Some(until);
        self.wake.notify_one();
    }

    /// Waits for the thread (and those that replaced it); `false` if it is still there after `bound`.
    pub(crate) fn join(&self, bound: Duration) -> bool {
        let start = std::time::Instant::now();
        while !self.ended.load(Relaxed) {
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

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
