//! One sandbox: a store, an instance in it, and the rule that a failed one is never called again.

use crate::Engine;
use crate::bindings::{Processor, ProcessorPre};
use crate::error::{Cause, Error, Failure};
use std::time::Duration;
use wasmtime::{ResourceLimiter, Store, Trap, WasmBacktrace};

/// An instance of the component, with its own memory.
///
/// Any failure of a call (trap, deadline, memory limit) drops the store, and with it everything that was opened in it;
/// from then on every call is [`Error::Dead`].
pub struct Instance {
    engine: Engine,
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
    pub(crate) fn new(engine: &Engine, pre: &ProcessorPre<Guest>) -> Result<Self, Error> {
        let limit = engine.config().memory;
        let mut store = Store::new(engine.wasmtime(), Guest { limit, memory: 0, refused: false });
        store.limiter(|guest| guest);
        arm(&mut store, engine, engine.config().init_deadline);
        match pre.instantiate(&mut store) {
            Ok(processor) => Ok(Self { engine: engine.clone(), alive: Some(Alive { store, processor }) }),
            Err(error) if error.is::<wasmtime::PoolConcurrencyLimitError>() => {
                Err(Error::Busy { instances: engine.config().instances })
            }
            Err(error) => Err(Error::Failed(failure(&error, store.data(), engine.config().init_deadline))),
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
        self.call(self.engine.config().deadline, call)
    }

    /// A call within the deadline of opening.
    pub(crate) fn initialise<T>(
        &mut self,
        call: impl FnOnce(&Processor, &mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        self.call(self.engine.config().init_deadline, call)
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
        Some(_) if guest.refused => Cause::Memory { limit: guest.limit },
        Some(Trap::StackOverflow) => Cause::StackOverflow,
        Some(trap) => Cause::Trap(trap.to_string()),
        None => Cause::BrokenReturn(error.root_cause().to_string()),
    };
    let backtrace = error.downcast_ref::<WasmBacktrace>().map_or_else(String::new, ToString::to_string);
    Failure { cause, backtrace }
}
