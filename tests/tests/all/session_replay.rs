//! What a session in the component lets in: replayed, reordered, duplicated and far packets, and those of others.

use sidetone_host::{Error, OpenError, Received, Session};
use sidetone_packet::{Direction, HEADER_LEN, Header};
use sidetone_session::{Config, Kind};
use sidetone_tests::datagrams::{CONNECTION, DTX, KEY, of, sealed, uplink};
use sidetone_tests::{host, speech};

fn gateway() -> Session {
    host::component().open(&sidetone_host::Key::new(KEY), &Config::gateway(CONNECTION)).unwrap()
}

/// What became of a datagram: its kind and the packets missing before it, or why it was dropped.
type Outcome = Result<(Kind, u32), OpenError>;

fn outcome(result: Result<Received, Error>) -> Outcome {
    match result {
        Ok(received) => Ok((received.kind, received.lost)),
        Err(Error::Open(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

const AUDIO: Outcome = Ok((Kind::Audio, 0));
const LATE: Outcome = Ok((Kind::Late, 0));

const fn after(lost: u32) -> Outcome {
    Ok((Kind::Audio, lost))
}

const fn replayed(sequence: u32) -> Outcome {
    Err(OpenError::Replayed(sequence))
}

#[test]
fn sequences_come_out_as_the_table_says() {
    let tables: [(&str, &[(u32, Outcome)]); 7] = [
        ("in order", &[(1, AUDIO), (2, AUDIO), (3, AUDIO)]),
        ("duplicated", &[(1, AUDIO), (1, replayed(1)), (2, AUDIO), (2, replayed(2)), (1, replayed(1))]),
        ("reordered", &[(1, AUDIO), (3, after(1)), (2, LATE), (2, replayed(2)), (4, AUDIO)]),
        ("replayed later", &[(1, AUDIO), (2, AUDIO), (100, after(97)), (2, replayed(2)), (3, LATE), (3, replayed(3))]),
        (
            "behind the window",
            &[(200, AUDIO), (73, LATE), (72, Err(OpenError::TooOld(72))), (0, Err(OpenError::TooOld(0)))],
        ),
        (
            "one forged far ahead",
            &[(1, AUDIO), (501, after(499)), (1002, Err(OpenError::Held(1002))), (502, AUDIO), (1002, after(499))],
        ),
        (
            "a stream that continues elsewhere",
            &[
                (1, AUDIO),
                (9000, Err(OpenError::Held(9000))),
                (9000, Err(OpenError::Held(9000))),
                (9001, Err(OpenError::Held(9001))),
                (9002, after(8998)),
                (9001, replayed(9001)),
                (9003, AUDIO),
                (2, Err(OpenError::TooOld(2))),
            ],
        ),
    ];
    for (name, table) in tables {
        let mut session = gateway();
        for (step, (sequence, expected)) in table.iter().enumerate() {
            let state = session.state().unwrap();
            assert_eq!(outcome(session.receive(&uplink(*sequence, DTX))), *expected, "{name}, step {step}");
            if expected.is_err() {
                assert_eq!(session.state().unwrap(), state, "{name}, step {step}: a refused packet moves nothing");
            }
        }
    }
}

#[test]
fn refusals_name_what_is_wrong() {
    let mut session = gateway();
    session.receive(&uplink(5, DTX)).unwrap();
    let good = uplink(6, &[0x58; 40]);
    let changed = |place: usize, by: u8| {
        let mut datagram = good.clone();
        datagram[place] ^= by;
        datagram
    };
    let header = Header { connection_id: CONNECTION, sequence: 6, ..Header::default() };
    let implausible = |payload: &[u8]| sealed(&KEY, &header, payload);
    let honest = |len: usize| {
        let header = Header { payload_len: len as u16, ..header };
        [&header.to_bytes()[..], &vec![0; len]].concat()
    };
    let cases: [(&str, Vec<u8>, OpenError); 15] = [
        ("nothing", Vec::new(), OpenError::Truncated(0)),
        ("less than a header", good[..15].to_vec(), OpenError::Truncated(15)),
        ("only a header", good[..16].to_vec(), OpenError::LengthMismatch { declared: 40, actual: 0 }),
        ("one byte short", good[..55].to_vec(), OpenError::LengthMismatch { declared: 40, actual: 39 }),
        ("one byte long", [&good[..], &[0]].concat(), OpenError::LengthMismatch { declared: 40, actual: 41 }),
        ("the longest UDP has", vec![1; 65_535], OpenError::LengthMismatch { declared: 0x101, actual: 65_519 }),
        ("an honest empty payload", honest(0), OpenError::PayloadSize(0)),
        ("an honest long payload", honest(1025), OpenError::PayloadSize(1025)),
        ("the longest honest payload", honest(65_519), OpenError::PayloadSize(65_519)),
        ("another type", changed(0, 3), OpenError::UnknownType(2)),
        ("another session", changed(4, 0x80), OpenError::ForeignConnection(CONNECTION ^ 0x8000_0000)),
        ("one of our own, reflected", of(Direction::Downlink, 6, DTX), OpenError::WrongDirection(1)),
        ("no Opus", implausible(&[0x5B, 0]), OpenError::NotOpus),
        ("another duration", implausible(&[0x48]), OpenError::NotAsNegotiated { micros: 20_000, channels: 1 }),
        ("stereo", implausible(&[0x5C]), OpenError::NotAsNegotiated { micros: 60_000, channels: 2 }),
    ];
    for (name, datagram, expected) in cases {
        let state = session.state().unwrap();
        assert_eq!(outcome(session.receive(&datagram)), Err(expected), "{name}");
        assert_eq!(session.state().unwrap(), state, "{name}");
    }
    let stats = session.stats().unwrap();
    assert_eq!((stats.malformed, stats.foreign_connection, stats.wrong_direction, stats.rejected), (10, 1, 1, 3));
    assert_eq!(stats.implausible_in_a_row, 3);
    assert_eq!(outcome(session.receive(&uplink(6, DTX))), AUDIO, "the session is as good as before");
}

#[test]
fn text_is_swallowed_and_counted() {
    let mut session = gateway();
    for (sequence, text) in (0..).zip(["ping:5d1c", "keepalive:5d1c"]) {
        let received = session.receive(&uplink(sequence, text.as_bytes())).unwrap();
        assert_eq!((received.kind, received.samples.len(), received.payload.len()), (Kind::Text, 0, 0), "{text}");
    }
    assert_eq!(session.stats().unwrap().text, 2);
}

#[test]
fn a_call_between_native_code_and_the_component_is_heard_at_both_ends() {
    let key = sidetone_host::Key::new(KEY);
    let mut device = sidetone_session::Session::new(&KEY, &Config::device(CONNECTION)).unwrap();
    let mut gateway = host::component().open(&key, &Config::gateway(CONNECTION)).unwrap();

    let mut uplink = Vec::new();
    device.send(&speech::clip(16_000), 0, |datagram| uplink.push(datagram.to_vec())).unwrap();
    let downlink = gateway.send(&speech::clip(24_000), 0).unwrap();
    assert_eq!((uplink.len(), downlink.len()), (68, 68));
    for datagram in &uplink {
        let received = gateway.receive(datagram).unwrap();
        assert_eq!((received.kind, received.samples.len()), (Kind::Audio, 960));
    }
    for datagram in &downlink {
        let received = device.receive(datagram).unwrap();
        assert_eq!((received.kind, received.samples.len()), (Kind::Audio, 1440));
    }
    assert_eq!(gateway.stats().unwrap().received, 68);
    assert_eq!(device.stats().received, 68);
}

#[test]
fn payloads_passed_on_are_sealed_byte_for_byte_as_natively() {
    let key = sidetone_host::Key::new(KEY);
    for config in [Config::gateway(CONNECTION), Config::device(CONNECTION)] {
        let mut ours = host::component().open(&key, &config).unwrap();
        let mut native = sidetone_session::Session::new(&KEY, &config).unwrap();
        for (timestamp, len) in [(0, 1), (0, 147), (60, 266), (30, 1024), (u32::MAX - 1, 16)] {
            let payload = vec![len as u8; len];
            let mut expected = Vec::new();
            native.send_payload(&payload, timestamp, |datagram| expected.extend_from_slice(datagram)).unwrap();
            let sealed = ours.send_payload(&payload, timestamp).unwrap();
            assert_eq!(sealed, expected, "{len} bytes at {timestamp} ms");
            assert_eq!(sealed.len(), HEADER_LEN + len);
        }
        assert_eq!(ours.state().unwrap(), native.state());
    }
}
