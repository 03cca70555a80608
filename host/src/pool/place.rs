//! Places of tenants in the workers' queues: one that nobody has any more is given again, so that quotas may be set
//! anew for years.

use slab::Slab;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Default)]
pub(crate) struct Places(Mutex<Slab<()>>);

/// A place, until it is dropped.
pub(crate) struct Place {
    index: usize,
    places: Arc<Places>,
}

impl Places {
    pub(crate) fn take(self: &Arc<Self>) -> Place {
        let index = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(());
        Place { index, places: self.clone() }
    }
}

impl Place {
    pub(crate) const fn index(&self) -> usize {
        self.index
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.0.lock().unwrap_or_else(PoisonError::into_inner).remove(self.index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_again_when_nobody_has_it() {
        let places = Arc::new(Places::default());
        let (first, second) = (places.take(), places.take());
        assert_eq!(first.index(), 0);
        drop(first);
        let (again, third) = (places.take(), places.take());
        assert_eq!((again.index(), third.index(), second.index()), (0, 2, 1));
    }
}
