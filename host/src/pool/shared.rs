//! What all workers of a pool have in common.

use super::Swap;
use super::backoff::RestartPolicy;
use super::clock::{Clock, Jitter};
use super::event::Sink;
use super::ladder::LadderConfig;
use super::queue::Bounds;
use crate::{Component, metrics};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) jitter: Jitter,
    pub(crate) sink: Sink,
    pub(crate) restart: RestartPolicy,
    pub(crate) ladder: LadderConfig,
    pub(crate) bounds: Bounds,
    /// Slots of the engine.
    pub(crate) instances: u32,
    pub(crate) spin: Duration,
    pub(crate) max_wait: Option<Duration>,
    current: RwLock<(u64, Component)>,
    /// Instances of an older component than this move to the current one.
    moves_below: AtomicU64,
    pub(crate) slots: Slots,
}

/// Instances of this pool that live.
pub(crate) struct Slots {
    used: AtomicU32,
    metric: ::metrics::Gauge,
}

impl Slots {
    pub(crate) fn taken(&self) {
        self.used.fetch_add(1, Ordering::Relaxed);
        self.metric.increment(1.0);
    }

    pub(crate) fn freed(&self) {
        self.used.fetch_sub(1, Ordering::Relaxed);
        self.metric.decrement(1.0);
    }

    pub(crate) fn used(&self) -> u32 {
        self.used.load(Ordering::Relaxed)
    }
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
            instances: component.engine().config().instances,
            spin,
            max_wait,
            current: RwLock::new((1, component)),
            moves_below: AtomicU64::new(0),
            slots: Slots { used: AtomicU32::new(0), metric: metrics::SLOTS_USED.gauge(&[]) },
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
}
