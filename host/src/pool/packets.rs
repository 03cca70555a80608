//! Where a tenant's packet functions live: at most one instance a worker, opened when the first packet comes, never
//! another tenant's.

use super::handle::Handle;
use super::tenant::Tenant;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

/// A tenant as the pool knows it by name. When it is replaced, its packet instances end.
pub(crate) struct Entry {
    pub(crate) tenant: Arc<Tenant>,
    packets: Box<[Mutex<Option<Handle>>]>,
}

impl Entry {
    pub(crate) fn new(tenant: Arc<Tenant>, workers: usize) -> Self {
        Self { tenant, packets: std::iter::repeat_with(Mutex::default).take(workers).collect() }
    }

    /// Does something with the instance on one worker; `open` makes one where there is none, or none any more.
    pub(crate) fn with<T, E>(
        &self,
        worker: usize,
        open: impl FnOnce() -> Result<Handle, E>,
        call: impl FnOnce(&Handle) -> T,
    ) -> Result<T, E> {
        let mut place = self.packets[worker].lock().unwrap_or_else(PoisonError::into_inner);
        if place.as_ref().is_some_and(|handle| handle.meta.ended.load(Relaxed)) {
            *place = None;
        }
        let handle = match place.take() {
            Some(handle) => handle,
            None => open()?,
        };
        let result = call(place.insert(handle));
        Ok(result)
    }

    /// Does something with the instance on one worker, where there is one that has not ended.
    pub(crate) fn with_existing<T>(&self, worker: usize, call: impl FnOnce(&Handle) -> T) -> Option<T> {
        let place = self.packets[worker].lock().unwrap_or_else(PoisonError::into_inner);
        place.as_ref().filter(|handle| !handle.meta.ended.load(Relaxed)).map(call)
    }
}
