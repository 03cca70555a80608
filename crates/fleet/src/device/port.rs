//! The UDP port of a call: one of its own, as every real device has it, or one that many calls share.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use sidetone_packet::{HEADER_LEN, Header, MAX_PAYLOAD};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// The most datagrams of one call that wait behind a shared port. What comes when they are full is lost, as in a
/// socket's buffer.
const MOST_WAITING: usize = 64;
/// Room for the longest packet there is, and for telling that a datagram is longer.
pub(super) const ROOM: usize = HEADER_LEN + MAX_PAYLOAD + 1;

/// A call's way to and from its server.
pub(super) enum Port {
    Own(UdpSocket),
    Shared(Berth),
}

/// A call's place at a shared port.
pub(super) struct Berth {
    hub: Arc<Hub>,
    connection_id: u32,
    inbox: mpsc::Receiver<Box<[u8]>>,
    /// Came while readiness was waited for.
    held: Option<Box<[u8]>>,
}

/// A socket whose datagrams are told apart by their connection ids.
struct Hub {
    socket: Arc<UdpSocket>,
    berths: Arc<Mutex<Berths>>,
    reader: AbortHandle,
}

type Berths = HashMap<u32, mpsc::Sender<Box<[u8]>>>;

/// The shared ports of a fleet, by server and number.
#[derive(Default)]
pub(crate) struct Hubs(Mutex<HashMap<(SocketAddr, u16), Arc<Hub>>>);

impl Hubs {
    /// A place for a call at shared port `number`, which is opened where it is not.
    pub(super) async fn berth(&self, server: SocketAddr, number: u16, connection_id: u32) -> io::Result<Port> {
        let known = self.lock().get(&(server, number)).cloned();
        let hub = match known {
            Some(hub) => hub,
            None => {
                let new = Arc::new(Hub::open(server).await?);
                // Another call may have opened it meanwhile: the first one stays.
                Arc::clone(self.lock().entry((server, number)).or_insert(new))
            }
        };
        let (sender, inbox) = mpsc::channel(MOST_WAITING);
        lock(&hub.berths).insert(connection_id, sender);
        Ok(Port::Shared(Berth { hub, connection_id, inbox, held: None }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(SocketAddr, u16), Arc<Hub>>> {
        lock(&self.0)
    }
}

impl Hub {
    async fn open(server: SocketAddr) -> io::Result<Self> {
        let socket = Arc::new(bind(server).await?);
        let berths: Arc<Mutex<Berths>> = Arc::default();
        let reader = tokio::spawn(read(Arc::clone(&socket), Arc::clone(&berths))).abort_handle();
        Ok(Self { socket, berths, reader })
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        lock(&self.hub.berths).remove(&self.connection_id);
    }
}

/// Hands out what comes, until it is aborted.
async fn read(socket: Arc<UdpSocket>, berths: Arc<Mutex<Berths>>) {
    let mut buffer = [0; ROOM];
    loop {
        // An error is the answer to a packet of one of the calls, and no reason to stop.
        let Ok(length) = socket.recv(&mut buffer).await else { continue };
        let datagram = &buffer[..length];
        if let Some(Ok(header)) = datagram.first_chunk().map(Header::parse)
            && let Some(berth) = lock(&berths).get(&header.connection_id)
        {
            // Full: lost.
            let _ = berth.try_send(datagram.into());
        }
    }
}

impl Port {
    /// Waits until a datagram may have come. May be cancelled.
    pub(super) async fn readable(&mut self) {
        match self {
            Self::Own(socket) => {
                if socket.readable().await.is_err() {
                    // A socket without a reactor: the runtime is going down.
                    std::future::pending::<()>().await;
                }
            }
            Self::Shared(berth) => {
                if berth.held.is_none() {
                    berth.held = berth.inbox.recv().await;
                }
            }
        }
    }

    /// The next datagram that is there.
    pub(super) fn try_receive(&mut self, buffer: &mut [u8; ROOM]) -> io::Result<usize> {
        match self {
            Self::Own(socket) => socket.try_recv(buffer),
            Self::Shared(berth) => {
                let next = berth.held.take().or_else(|| berth.inbox.try_recv().ok());
                let datagram = next.ok_or(io::ErrorKind::WouldBlock)?;
                buffer[..datagram.len()].copy_from_slice(&datagram);
                Ok(datagram.len())
            }
        }
    }

    pub(super) fn try_send(&self, datagram: &[u8]) -> io::Result<usize> {
        match self {
            Self::Own(socket) => socket.try_send(datagram),
            Self::Shared(berth) => berth.hub.socket.try_send(datagram),
        }
    }
}

/// A socket with a port of its own, for one server.
pub(crate) async fn bind(server: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    // Until then it is not known to be, and the first packet would not be taken.
    socket.writable().await?;
    Ok(socket)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(connection_id: u32, sequence: u32) -> Vec<u8> {
        let header = Header { payload_len: 1, connection_id, sequence, ..Header::default() };
        [&header.to_bytes()[..], &[0x58]].concat()
    }

    async fn receive(port: &mut Port) -> Vec<u8> {
        let mut buffer = [0; ROOM];
        port.readable().await;
        let length = port.try_receive(&mut buffer).unwrap();
        buffer[..length].to_vec()
    }

    #[tokio::test]
    async fn calls_at_one_port_get_their_own_packets() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let hubs = Hubs::default();
        let mut first = hubs.berth(address, 0, 1).await.unwrap();
        let mut second = hubs.berth(address, 0, 2).await.unwrap();
        let mut buffer = [0; 64];
        first.try_send(&packet(1, 1)).unwrap();
        let (_, peer) = server.recv_from(&mut buffer).await.unwrap();
        second.try_send(&packet(2, 1)).unwrap();
        assert_eq!(server.recv_from(&mut buffer).await.unwrap().1, peer, "one port");
        for (connection_id, sequence) in [(2, 7), (3, 7), (1, 7), (1, 8)] {
            server.send_to(&packet(connection_id, sequence), peer).await.unwrap();
        }
        assert_eq!(receive(&mut first).await, packet(1, 7));
        assert_eq!(receive(&mut first).await, packet(1, 8));
        assert_eq!(receive(&mut second).await, packet(2, 7));
        drop(first);
        server.send_to(&packet(1, 9), peer).await.unwrap();
        server.send_to(&packet(2, 9), peer).await.unwrap();
        assert_eq!(receive(&mut second).await, packet(2, 9), "one call's end is not the other's");
    }
}
