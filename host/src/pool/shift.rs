//! The threads of a worker: the one that serves, and those that were relieved of it because their guest takes long.

use super::event::Event;
use super::hand::{Done, Hand, Held};
use super::queue::Next;
use super::relief::ADVANCE;
use super::session::shut_down;
use super::work::Work;
use super::worker::{Queue, Worker};
use sidetone_session::Quality;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What a thread is to do next.
enum Turn {
    Serve(Next<Work>, Quality),
    /// Another thread serves.
    Relieved,
    /// The pool is shut down.
    Over,
}

impl Worker {
    pub(super) fn spawn(self: &Arc<Self>, shift: u64) -> io::Result<()> {
        let worker = self.clone();
        let name = format!("sidetone-worker-{}", self.index);
        self.threads.fetch_add(1, Relaxed);
        let thread = thread::Builder::new().name(name).spawn(move || worker.main(shift));
        let thread = thread.inspect_err(|_| {
            self.threads.fetch_sub(1, Relaxed);
        })?;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// A thread, from its start to its end. A panic ends it; another takes its place.
    fn main(self: Arc<Self>, shift: u64) {
        let mut hand = Hand { shift, holds: None };
        while catch_unwind(AssertUnwindSafe(|| self.serve(&mut hand))).is_err() {
            self.meters.replaced.add(1);
            tracing::error!(worker = self.index, "a worker's thread panicked and is replaced");
            // The sink may be what panicked.
            drop(catch_unwind(AssertUnwindSafe(|| self.survive_panic(&mut hand))));
            let told = || self.shared.sink.tell(&Event::WorkerReplaced { worker: self.index });
            drop(catch_unwind(AssertUnwindSafe(told)));
            let relieved = self.lay_down(&mut self.lock(), &mut hand).is_none();
            // Where no thread is to be had, this one goes on.
            if relieved || self.spawn(shift).is_ok() {
                break;
            }
        }
        self.threads.fetch_sub(1, Relaxed);
    }

    fn serve(&self, hand: &mut Hand) {
        loop {
            match self.turn(hand) {
                Turn::Serve(next, level) => self.do_one(hand, next, level),
                Turn::Relieved => return,
                Turn::Over => return self.leave_all(),
            }
        }
    }

    /// Lays down what was served, and takes what comes next; waits for it.
    fn turn(&self, hand: &mut Hand) -> Turn {
        let mut queue = self.lock();
        match self.lay_down(&mut queue, hand) {
            None => return Turn::Relieved,
            Some(None) => {}
            Some(Some(event)) => {
                // A callback may ask the pool for something.
                drop(queue);
                self.shared.sink.tell(&event);
                queue = self.lock();
            }
        }
        loop {
            if queue.away == Some(hand.shift) {
                // A caller serves, and wakes this thread where something waits then.
                queue = self.sleep(queue);
                continue;
            }
            if queue.shift != hand.shift {
                return Turn::Relieved;
            }
            if queue.until.is_some_and(|until| self.shared.clock.now() >= until) {
                let late = queue.work.drain();
                drop(queue);
                late.into_iter().for_each(|work| work.refuse(shut_down()));
                return Turn::Over;
            }
            if let Some(next) = self.take_up(&mut queue, hand) {
                return Turn::Serve(next, queue.ladder.level());
            }
            self.pending.store(0, Relaxed);
            if queue.until.is_some() {
                if queue.work.is_idle() {
                    return Turn::Over;
                }
                // Another thread's guest takes long: what waits behind it is done when it is.
                let tick = Duration::from_millis(1);
                queue = self.wake.wait_timeout(queue, tick).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            if !self.shared.spin.is_zero() {
                drop(queue);
                self.spin();
                queue = self.lock();
                if !queue.work.is_empty() || queue.until.is_some() {
                    continue;
                }
            }
            queue = self.sleep(queue);
        }
    }

    fn sleep<'a>(&self, mut queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        queue.asleep = true;
        queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        queue.asleep = false;
        queue
    }

    /// Takes the next work, and the seat it is for.
    pub(super) fn take_up(&self, queue: &mut Queue, hand: &mut Hand) -> Option<Next<Work>> {
        let depth = queue.work.frames() as u64;
        let next = queue.work.pop()?;
        self.pending.store(queue.work.frames() as u64, Relaxed);
        self.meters.record_depth(depth);
        let seat = queue.seats.get_mut(next.lane).and_then(Option::take);
        hand.holds = Some(Held { lane: next.lane, tenant: next.tenant, seat, at_stake: 0, done: None });
        queue.jobs += 1;
        self.job.store(queue.jobs, Relaxed);
        queue.served = Some(next.tenant);
        Some(next)
    }

    /// Puts back what a thread holds, charges for it, and observes it. `None`: the thread was relieved; else what is to
    /// be told.
    pub(super) fn lay_down(&self, queue: &mut Queue, hand: &mut Hand) -> Option<Option<Event>> {
        let relieved = queue.shift != hand.shift;
        if !relieved {
            self.job.store(0, Relaxed);
        }
        let mut event = None;
        if let Some(Held { lane, tenant, mut seat, done, .. }) = hand.holds.take() {
            if let Some(Done { at, took, latency }) = done {
                let charged = if relieved { ADVANCE } else { Duration::ZERO };
                queue.work.charge(tenant, took.saturating_sub(charged));
                // A guest so slow that others were served meanwhile says nothing of the load.
                if let Some(latency) = latency.filter(|_| !relieved) {
                    event = self.observe(queue, at, latency);
                }
            }
            if queue.over {
                seat.iter_mut().for_each(|seat| seat.leave(&self.shared));
            } else {
                if queue.seats.len() <= lane {
                    queue.seats.resize_with(lane + 1, || None);
                }
                queue.seats[lane] = seat;
            }
            queue.work.done(lane);
        }
        if relieved && queue.asleep && queue.away.is_none() && !queue.work.is_empty() {
            // What waited for it can be served now.
            self.wake.notify_one();
        }
        (!relieved).then_some(event)
    }

    fn observe(&self, queue: &mut Queue, at: Duration, latency: Duration) -> Option<Event> {
        let from = queue.ladder.level();
        let level = queue.ladder.observe(at, latency);
        let average = queue.ladder.average();
        self.meters.average_nanos.store(average.as_nanos() as u64, Relaxed);
        let level = level?;
        self.meters.stepped(from, level);
        Some(Event::Ladder { worker: self.index, level, average })
    }

    /// Looks for work for a while before it sleeps: waking a thread takes longer than a frame may wait.
    fn spin(&self) {
        let start = std::time::Instant::now();
        while self.pending.load(Relaxed) == 0 && start.elapsed() < self.shared.spin {
            std::hint::spin_loop();
        }
    }

    /// The pool is shut down. A seat that another thread still holds is left by that one.
    fn leave_all(&self) {
        let mut queue = self.lock();
        queue.over = true;
        let seats = std::mem::take(&mut queue.seats);
        let owners = queue.work.close_all();
        drop(queue);
        seats.into_iter().flatten().for_each(|mut seat| seat.leave(&self.shared));
        owners.iter().for_each(|meta| self.left(meta));
    }
}
