//! Places for connections: so many in all, and so many for one source.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
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
    #[error("all {0} connections are taken (web.connections)")]
    All(usize),
    /// For this source.
    #[error("all {0} connections of one source are taken (web.source_connections)")]
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
        let source = source(from);
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

/// What counts as one source: an address of IPv4, a network of 64 bits of IPv6, since a host has all of it.
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
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

    #[test]
    fn a_host_of_ipv6_is_its_network() {
        let of = |text: &str| source(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }
}
