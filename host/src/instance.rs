//! One sandbox: a store, an instance in it, and the rule that a failed one is never called again.

use crate::bindings::{Processor, ProcessorPre};
use crate::error::{Cause, Error, Failure};
use crate::{Engine, EngineConfig};
use std::time::Duration;
use wasmtime::{ResourceLimiter, Store, Trap, WasmBacktrace};

/// What one instance may take: a tenant's may be stricter than the engine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most linear memory, in bytes. Above [`EngineConfig::memory`], the size of a slot, that bounds it.
    pub memory: usize,
    /// Longest time one operation may take.
    pub deadline: Duration,
    /// Longest time opening may take.
    pub init_deadline: Duration,
}

impl Limits {
    /// Those of an engine.
    #[must_use]
    pub const fn of(engine: &EngineConfig) -> Self {
        Self { memory: engine.memory, deadline: engine.deadline, init_deadline: engine.init_deadline }
    }
}

/// An instance of the component, with its own memory.
///
/// Any failure of a call (trap, deadline, memory limit) drops the store, and with it everything that was opened in it;
/// from then on every call is [`Error::Dead`].
pub struct Instance {
    engine: Engine,
    limits: Limits,
    alive: Option<Alive>,
}

struct Alive {
    store: Store<Guest>,
    processor: Processor,
}

/// What a store knows of its guest.
pub(crate) struct Guest {
    /// Most linear memory, in bytes.
    limit: usize,
    /// Linear memory now, in bytes.
    memory: usize,
    /// It asked for more than it may have.
    refused: bool,
}

impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = desired <= self.limit && maximum.is_none_or(|maximum| desired <= maximum);
        self.refused |= !allowed;
        if allowed {
            self.memory = desired;
        }
        Ok(allowed)
    }

    /// Tables are made with the instance, and never grow.
    fn table_growing(&mut self, current: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(current == 0)
    }
}

impl Instance {
    pub(crate) fn new(engine: &Engine, pre: &ProcessorPre<Guest>, limits: Limits) -> Result<Self, Error> {
        let limit = limits.memory;
        let mut store = Store::new(engine.wasmtime(), Guest { limit, memory: 0, refused: false });
        store.limiter(|guest| guest);
        // What it hands over at a time is no more than it may hold: lists within a list may all be the same memory.
        store.set_hostcall_fuel(limit);
        arm(&mut store, engine, limits.init_deadline);
        match pre.instantiate(&mut store) {
            Ok(processor) => Ok(Self { engine: engine.clone(), limits, alive: Some(Alive { store, processor }) }),
            Err(error) if error.is::<wasmtime::PoolConcurrencyLimitError>() => {
                Err(Error::Busy { instances: engine.config().instances })
            }
            // The guest did not run: the machine gives no more memory maps, or no more memory.
            Err(error) if !error.is::<Trap>() && !store.data().refused => {
                Err(Error::Exhausted { why: format!("{error:#}") })
            }
            Err(error) => Err(Error::Failed(failure(&error, store.data(), limits.init_deadline))),
        }
    }

    /// Whether the instance still takes calls.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.alive.is_some()
    }

    /// Linear memory of the instance in bytes, resident or not; 0 once it is dead.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.alive.as_ref().map_or(0, |alive| alive.store.data().memory)
    }

    /// One call into the guest, within `deadline`. Whatever goes wrong ends the instance.
    pub(crate) fn call<T>(
        &mut self,
        deadline: Duration,
        call: impl FnOnce(&Processor, &mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        let Some(Alive { store, processor }) = &mut self.alive else { return Err(Error::Dead) };
        arm(store, &self.engine, deadline);
        match call(processor, store) {
            Ok(value) => Ok(value),
            Err(error) => {
                let failure = failure(&error, store.data(), deadline);
                self.alive = None;
                Err(Error::Failed(failure))
            }
        }
    }

    /// A call within the deadline of an operation.
    pub(crate) fn operate<T>(
        &mut self,
        call: impl FnOnce(&Processor, &mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        self.call(self.limits.deadline, call)
    }

    /// A call within the deadline of opening.
    pub(crate) fn initialise<T>(
        &mut self,
        call: impl FnOnce(&Processor, &mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        self.call(self.limits.init_deadline, call)
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").field("alive", &self.is_alive()).field("memory", &self.memory()).finish()
    }
}

fn arm(store: &mut Store<Guest>, engine: &Engine, deadline: Duration) {
    if engine.config().deadlines {
        store.set_epoch_deadline(engine.ticks(deadline));
    }
}

/// What made a call fail. A guest that was refused memory gives up with a trap like any other.
fn failure(error: &wasmtime::Error, guest: &Guest, deadline: Duration) -> Failure {
    let cause = match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => Cause::Deadline(deadline),
        _ if guest.refused => Cause::Memory { limit: guest.limit },
        Some(Trap::StackOverflow) => Cause::StackOverflow,
        Some(trap) => Cause::Trap(trap.to_string()),
        None => Cause::BrokenReturn(error.root_cause().to_string()),
    };
    let backtrace = error.downcast_ref::<WasmBacktrace>().map_or_else(String::new, ToString::to_string);
    Failure { cause, backtrace }
}
