//! Sealed datagrams over UDP, many at a time where the platform has it.

use crate::media::{MAX_DATAGRAM, Path, Table};
use crate::protect::Seldom;
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use std::array;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// What one datagram may take: one byte more than the largest, to see that it is too large.
const SLOT: usize = MAX_DATAGRAM + 1;

/// How long after an error of the socket it is read again.
const PAUSE: Duration = Duration::from_millis(10);

static NOT_READ: Seldom = Seldom::new();

/// The socket.
pub(crate) struct Udp {
    socket: Arc<UdpSocket>,
    state: UdpSocketState,
}

impl Udp {
    /// Opens the socket.
    pub(crate) fn bind(address: SocketAddr, receive_buffer: usize) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        // As much as the system allows.
        if let Err(error) = socket.set_recv_buffer_size(receive_buffer) {
            tracing::warn!(%error, receive_buffer, "the system gives no larger receive buffer");
        }
        socket.bind(&address.into())?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let socket = UdpSocket::from_std(socket.into())?;
        Ok(Self { socket: Arc::new(socket), state })
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Takes datagrams to their calls, without an end.
    pub(crate) async fn serve(self, table: Arc<Table>) {
        let mut room = vec![0; SLOT * BATCH_SIZE * self.state.gro_segments()];
        let each = room.len() / BATCH_SIZE;
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        loop {
            let mut parts = room.chunks_mut(each);
            let mut slots: [_; BATCH_SIZE] = array::from_fn(|_| IoSliceMut::new(parts.next().unwrap_or_default()));
            let receive = || self.state.recv(UdpSockRef::from(&self.socket), &mut slots, &mut metas);
            let received = self.socket.async_io(Interest::READABLE, receive).await;
            let count = match received {
                Ok(count) => count,
                Err(error) => {
                    if let Some(times) = NOT_READ.times() {
                        tracing::warn!(%error, times, "UDP cannot be read");
                    }
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            for (meta, slot) in metas.iter().zip(room.chunks(each)).take(count) {
                let from = Path::Udp { socket: self.socket.clone(), to: meta.addr };
                // Datagrams of one sender, of equal length, may come joined.
                let stride = meta.stride.max(1);
                slot[..meta.len].chunks(stride).for_each(|datagram| table.deliver(datagram, &from));
                if meta.len == 0 {
                    table.deliver(&[], &from);
                }
            }
        }
    }
}
