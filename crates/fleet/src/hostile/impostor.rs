//! Datagrams from an address that has no session.

use std::net::SocketAddr;
use std::time::Duration;

use sidetone_packet::{HEADER_LEN, Header};
use tokio::net::UdpSocket;
use tokio::time::sleep;

use super::Hostile;
use super::pace::Pace;
use crate::device::bind;
use crate::random::Random;
use crate::stats::count;
use crate::{Shared, trouble};

/// How often is looked whether a device has a session, whose server can then be attacked.
const LOOK: Duration = Duration::from_millis(50);
/// Bytes of a forged payload: as those of speech.
const PAYLOAD: usize = 120;

/// Copies of overheard packets, and forgeries with their connection ids whose sequence numbers run ahead.
pub(super) async fn spoof(shared: &Shared, hostile: Hostile, mut random: Random) {
    let mut socket: Option<(SocketAddr, UdpSocket)> = None;
    let mut pace = Pace::new(hostile.rate);
    loop {
        for _ in 0..pace.due().await {
            let Some((server, mut datagram)) = shared.overhear(random.bits()) else { continue };
            if socket.as_ref().is_none_or(|(known, _)| *known != server) {
                socket = bind(server).await.ok().map(|socket| (server, socket));
            }
            let Some((_, socket)) = &socket else { continue };
            if random.share() < 0.5 {
                forge(&mut datagram, &mut random);
            }
            send(shared, socket, &datagram);
        }
    }
}

/// Makes another packet of an overheard one: a later number, and a payload that nobody sealed.
fn forge(datagram: &mut [u8], random: &mut Random) {
    let Some((head, payload)) = datagram.split_first_chunk_mut::<HEADER_LEN>() else { return };
    let Ok(header) = Header::parse(head) else { return };
    *head = Header { sequence: header.sequence.wrapping_add(1 + random.below(400) as u32), ..header }.to_bytes();
    for chunk in payload.chunks_mut(8) {
        chunk.copy_from_slice(&random.bits().to_be_bytes()[..chunk.len()]);
    }
}

/// Packets with connection ids that nobody has, to the server of whoever has a session.
pub(super) async fn unknown_ids(shared: &Shared, hostile: Hostile, mut random: Random) {
    let server = loop {
        match shared.server() {
            Some(server) => break server,
            None => sleep(LOOK).await,
        }
    };
    let socket = match bind(server).await {
        Ok(socket) => socket,
        Err(error) => return shared.stats.cause(&format!("hostile: no UDP socket: {}", trouble(&error))),
    };
    let mut datagram = [0_u8; HEADER_LEN + PAYLOAD];
    let mut pace = Pace::new(hostile.rate);
    loop {
        for _ in 0..pace.due().await {
            let connection_id = random.bits() as u32;
            let header = Header { payload_len: PAYLOAD as u16, connection_id, sequence: 1, ..Header::default() };
            datagram[..HEADER_LEN].copy_from_slice(&header.to_bytes());
            forge(&mut datagram, &mut random);
            send(shared, &socket, &datagram);
        }
    }
}

/// Sends, and looks whether anything ever comes back.
fn send(shared: &Shared, socket: &UdpSocket, datagram: &[u8]) {
    // What the socket does not take is lost, as on any network.
    let _ = socket.try_send(datagram);
    count(&shared.stats.counters.hostile_sent);
    if socket.try_recv(&mut [0; 64]).is_ok() {
        count(&shared.stats.counters.hostile_answered);
    }
}
