//! What an engine is told when it starts.

use std::time::Duration;

/// Longest time one operation of a guest may take, unless said otherwise.
pub const DEADLINE: Duration = Duration::from_millis(50);

/// Longest time opening may take, unless said otherwise.
pub const INIT_DEADLINE: Duration = Duration::from_millis(500);

/// How instances are made and bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineConfig {
    /// Most instances that live at the same time: slots of the pool. Each reserves 4 GiB of address space (not memory)
    /// and a guard, which makes bounds checks free; a 47-bit address space holds some 20,000.
    pub instances: u32,
    /// Most linear memory of one instance, in bytes: what its slot holds. A session needs about 1 MiB.
    pub memory: usize,
    /// Interrupt guests that miss their deadline. Costs a check at each loop head of the guest; off only to measure
    /// that cost.
    pub deadlines: bool,
    /// How often deadlines are looked at: one is noticed at most a tick late.
    pub tick: Duration,
    /// Longest time one operation may take.
    pub deadline: Duration,
    /// Longest time opening may take.
    pub init_deadline: Duration,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            instances: 1000,
            memory: 8 << 20,
            deadlines: true,
            tick: Duration::from_millis(5),
            deadline: DEADLINE,
            init_deadline: INIT_DEADLINE,
        }
    }
}
