//! Places for connections: so many in all, and so many for one source.

use sidetone_mqtt::source_of;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thiserror::Error;

/// Places, and who has them.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    most_a_source: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// A place; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    source: IpAddr,
}

/// There is no place for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Full {
    /// For anybody.
    #[error("all {0} places are taken")]
    All(usize),
    /// For this source.
    #[error("all {0} places of one source are taken")]
    Source(usize),
}

impl Places {
    pub(crate) fn new(most: usize, most_a_source: usize) -> Self {
        Self { most, most_a_source, taken: Mutex::default() }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take(self: &Arc<Self>, from: IpAddr) -> Result<Place, Full> {
        let source = source_of(from);
        let mut taken = self.taken();
        if taken.all >= self.most {
            return Err(Full::All(self.most));
        }
        let of_source = taken.by_source.get(&source).copied().unwrap_or_default();
        if of_source >= self.most_a_source {
            return Err(Full::Source(self.most_a_source));
        }
        taken.by_source.insert(source, of_source + 1);
        taken.all += 1;
        drop(taken);
        Ok(Place { places: self.clone(), source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        if let Some(count) = taken.by_source.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                taken.by_source.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_and_one_source_does_not_take_all() {
        let places = Arc::new(Places::new(3, 2));
        let take = |from: &str| places.take(from.parse().unwrap());
        let first = take("192.0.2.1").unwrap();
        // The same address, as a socket of both families shows it.
        let second = take("::ffff:192.0.2.1").unwrap();
        assert_eq!(take("192.0.2.1").unwrap_err(), Full::Source(2));
        let other = take("192.0.2.2").unwrap();
        assert_eq!(take("192.0.2.3").unwrap_err(), Full::All(3));
        drop(first);
        assert!(take("192.0.2.1").is_ok());
        drop((second, other));
        assert_eq!(places.taken().by_source.len(), 0, "nothing is kept of who has gone");
    }
}
