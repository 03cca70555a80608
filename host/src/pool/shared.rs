//! What all workers of a pool have in common.

use super::backoff::RestartPolicy;
use super::clock::{Clock, Jitter};
use super::event::Sink;
use super::ladder::LadderConfig;
use super::queue::Bounds;
use super::{RestartCause, Swap};
use crate::Component;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) jitter: Jitter,
    pub(crate) sink: Sink,
    pub(crate) restart: RestartPolicy,
    pub(crate) ladder: LadderConfig,
    pub(crate) bounds: Bounds,
    pub(crate) spin: Duration,
    pub(crate) max_wait: Option<Duration>,
    current: RwLock<(u64, Component)>,
    /// Instances of an older component than this move to the current one.
    moves_below: AtomicU64,
    restarts: Mutex<BTreeMap<&'static str, u64>>,
}

impl Shared {
    #[allow(clippy::too_many_arguments, reason = "called once, by the builder")]
    pub(crate) fn new(
        component: Component,
        clock: Clock,
        jitter: Jitter,
        sink: Sink,
        restart: RestartPolicy,
        ladder: LadderConfig,
        bounds: Bounds,
        (spin, max_wait): (Duration, Option<Duration>),
    ) -> Self {
        Self {
            clock,
            jitter,
            sink,
            restart,
            ladder,
            bounds,
            spin,
            max_wait,
            current: RwLock::new((1, component)),
            moves_below: AtomicU64::new(0),
            restarts: Mutex::default(),
        }
    }

    /// The component that new instances are made of, and its number.
    pub(crate) fn component(&self) -> (u64, Component) {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes another component the current one.
    pub(crate) fn swap(&self, component: Component, how: Swap) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = (current.0 + 1, component);
        if how == Swap::Move {
            self.moves_below.store(current.0, Ordering::Release);
        }
    }

    pub(crate) fn moves_from(&self, generation: u64) -> bool {
        generation < self.moves_below.load(Ordering::Acquire)
    }

    pub(crate) fn count_restart(&self, cause: &RestartCause) {
        metrics::counter!("sidetone_restarts_by_cause_total", "cause" => cause.label()).increment(1);
        *self.restarts.lock().unwrap_or_else(PoisonError::into_inner).entry(cause.label()).or_default() += 1;
    }

    pub(crate) fn restarts(&self) -> BTreeMap<&'static str, u64> {
        self.restarts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
