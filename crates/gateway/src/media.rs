//! Sealed datagrams on their way to the calls they belong to, whatever edge they come through.

use crate::counters::Counters;
use crate::protect::{Admission, Bucket, Gate};
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// Datagrams of one call that wait to be taken in: more than two seconds of a usual call.
const INBOX: usize = 40;

/// Datagrams that wait to be sent on a connection; more are as good as lost.
const OUTBOX: usize = 16;

/// Unknown connection ids a second from one address, and at once, that are looked at.
const UNKNOWN: (f64, f64) = (50.0, 200.0);

/// Addresses whose unknown connection ids are counted apart.
const SOURCES: usize = 4096;

/// The largest datagram there is: header and payload.
pub(crate) const MAX_DATAGRAM: usize = sidetone_packet::HEADER_LEN + sidetone_packet::MAX_PAYLOAD;

/// A way back to whoever sent a datagram.
#[derive(Clone)]
pub(crate) enum Path {
    /// UDP.
    Udp {
        /// Our socket.
        socket: Arc<UdpSocket>,
        /// Their address.
        to: SocketAddr,
    },
    /// A connection that carries datagrams: WebTransport or WebSocket.
    Connection {
        /// No other connection has it.
        number: u64,
        /// Where it comes from.
        peer: IpAddr,
        /// What is to be sent; bounded by its edge.
        out: mpsc::Sender<Vec<u8>>,
    },
}

impl Path {
    /// A connection of its own, and what its edge is to send.
    pub(crate) fn connection(peer: IpAddr) -> (Self, mpsc::Receiver<Vec<u8>>) {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let (out, to_send) = mpsc::channel(OUTBOX);
        (Self::Connection { number: NUMBERS.fetch_add(1, Relaxed), peer, out }, to_send)
    }

    /// Sends a datagram, if the path takes it now. One that does not is as good as lost on the way.
    pub(crate) fn send(&self, datagram: Vec<u8>) -> bool {
        match self {
            Self::Udp { socket, to } => socket.try_send_to(&datagram, *to).is_ok(),
            Self::Connection { out, .. } => out.try_send(datagram).is_ok(),
        }
    }

    /// Whether nothing can come by it any more.
    fn is_closed(&self) -> bool {
        match self {
            Self::Udp { .. } => false,
            Self::Connection { out, .. } => out.is_closed(),
        }
    }

    fn ip(&self) -> IpAddr {
        match self {
            Self::Udp { to, .. } => to.ip(),
            Self::Connection { peer, .. } => *peer,
        }
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Udp { to, .. }, Self::Udp { to: other, .. }) => to == other,
            (Self::Connection { number, .. }, Self::Connection { number: other, .. }) => number == other,
            _ => false,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp { to, .. } => to.fmt(f),
            Self::Connection { number, peer, .. } => write!(f, "{peer} (connection {number})"),
        }
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A datagram and where it came from.
#[derive(Debug)]
pub(crate) struct Datagram {
    pub(crate) bytes: Vec<u8>,
    pub(crate) from: Path,
}

/// The calls by connection id.
#[derive(Debug)]
pub(crate) struct Table {
    calls: RwLock<HashMap<u32, Arc<Entry>>>,
    unknown: Mutex<HashMap<IpAddr, Bucket>>,
    counters: Arc<Counters>,
    started: Instant,
}

/// A call, as the edges see it.
#[derive(Debug)]
struct Entry {
    inbox: mpsc::Sender<Datagram>,
    gate: Mutex<Gate<Path>>,
}

/// A call's place in the table; dropping it takes the call out.
#[derive(Debug)]
pub(crate) struct Registration {
    table: Arc<Table>,
    connection_id: u32,
    entry: Arc<Entry>,
}

