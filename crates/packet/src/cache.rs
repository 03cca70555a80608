//! Key schedules kept between calls, for embedders that make many short stateless calls with few keys.

use alloc::vec::Vec;
use core::{fmt, num::NonZeroUsize};

use zeroize::{Zeroize, Zeroizing};

use crate::key_schedule::{KEY_LEN, KeySchedule};

/// Schedules that a cache keeps for each use, where nothing else is asked for.
pub const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(20).unwrap();

/// How a cache has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounters {
    /// Calls that found their key.
    pub hits: u64,
    /// Calls that had to expand their key.
    pub misses: u64,
    /// Schedules zeroised to make room. [`ScheduleCache::forget`] is not counted.
    pub evictions: u64,
}

/// The key schedules used last, for sealing and for opening apart: a flood of calls of one kind does not evict the
/// other's. Memory: 40 bytes a slot from the start, and a schedule (360 bytes) as keys come. Schedules and keys are zeroised when evicted,
/// forgotten or dropped.
///
/// ```
/// use sidetone_packet::{Header, ScheduleCache, seal_with};
///
/// let mut cache = ScheduleCache::default();
/// let mut packet = [0; 64];
/// for sequence in 1..=3 {
///     let header = Header { connection_id: 7, sequence, ..Header::default() };
///     seal_with(cache.for_sealing(&[1; 16]), &header, b"frame", &mut packet)?;
/// }
/// assert_eq!((cache.sealing_counters().hits, cache.sealing_counters().misses), (2, 1));
/// # Ok::<(), sidetone_packet::SealError>(())
/// ```
pub struct ScheduleCache {
    sealing: Lru,
    opening: Lru,
}

impl ScheduleCache {
    /// A cache that keeps up to `capacity` schedules for sealing and as many for opening.
    #[must_use]
    pub fn with_capacity(capacity: NonZeroUsize) -> Self {
        Self { sealing: Lru::new(capacity), opening: Lru::new(capacity) }
    }

    /// The schedule to seal with, expanded if it is not there. Takes the place of the one used least recently.
    pub fn for_sealing(&mut self, key: &[u8; KEY_LEN]) -> &KeySchedule {
        self.sealing.get(key)
    }

    /// The schedule to open with, expanded if it is not there. Takes the place of the one used least recently.
    pub fn for_opening(&mut self, key: &[u8; KEY_LEN]) -> &KeySchedule {
        self.opening.get(key)
    }

    /// Zeroises what is kept of a key, for sealing and for opening: to be called when its session ends.
    pub fn forget(&mut self, key: &[u8; KEY_LEN]) {
        self.sealing.forget(key);
        self.opening.forget(key);
    }

    /// How the schedules for sealing have done.
    #[must_use]
    pub const fn sealing_counters(&self) -> CacheCounters {
        self.sealing.counters
    }

    /// How the schedules for opening have done.
    #[must_use]
    pub const fn opening_counters(&self) -> CacheCounters {
        self.opening.counters
    }
}

impl Default for ScheduleCache {
    fn default() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }
}

impl fmt::Debug for ScheduleCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScheduleCache")
            .field("sealing", &self.sealing.counters)
            .field("opening", &self.opening.counters)
            .finish_non_exhaustive()
    }
}

/// A handful of slots, searched one by one. They are filled and emptied in place and the vector never grows beyond its
/// first allocation, so that no copy of a key stays behind in memory that was moved from.
struct Lru {
    slots: Vec<Slot>,
    capacity: usize,
    clock: u64,
    counters: CacheCounters,
}

/// Empty (all zero, no schedule) or in use.
#[derive(Default)]
struct Slot {
    key: Zeroizing<[u8; KEY_LEN]>,
    schedule: Option<KeySchedule>,
    used_at: u64,
}

impl Lru {
    fn new(capacity: NonZeroUsize) -> Self {
        let capacity = capacity.get();
        Self { slots: Vec::with_capacity(capacity), capacity, clock: 0, counters: CacheCounters::default() }
    }

    fn get(&mut self, key: &[u8; KEY_LEN]) -> &KeySchedule {
        self.clock += 1;
        let index = match self.find(key) {
            Some(index) => {
                self.counters.hits += 1;
                index
            }
            None => {
                self.counters.misses += 1;
                self.vacate()
            }
        };
        let slot = &mut self.slots[index];
        slot.used_at = self.clock;
        slot.key.copy_from_slice(key);
        slot.schedule.get_or_insert_with(|| KeySchedule::new(key))
    }

    fn forget(&mut self, key: &[u8; KEY_LEN]) {
        if let Some(index) = self.find(key) {
            self.slots[index].clear();
        }
    }

    /// Looks at every slot, whether found or not, and at every byte of its key, so that the time taken tells nothing
    /// about the keys that are kept.
    fn find(&self, key: &[u8; KEY_LEN]) -> Option<usize> {
        let mut found = None;
        for (index, slot) in self.slots.iter().enumerate() {
            let difference = slot.key.iter().zip(key).fold(0, |all, (ours, theirs)| all | (ours ^ theirs));
            if difference == 0 && slot.schedule.is_some() {
                found = Some(index);
            }
        }
        found
    }

    /// An empty slot: a forgotten one, a new one, or the one used least recently.
    fn vacate(&mut self) -> usize {
        if let Some(forgotten) = self.slots.iter().position(|slot| slot.schedule.is_none()) {
            return forgotten;
        }
        if self.slots.len() < self.capacity {
            self.slots.push(Slot::default());
            return self.slots.len() - 1;
        }
        let oldest = (0..self.slots.len()).min_by_key(|&index| self.slots[index].used_at).unwrap_or(0);
        self.slots[oldest].clear();
        self.counters.evictions += 1;
        oldest
    }
}

impl Slot {
    fn clear(&mut self) {
        self.key.zeroize();
        self.schedule = None;
        self.used_at = 0;
    }
}
