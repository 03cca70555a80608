//! A caller that blocks does its frame itself, on its own thread, where its worker has nothing else to do: to wake
//! a thread that sleeps, and to be woken by it, takes longer than the pool takes for everything else.
//!
//! It serves in the place of the worker's thread, which sleeps on meanwhile: one thread serves a worker at a time. All
//! else is as it is on a worker's thread: the queue, the order, the share, the deadline, the counts, the relief of
//! a guest that takes long, the survival of a panic.

use super::hand::Hand;
use super::queue::Next;
use super::session::{Meta, shut_down};
use super::work::Work;
use super::worker::Worker;
use crate::engine::GUEST_STACK;
use sidetone_session::Quality;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Stack that a thread must have left, so that a guest's recursion ends at the guest's bound and not at the thread's.
const STACK_NEEDED: usize = GUEST_STACK + (256 << 10);

/// Work that its caller is to do.
#[must_use = "its worker waits until it is done"]
pub(crate) struct Errand {
    worker: Arc<Worker>,
    hand: Hand,
    next: Next<Work>,
    level: Quality,
}

impl Worker {
    /// Queues work of a session; or hands it back to be done by the caller, where nothing is ahead of it.
    pub(crate) fn submit_or_do(self: &Arc<Self>, meta: &Meta, work: Work) -> Option<Errand> {
        let deep_enough = stacker::remaining_stack().is_some_and(|left| left >= STACK_NEEDED);
        let now = self.shared.clock.now();
        let mut queue = self.lock();
        if queue.until.is_some() {
            drop(queue);
            work.refuse(shut_down());
            return None;
        }
        let free = queue.asleep && queue.away.is_none() && queue.work.is_vacant(meta.lane);
        if !(free && deep_enough) {
            self.push(queue, meta, now, work);
            return None;
        }
        // Nothing waits: no bound is reached, and nothing else is taken.
        drop(queue.work.push(meta.lane, now, work));
        queue.away = Some(queue.shift);
        queue.shift = queue.next_shift();
        let mut hand = Hand { shift: queue.shift, holds: None };
        let Some(next) = self.take_up(&mut queue, &mut hand) else {
            queue.serve_again();
            return None;
        };
        self.threads.fetch_add(1, Relaxed);
        Some(Errand { level: queue.ladder.level(), worker: self.clone(), hand, next })
    }
}

impl Errand {
    /// Does the work, and hands the worker back.
    pub(crate) fn run(self) {
        let Self { worker, mut hand, next, level } = self;
        if catch_unwind(AssertUnwindSafe(|| worker.do_one(&mut hand, next, level))).is_err() {
            tracing::error!(worker = worker.index, "the host panicked on the thread of a caller");
            // The sink may be what panicked.
            drop(catch_unwind(AssertUnwindSafe(|| worker.survive_panic(&mut hand))));
        }
        worker.hand_back(&mut hand);
        worker.threads.fetch_sub(1, Relaxed);
    }
}

impl Worker {
    fn hand_back(&self, hand: &mut Hand) {
        let mut queue = self.lock();
        // Another serves where this one was relieved.
        let Some(event) = self.lay_down(&mut queue, hand) else { return };
        queue.serve_again();
        let waits = !queue.work.is_empty() || queue.until.is_some();
        drop(queue);
        if waits {
            self.wake.notify_one();
        }
        if let Some(event) = event {
            drop(catch_unwind(AssertUnwindSafe(|| self.shared.sink.tell(&event))));
        }
    }
}
