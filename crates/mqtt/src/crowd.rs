//! Those who are connected and have not said yet who they are: so many in all, shared out by where they come from.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Places for strangers. There is always one for the next: where all are taken, the source that has most of them gives
/// up its oldest. So whoever takes all of them, and says nothing, takes them from nobody but itself.
#[derive(Debug)]
pub struct Crowd {
    most: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    all: usize,
    entered: u64,
    /// The oldest first.
    by_source: HashMap<IpAddr, VecDeque<(u64, mpsc::Sender<()>)>>,
}

/// A place; dropping it gives it back.
#[derive(Debug)]
pub struct Stranger {
    crowd: Arc<Crowd>,
    source: IpAddr,
    number: u64,
    pushed_out: mpsc::Receiver<()>,
}

impl Crowd {
    /// Places for `most`, at least one.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), inside: Mutex::default() })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more. Whoever has to make room for it learns so by [`pushed_out`](Stranger::pushed_out).
    pub fn enter(self: &Arc<Self>, from: Option<IpAddr>) -> Stranger {
        let source = source_of(from.unwrap_or(Ipv4Addr::UNSPECIFIED.into()));
        let mut inside = self.inside();
        if inside.all >= self.most {
            inside.make_room(source);
        }
        let (push_out, pushed_out) = mpsc::channel(1);
        let number = inside.entered;
        inside.entered += 1;
        inside.all += 1;
        inside.by_source.entry(source).or_default().push_back((number, push_out));
        drop(inside);
        Stranger { crowd: self.clone(), source, number, pushed_out }
    }
}

impl Inside {
    /// Pushes out the oldest of the source that would have most; where several would, the oldest of them all.
    fn make_room(&mut self, newcomer: IpAddr) {
        let rank = |(source, places): &(&IpAddr, &VecDeque<(u64, _)>)| {
            let oldest = places.front().map_or(u64::MAX, |(number, _)| *number);
            (places.len() + usize::from(**source == newcomer), std::cmp::Reverse(oldest))
        };
        let Some(source) = self.by_source.iter().max_by_key(rank).map(|(source, _)| *source) else { return };
        self.leave(source, |_| true);
    }

    /// The first of a source's that is meant leaves.
    fn leave(&mut self, source: IpAddr, is_meant: impl Fn(u64) -> bool) {
        let Some(places) = self.by_source.get_mut(&source) else { return };
        let Some(index) = places.iter().position(|(number, _)| is_meant(*number)) else { return };
        // Its end of the channel goes too, which is how a stranger learns of it.
        places.remove(index);
        if places.is_empty() {
            self.by_source.remove(&source);
        }
        self.all -= 1;
    }
}

impl Stranger {
    /// Waits until this one has to make room for another.
    pub async fn pushed_out(&mut self) {
        // Nothing is ever sent: the other end goes.
        self.pushed_out.recv().await;
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let number = self.number;
        self.crowd.inside().leave(self.source, |other| other == number);
    }
}

/// What counts as one source: an address of IPv4, a network of 64 bits of IPv6, since a host has all of it.
pub fn source_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn enter(crowd: &Arc<Crowd>, from: &str) -> Stranger {
        crowd.enter(Some(from.parse().unwrap()))
    }

    fn is_out(stranger: &mut Stranger) -> bool {
        stranger.pushed_out().now_or_never().is_some()
    }

    #[test]
    fn who_takes_all_places_makes_room_for_the_others() {
        let crowd = Crowd::new(4);
        let mut flood: Vec<_> = (0..4).map(|_| enter(&crowd, "192.0.2.1")).collect();
        let mut good = enter(&crowd, "192.0.2.2");
        assert_eq!(flood.iter_mut().map(is_out).collect::<Vec<_>>(), [true, false, false, false]);
        flood.extend((0..100).map(|_| enter(&crowd, "192.0.2.1")));
        assert!(!is_out(&mut good), "a flood takes places from itself");
        assert_eq!(flood.iter_mut().filter_map(|one| (!is_out(one)).then_some(one.number)).count(), 3);
        let mut others: Vec<_> = (3..5).map(|n| enter(&crowd, &format!("192.0.2.{n}"))).collect();
        assert_eq!(flood.iter_mut().position(|one| !is_out(one)), Some(103), "the last of them is left");
        assert!(!is_out(&mut good) && !others.iter_mut().any(is_out));
    }

    #[test]
    fn of_equals_a_newcomers_own_source_makes_room_and_else_the_oldest() {
        let crowd = Crowd::new(2);
        let (mut first, mut second) = (enter(&crowd, "192.0.2.1"), enter(&crowd, "192.0.2.2"));
        let mut third = enter(&crowd, "192.0.2.2");
        assert!(
            !is_out(&mut first) && is_out(&mut second),
            "one more of the second's would be more than the first has"
        );
        let mut fourth = enter(&crowd, "192.0.2.4");
        assert!(is_out(&mut first) && !is_out(&mut third) && !is_out(&mut fourth), "the oldest");
    }

    #[test]
    fn who_leaves_gives_the_place_back_once() {
        let crowd = Crowd::new(2);
        let (first, mut second) = (enter(&crowd, "192.0.2.1"), enter(&crowd, "2001:db8:1:2::1"));
        drop(first);
        let mut third = enter(&crowd, "2001:db8:1:2:ffff::1");
        assert!(!is_out(&mut second), "there was a place");
        let fourth = enter(&crowd, "2001:db8:1:2::3");
        assert!(is_out(&mut second) && !is_out(&mut third));
        drop((second, third, fourth));
        let inside = crowd.inside();
        assert_eq!((inside.all, inside.by_source.len()), (0, 0), "nothing is kept of who has gone");
    }

    #[test]
    fn a_host_of_ipv6_is_its_network() {
        let of = |text: &str| source_of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
