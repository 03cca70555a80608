//! How a tenant's packet functions do their work. What the guest returns is believed only where it can be.

use super::occupant::PacketCache;
use super::seat::{Seat, broken};
use super::seated::answer_with;
use super::shared::Shared;
use super::work::PacketWork;
use sidetone_packet::{HEADER_LEN, Header};

pub(crate) fn serve(seat: &mut Seat<PacketCache>, shared: &Shared, work: PacketWork) {
    match work {
        PacketWork::Seal(key, header, payload, answer) => {
            let result = seat.call(shared, 1, |packets, _| {
                let datagram = packets.seal(&key, &header, &payload)?;
                // The header is the nonce: another one than was asked for may have been used before.
                let expected = Header { payload_len: payload.len() as u16, ..header }.to_bytes();
                if datagram.len() == HEADER_LEN + payload.len() && datagram.starts_with(&expected) {
                    return Ok(datagram);
                }
                Err(broken(format!("a datagram of {} bytes under another header", datagram.len())))
            });
            answer_with(seat, answer, result);
        }
        PacketWork::Open(key, datagram, answer) => {
            let result = seat.call(shared, 1, |packets, _| {
                let candidate = packets.decrypt(&key, &datagram)?;
                let header = Header::split(&datagram).map(|(header, _)| header);
                if header == Ok(candidate.header) && candidate.payload.len() == datagram.len() - HEADER_LEN {
                    return Ok(candidate);
                }
                Err(broken(format!("{} bytes of plaintext under another header", candidate.payload.len())))
            });
            answer_with(seat, answer, result);
        }
        PacketWork::Forget(key, answer) => {
            let result = seat.call(shared, 0, |packets, _| packets.forget(&key));
            drop(answer.send(result));
        }
    }
}