impl Table {
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        Self { calls: RwLock::default(), unknown: Mutex::default(), counters, started: Instant::now() }
    }

    /// Has datagrams of a connection id delivered, one for each `frame`. `None`: the id is taken.
    pub(crate) fn register(
        self: &Arc<Self>,
        connection_id: u32,
        frame: Duration,
    ) -> Option<(Registration, mpsc::Receiver<Datagram>)> {
        let (inbox, datagrams) = mpsc::channel(INBOX);
        let gate = Mutex::new(Gate::new(frame, self.started.elapsed()));
        let entry = Arc::new(Entry { inbox, gate });
        let mut calls = self.calls.write().unwrap_or_else(PoisonError::into_inner);
        if calls.contains_key(&connection_id) {
            return None;
        }
        calls.insert(connection_id, entry.clone());
        Some((Registration { table: self.clone(), connection_id, entry }, datagrams))
    }

    /// Takes a datagram to its call, if it has one that wants it. Never answers.
    pub(crate) fn deliver(&self, bytes: &[u8], from: &Path) {
        self.deliver_at(bytes, from, self.started.elapsed());
    }

    fn deliver_at(&self, bytes: &[u8], from: &Path, now: Duration) {
        let counters = &self.counters;
        counters.datagrams.add(1);
        counters.datagram_bytes.add(bytes.len() as u64);
        if bytes.len() > MAX_DATAGRAM {
            return counters.dropped.oversized.add(1);
        }
        let Some(&[_, _, _, _, a, b, c, d]) = bytes.first_chunk::<8>() else {
            return counters.dropped.truncated.add(1);
        };
        let id = u32::from_be_bytes([a, b, c, d]);
        let entry = self.calls.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        let Some(entry) = entry else { return self.unknown(from, now) };
        match entry.admit(from, now) {
            Admission::In => {}
            Admission::Rate => return counters.dropped.rate.add(1),
            Admission::Stranger => return counters.dropped.stranger.add(1),
        }
        let datagram = Datagram { bytes: bytes.to_vec(), from: from.clone() };
        if entry.inbox.try_send(datagram).is_err() {
            counters.dropped.inbox.add(1);
        }
    }

    /// A connection id that there is not: an old call's, or a stranger's guess.
    fn unknown(&self, from: &Path, now: Duration) {
        self.counters.dropped.unknown.add(1);
        let ip = from.ip();
        let mut sources = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.len() >= SOURCES && !sources.contains_key(&ip) {
            // Whoever comes with thousands of addresses is one flood.
            sources.clear();
        }
        let (rate, burst) = UNKNOWN;
        let within = sources.entry(ip).or_insert_with(|| Bucket::new(rate, burst, now)).take(now);
        drop(sources);
        if !within {
            self.counters.unknown_flood.add(1);
        } else {
            tracing::debug!(%from, "a datagram of no call");
        }
    }
}

impl Entry {
    fn gate(&self) -> MutexGuard<'_, Gate<Path>> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, from: &Path, now: Duration) -> Admission {
        let mut gate = self.gate();
        if gate.home().is_some_and(Path::is_closed) {
            gate.gone();
        }
        gate.admit(from, now)
    }
}

impl Registration {
    /// The device was heard, and is there: others get little of what the call takes in, and nothing while it speaks.
    pub(crate) fn heard(&self, home: &Path) {
        self.entry.gate().heard(home, self.table.started.elapsed());
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.table.calls.write().unwrap_or_else(PoisonError::into_inner).remove(&self.connection_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_stranger_is_counted_as_one_until_the_devices_connection_is_closed() {
        let table = Arc::new(Table::new(Arc::default()));
        let (registration, mut inbox) = table.register(7, Duration::from_millis(60)).unwrap();
        assert!(table.register(7, Duration::from_millis(60)).is_none(), "the id is taken");
        let (home, to_home) = Path::connection(Ipv4Addr::LOCALHOST.into());
        let (other, _to_other) = Path::connection(Ipv4Addr::LOCALHOST.into());
        let now = table.started.elapsed();
        registration.entry.gate().heard(&home, now);
        let deliver = |from: &Path| table.deliver_at(&[1, 0, 0, 0, 0, 0, 0, 7], from, now);
        deliver(&home);
        deliver(&other);
        assert_eq!((inbox.len(), table.counters.dropped.stranger.get()), (1, 1));
        drop(to_home);
        deliver(&other);
        assert_eq!((inbox.len(), table.counters.dropped.stranger.get()), (2, 1));
        inbox.close();
        deliver(&home);
        assert_eq!(table.counters.dropped.inbox.get(), 1);
    }
}
