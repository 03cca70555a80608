//! What survives a restart: no nonce is used twice, and no packet is taken twice.

use crate::common::{CONNECTION, Call, DTX, KEY, device, flush, gateway, header, send, uplink, voice};
use sidetone_opus::{Channels, SampleRate};
use sidetone_packet::HEADER_LEN;
use sidetone_session::{Config, Kind, Session, State};
use std::collections::HashSet;

/// The counter blocks that a datagram uses: its header, and one more for each further 16 bytes.
fn blocks(datagram: &[u8]) -> impl Iterator<Item = u128> {
    let first = u128::from_be_bytes(datagram[..HEADER_LEN].try_into().unwrap());
    (0..(datagram.len() - HEADER_LEN).div_ceil(16) as u128).map(move |block| first + block)
}

#[test]
fn no_counter_block_is_used_twice_by_either_end_across_restarts() {
    let mut used = HashSet::new();
    for start in [Config::gateway(CONNECTION), Config::device(CONNECTION)] {
        let mut config = start;
        let mut mirror = State::START;
        for restart in 0..6 {
            config.resume = mirror;
            // Constant bitrate makes packets equally long, so that only timestamp and sequence tell them apart.
            config.outgoing.vbr = false;
            let mut session = Session::new(&KEY, &config).unwrap();
            let pcm = voice(config.outgoing.rate, Channels::Mono, 0.7);
            // A clock that begins anew at every restart, stands still, and runs back.
            for time in [0, 0, 500, 100, 100] {
                let mut datagrams = send(&mut session, &pcm, time);
                datagrams.extend(flush(&mut session, time));
                for datagram in &datagrams {
                    mirror.sent(&header(datagram));
                    for block in blocks(datagram) {
                        assert!(used.insert(block), "restart {restart}: block {block:032x} is used twice");
                    }
                }
            }
            assert_eq!(mirror.sealed, session.state().sealed);
        }
    }
    assert!(used.len() > 5_000, "{} blocks", used.len());
}

/// Keeps a state as the owner of an instance does, from nothing but what comes out.
fn receive(session: &mut Call, mirror: &mut State, datagram: &[u8]) {
    if let Ok(received) = session.receive(datagram) {
        mirror.received(received.sequence);
        mirror.position = received.position + received.samples.len() as u64;
    }
    assert_eq!(*mirror, session.state());
}

#[test]
fn the_state_kept_outside_equals_the_sessions_own() {
    let mut gateway = gateway();
    let mut mirror = State::START;
    for sequence in [3, 4, 4, 8, 6, 200, 199, 190, 60, 201, 100_000, 205, 204, 203] {
        receive(&mut gateway, &mut mirror, &uplink(sequence, DTX));
    }
    receive(&mut gateway, &mut mirror, &uplink(206, b"ping"));
    receive(&mut gateway, &mut mirror, &uplink(207, &[0xFF; 30]));
    receive(&mut gateway, &mut mirror, &[]);
    assert_eq!(gateway.stats().packets.late, 5);
}

#[test]
fn packets_taken_before_a_restart_are_refused_after_it() {
    let mut device = device();
    let datagrams = send(&mut device, &voice(SampleRate::Hz16000, Channels::Mono, 3.0), 0);
    let mut first = gateway();
    for datagram in datagrams[..30].iter().filter(|d| header(d).sequence != 20) {
        first.receive(datagram).unwrap();
    }
    let mut config = Config::gateway(CONNECTION);
    config.resume = first.state();
    drop(first);
    let mut second = Session::new(&KEY, &config).unwrap();
    assert_eq!(second.state(), config.resume);
    for datagram in &datagrams[..30] {
        match header(datagram).sequence {
            20 => assert_eq!(second.receive(datagram).unwrap().kind, Kind::Late),
            _ => assert!(second.receive(datagram).is_err()),
        }
    }
    let next = second.receive(&datagrams[30]).unwrap();
    assert_eq!((next.sequence, next.position, next.lost), (31, 30 * 960, 0));
}

#[test]
fn a_state_that_contradicts_itself_opens_a_session_all_the_same() {
    let mut config = Config::gateway(CONNECTION);
    config.resume.opened.window = u128::MAX;
    config.resume.sealed.next_sequence = 0;
    let mut session = Session::new(&KEY, &config).unwrap();
    session.receive(&uplink(1, DTX)).unwrap();
    config.resume.opened.highest = Some(5);
    config.resume.opened.window = 0;
    let mut session = Session::new(&KEY, &config).unwrap();
    assert!(session.receive(&uplink(5, DTX)).is_err(), "the highest was seen, whatever the window says");
    assert_eq!(session.receive(&uplink(4, DTX)).unwrap().kind, Kind::Late);
    assert_eq!(header(&send(&mut session, &[0; 1440], 0)[0]).sequence, 1, "0 is below the first number");
}

#[test]
fn the_start_is_the_default() {
    assert_eq!(State::default(), State::START);
    assert_eq!(gateway().state(), State::START);
}
