//! Any datagrams, and well-sealed ones with any payload, into one session: no panic, nothing taken twice (not after a
//! restart either), and the account of each gap adds up.
//!
//! Input: `set-up: u8, frame and concealment: u8`, then records. `op & 3`: 0 and 1 the bytes sealed as the stream's next
//! packet, after a gap of `op >> 2` packets (from 48 on: of thousands); 2 a raw datagram; 3 a restart with the state
//! kept outside.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_fuzz::records;
use sidetone_opus::{Channels, FrameDuration, SampleRate};
use sidetone_packet::{Direction, HEADER_LEN, Header, KeySchedule, MAX_PAYLOAD, seal_with};
use sidetone_session::{Config, Delivery, Payload, Role, Session, State};
use std::collections::HashSet;

const KEY: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const CONNECTION_ID: u32 = 0xa1b2_c3d4;

fuzz_target!(|input: &[u8]| {
    let Some((&[setup, frame], rest)) = input.split_first_chunk() else { return };
    let mut config = configure(setup, frame);
    let direction = if config.role == Role::Gateway { Direction::Uplink } else { Direction::Downlink };
    let Ok(mut session) = Session::new(&KEY, &config) else { return };
    let schedule = KeySchedule::new(&KEY);
    let mut state = State::START;
    let mut taken = HashSet::new();
    let mut sequence = 0u32;

    for record in records(rest) {
        let mut sealed = [0; HEADER_LEN + MAX_PAYLOAD];
        let datagram = match record.op & 3 {
            3 => {
                config.resume = state;
                session = Session::new(&KEY, &config).expect("opened before");
                continue;
            }
            2 => record.bytes,
            _ => {
                let gap = u32::from(record.op >> 2);
                let gap = if gap < 48 { gap } else { gap * 1000 };
                sequence = sequence.saturating_add(gap + 1);
                let payload = &record.bytes[..record.bytes.len().min(MAX_PAYLOAD)];
                match seal(&schedule, direction, sequence, payload, &mut sealed) {
                    Some(datagram) => datagram,
                    None => continue,
                }
            }
        };

        let before = session.state().position;
        let Ok(received) = session.receive(datagram) else { continue };
        assert!(taken.insert(received.sequence), "sequence {} taken twice", received.sequence);
        assert_eq!(received.lost, received.skipped + received.concealed + received.recovered);
        assert_eq!(received.samples.len() % config.incoming.frame_samples(), 0);
        assert!(received.position >= before, "position went from {before} to {}", received.position);
        state.received(received.sequence);
        state.position = session.state().position;
    }
    let _ = session.stats();
});

fn configure(setup: u8, frame: u8) -> Config {
    let mut config = if setup & 1 == 0 { Config::gateway(CONNECTION_ID) } else { Config::device(CONNECTION_ID) };
    let incoming = &mut config.incoming;
    if setup & 2 != 0 {
        incoming.delivery = Delivery::Packets;
    }
    if setup & 4 != 0 {
        incoming.payload = Payload::Pcm;
    }
    if setup & 8 != 0 {
        incoming.channels = Channels::Stereo;
    }
    incoming.rate = SampleRate::ALL[usize::from(setup >> 4) % SampleRate::ALL.len()];
    incoming.frame = FrameDuration::ALL[usize::from(frame & 15) % FrameDuration::ALL.len()];
    incoming.max_concealed = frame >> 4;
    config
}

fn seal<'o>(
    schedule: &KeySchedule,
    direction: Direction,
    sequence: u32,
    payload: &[u8],
    out: &'o mut [u8],
) -> Option<&'o [u8]> {
    let header = Header {
        flags: direction.flags(),
        payload_len: u16::try_from(payload.len()).ok()?,
        connection_id: CONNECTION_ID,
        timestamp: sequence,
        sequence,
    };
    let written = seal_with(schedule, &header, payload, out).ok()?;
    Some(&out[..written])
}
