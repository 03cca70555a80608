//! Any datagrams into one opener: no panic, no sequence number accepted twice (not after a restart either), and an error
//! leaves the output alone.
//!
//! Input: `direction and configuration: u8`, then records. `op & 7`: 0 and 1 a raw datagram, accepted; 2 a raw datagram,
//! rejected; 3 a raw datagram, left undecided; 4 too small an output; 5 a restart with the exported state; 6 and 7 a
//! datagram sealed here from `sequence: u32 BE, timestamp: u8, payload`, accepted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_fuzz::records;
use sidetone_packet::{
    Direction, HEADER_LEN, Header, KeySchedule, MAX_PAYLOAD, OpenError, Opener, OpenerConfig, seal_with,
};
use std::collections::HashSet;

/// Key and connection id of the packets that `cargo xtask fuzz` takes from the corpus.
const KEY: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const CONNECTION_ID: u32 = 0xa1b2_c3d4;

/// Stands in the output before each call.
const UNTOUCHED: u8 = 0xa5;

fuzz_target!(|input: &[u8]| {
    let Some((&setup, rest)) = input.split_first() else { return };
    let direction = if setup & 1 == 0 { Direction::Uplink } else { Direction::Downlink };
    let config = OpenerConfig { forward_limit: u32::from(setup >> 2) * 16, accept_unmarked_downlink: setup & 2 != 0 };
    let schedule = KeySchedule::new(&KEY);
    let mut opener = Opener::new(&KEY, CONNECTION_ID, direction, config);
    let mut accepted = HashSet::new();

    for record in records(rest) {
        let mut sealed = [0; HEADER_LEN + MAX_PAYLOAD];
        let datagram = match record.op & 7 {
            5 => {
                let state = opener.state();
                opener = Opener::new(&KEY, CONNECTION_ID, direction, config);
                opener.restore(state);
                continue;
            }
            6 | 7 => match seal(&schedule, direction, record.bytes, &mut sealed) {
                Some(datagram) => datagram,
                None => continue,
            },
            _ => record.bytes,
        };

        let mut out = [UNTOUCHED; MAX_PAYLOAD];
        let room = if record.op & 7 == 4 { usize::from(record.op >> 3) } else { out.len() };
        let candidate = match opener.open(datagram, &mut out[..room]) {
            Ok(candidate) => candidate,
            Err(_) => {
                assert!(out.iter().all(|byte| *byte == UNTOUCHED), "an error wrote to the output");
                continue;
            }
        };
        let length = candidate.payload_len();
        assert!(length <= room && length + HEADER_LEN == datagram.len());
        assert!(out[length..].iter().all(|byte| *byte == UNTOUCHED), "wrote behind the payload");

        match record.op & 7 {
            2 => opener.reject(candidate).expect("a candidate of this opener"),
            3 => drop(candidate),
            _ => {
                let Ok(packet) = opener.accept(candidate) else { continue };
                let sequence = packet.header.sequence;
                assert!(accepted.insert(sequence), "sequence {sequence} accepted twice");
                assert!(matches!(
                    opener.open(datagram, &mut out),
                    Err(OpenError::Replayed { .. } | OpenError::TooOld { .. })
                ));
            }
        }
    }
});

fn seal<'o>(schedule: &KeySchedule, direction: Direction, bytes: &[u8], out: &'o mut [u8]) -> Option<&'o [u8]> {
    let (sequence, rest) = bytes.split_first_chunk()?;
    let (&timestamp, payload) = rest.split_first()?;
    let header = Header {
        flags: direction.flags(),
        payload_len: u16::try_from(payload.len()).ok()?,
        connection_id: CONNECTION_ID,
        timestamp: u32::from(timestamp),
        sequence: u32::from_be_bytes(*sequence),
    };
    let written = seal_with(schedule, &header, payload, out).ok()?;
    Some(&out[..written])
}
