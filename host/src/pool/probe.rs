//! How large a pool this machine can hold, found out before it is asked for.

use crate::{Engine, EngineConfig, Error};
use std::fs;

/// Address space of a slot: 4 GiB of linear memory and as much guard.
const SLOT: u64 = 8 << 30;

/// Memory maps of an instance in use: its memory's image, heap and guard, its tables. Estimated, on the safe side.
const MAPS: u64 = 6;

/// Maps kept for everything else in the process.
const OTHER_MAPS: u64 = 4096;

/// What the machine allows; `None` where it does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Bytes of address space that this process may have.
    pub address_space: Option<u64>,
    /// Memory maps that this process may have.
    pub maps: Option<u64>,
    /// Bytes of memory that are free, or could be.
    pub memory: Option<u64>,
}

impl Room {
    /// Asks this machine. Only Linux says.
    #[must_use]
    pub fn here() -> Self {
        let number = |text: &str| text.split_whitespace().find_map(|word| word.parse::<u64>().ok());
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let line = |text: &str, start: &str| text.lines().find_map(|line| line.strip_prefix(start)).and_then(number);
        Self {
            address_space: line(&read("/proc/self/limits"), "Max address space"),
            maps: number(&read("/proc/sys/vm/max_map_count")),
            memory: line(&read("/proc/meminfo"), "MemAvailable:").map(|kib| kib << 10),
        }
    }

    /// Instances that fit, at most `wanted`.
    #[must_use]
    pub fn fits(&self, wanted: u32) -> u32 {
        // User space has 47 bits; an eighth is left to everything else.
        let space = self.address_space.unwrap_or(u64::MAX).min(1 << 47) / 8 * 7 / SLOT;
        let maps = self.maps.map_or(u64::MAX, |maps| maps.saturating_sub(OTHER_MAPS) / MAPS);
        // A session in use needs about 200 KiB.
        let memory = self.memory.map_or(u64::MAX, |bytes| bytes / (200 << 10));
        u32::try_from(space.min(maps).min(memory)).unwrap_or(u32::MAX).clamp(1, wanted.max(1))
    }
}

/// An engine of as many instances as were asked for; of fewer, and a warning, where the machine does not hold them.
pub(crate) fn engine(wanted: &EngineConfig, room: &Room) -> Result<Engine, Error> {
    let mut instances = room.fits(wanted.instances);
    loop {
        let result = Engine::new(&EngineConfig { instances, ..wanted.clone() });
        match result {
            Err(Error::Engine(why)) if instances > 1 => {
                tracing::warn!(instances, why, "the machine does not give room for this many instances");
                instances /= 2;
            }
            Ok(engine) if instances < wanted.instances => {
                tracing::warn!(wanted = wanted.instances, instances, ?room, "the pool is smaller than was asked for");
                return Ok(engine);
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scarcest_thing_decides() {
        let room = Room { address_space: None, maps: Some(65_530), memory: Some(64 << 30) };
        assert_eq!(room.fits(1000), 1000);
        assert_eq!(room.fits(50_000), 10_239);
        assert_eq!(Room { address_space: Some(100 << 30), ..room }.fits(1000), 10);
        assert_eq!(Room { memory: Some(20 << 20), ..room }.fits(1000), 102);
        assert_eq!(Room { memory: Some(0), ..room }.fits(1000), 1);
    }
}
