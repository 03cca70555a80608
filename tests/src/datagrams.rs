//! Sealed datagrams, made natively.

use sidetone_packet::{Direction, HEADER_LEN, Header, KeySchedule, seal_with};

/// A session key. Its bytes are unlike anything else in the tests, so that a leak is recognised.
pub const KEY: [u8; 16] =
    [0xd3, 0x1c, 0x96, 0x5a, 0xe8, 0x77, 0x42, 0xbf, 0x0b, 0x64, 0xc9, 0x8e, 0x21, 0xf5, 0xaa, 0x3d];

/// The connection id of the test session.
pub const CONNECTION: u32 = 0xa1b2_c3d4;

/// A SILK frame of 60 ms, mono, that was not sent (DTX): the shortest packet a device sends.
pub const DTX: &[u8] = &[0x58];

/// A datagram under any header.
///
/// # Panics
/// For a payload of no bytes or more than 1024.
#[must_use]
pub fn sealed(key: &[u8; 16], header: &Header, payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0; HEADER_LEN + payload.len()];
    seal_with(&KeySchedule::new(key), header, payload, &mut datagram).expect("a payload of 1 to 1024 bytes");
    datagram
}

/// One of the test session.
#[must_use]
pub fn of(direction: Direction, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let timestamp = sequence.wrapping_mul(60);
    let flags = direction.flags();
    sealed(&KEY, &Header { flags, payload_len: 0, connection_id: CONNECTION, timestamp, sequence }, payload)
}

/// One from its device.
#[must_use]
pub fn uplink(sequence: u32, payload: &[u8]) -> Vec<u8> {
    of(Direction::Uplink, sequence, payload)
}
