//! The engine: wasmtime set up for many small, short-lived, distrusted guests, and the clock of their deadlines.

use crate::ticker::Ticker;
use crate::{Component, EngineConfig, Error};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::{Config, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

/// Core modules of the component: ours, and two small ones by which `wit-component` ties destructors to it.
const CORE_MODULES: u32 = 3;

/// Stack that a guest may use of the thread that calls it, in bytes.
pub(crate) const GUEST_STACK: usize = 512 << 10;

const SHORTEST_TICK: Duration = Duration::from_micros(100);

/// Tables of these: that of our function pointers, and that of the destructors.
const TABLES: u32 = 2;

/// Compiles components and holds the pool that their instances come from. Cheap to clone.
///
/// Starts one thread, which advances the deadlines; it ends when the last clone and the last thing made from it is
/// gone.
#[derive(Clone)]
pub struct Engine {
    wasmtime: wasmtime::Engine,
    config: Arc<EngineConfig>,
    _clock: Option<Arc<Ticker>>,
}

impl Engine {
    /// Reserves the pool's address space and starts the deadline clock.
    ///
    /// # Errors
    /// [`Error::Engine`] where the machine does not give that much address space or cannot run wasmtime, or the tick is
    /// so short that the clock would take a processor.
    pub fn new(config: &EngineConfig) -> Result<Self, Error> {
        if config.deadlines && config.tick < SHORTEST_TICK {
            return Err(Error::Engine(format!("a tick of {:?}: make it {SHORTEST_TICK:?} or longer", config.tick)));
        }
        let wasmtime = wasmtime::Engine::new(&settings(config)).map_err(Error::engine)?;
        let clock = config.deadlines.then(|| {
            let wasmtime = wasmtime.clone();
            Ticker::start("sidetone-clock", config.tick, move || wasmtime.increment_epoch())
                .map_err(|error| Error::Engine(format!("no thread for the deadline clock: {error}")))
        });
        let clock = clock.transpose()?;
        Ok(Self { wasmtime, config: Arc::new(config.clone()), _clock: clock.map(Arc::new) })
    }

    /// Compiles a component (0.3-0.4 s on one core) and checks that it is ours: the world, and no imports.
    ///
    /// # Errors
    /// [`Error::Compile`] where the bytes are no component, [`Error::Imports`] and [`Error::World`] where it is another.
    pub fn compile(&self, component: &[u8]) -> Result<Component, Error> {
        Component::new(self, component)
    }

    /// What the engine was told.
    #[must_use]
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.wasmtime
    }

    /// Ticks until a deadline: one more than fit, because the first may come at once.
    pub(crate) fn ticks(&self, deadline: Duration) -> u64 {
        let ticks = deadline.as_nanos().div_ceil(self.config.tick.as_nanos().max(1));
        // The present tick is added to it.
        u64::try_from(ticks).unwrap_or(u64::MAX).min(u64::MAX / 2) + 1
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("config", &self.config).finish_non_exhaustive()
    }
}

fn settings(config: &EngineConfig) -> Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(config.instances)
        .total_core_instances(config.instances.saturating_mul(CORE_MODULES))
        .total_memories(config.instances)
        .total_tables(config.instances.saturating_mul(TABLES))
        .max_core_instances_per_component(CORE_MODULES)
        .max_memories_per_component(1)
        .max_tables_per_component(TABLES)
        .max_memory_size(config.memory)
        // All pages of a slot are given back when its instance ends, and come back zeroed, or as the component has them:
        // never read by the next instance, and no memory of an idle slot. Keeping them would save 20 µs of opening a
        // session, and cost 100 KiB a session: closing one wipes more of its stack than it used.
        .linear_memory_keep_resident(0)
        .table_keep_resident(4 << 10);

    let mut settings = Config::new();
    settings
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .concurrency_support(false)
        .memory_init_cow(true)
        .epoch_interruption(config.deadlines)
        .cranelift_opt_level(OptLevel::Speed)
        .max_wasm_stack(GUEST_STACK)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false);
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_without_end_is_far_away_and_a_tick_of_nothing_is_refused() {
        let config = EngineConfig { instances: 1, deadline: Duration::MAX, ..EngineConfig::default() };
        let engine = Engine::new(&config).expect("an engine");
        assert_eq!(engine.ticks(Duration::from_millis(50)), 11);
        assert_eq!(engine.ticks(Duration::MAX), u64::MAX / 2 + 1);
        let refused = Engine::new(&EngineConfig { tick: Duration::ZERO, ..config }).map(drop);
        assert_eq!(refused, Err(Error::Engine("a tick of 0ns: make it 100µs or longer".to_owned())));
    }
}
