//! Each check of a header refuses with its own error and counts under its own name, and nothing else moves.

use crate::common::{CONNECTION, candidate, sealed, uplink, uplink_opener};
use sidetone_packet::{
    Counters, Direction, HEADER_LEN, Header, HeaderError, KeySchedule, MAX_PAYLOAD, OpenError, OpenerState, SealError,
    Sealer, SealerState, seal_with,
};

type Count = fn(&Counters) -> u64;

#[test]
fn each_cause_has_its_error_and_its_counter() {
    let with_payload = |len: usize| {
        let header = Header { connection_id: CONNECTION, payload_len: len as u16, sequence: 1, ..Header::default() };
        [&header.to_bytes()[..], &vec![0; len]].concat()
    };
    let foreign = sealed(&Header { connection_id: 7, sequence: 1, ..Header::default() }, b"frame");
    let mut type_zero = uplink(1, 0, 5);
    type_zero[0] = 0;

    let cases: [(&str, Vec<u8>, OpenError, Count); 9] = [
        ("empty", vec![], HeaderError::Truncated { len: 0 }.into(), |c| c.truncated),
        ("half a header", vec![1; 15], HeaderError::Truncated { len: 15 }.into(), |c| c.truncated),
        ("type 0", type_zero, HeaderError::UnknownType { found: 0 }.into(), |c| c.unknown_type),
        (
            "longer than declared",
            [uplink(1, 0, 5), vec![0]].concat(),
            HeaderError::LengthMismatch { declared: 5, actual: 6 }.into(),
            |c| c.length_mismatch,
        ),
        ("no payload", with_payload(0), HeaderError::PayloadSize { len: 0 }.into(), |c| c.payload_size),
        ("one byte too many", with_payload(1025), HeaderError::PayloadSize { len: 1025 }.into(), |c| c.payload_size),
        ("largest field", with_payload(65_535), HeaderError::PayloadSize { len: 65_535 }.into(), |c| c.payload_size),
        (
            "largest datagram",
            vec![1; 65_535],
            HeaderError::LengthMismatch { declared: 0x0101, actual: 65_519 }.into(),
            |c| c.length_mismatch,
        ),
        ("another session", foreign, OpenError::ForeignConnection { found: 7, expected: CONNECTION }, |c| {
            c.foreign_connection
        }),
    ];
    for (name, datagram, error, count) in cases {
        let mut opener = uplink_opener();
        let mut out = [0xee; MAX_PAYLOAD];
        assert_eq!(opener.open(&datagram, &mut out).unwrap_err(), error, "{name}");
        assert_eq!(out, [0xee; MAX_PAYLOAD], "{name}: no output");
        assert_eq!(count(opener.counters()), 1, "{name}");
        assert_eq!(total(opener.counters()), 1, "{name}: counted once");
        assert_eq!(opener.state(), OpenerState::default(), "{name}");
    }
}

fn total(c: &Counters) -> u64 {
    c.opened
        + c.truncated
        + c.unknown_type
        + c.length_mismatch
        + c.payload_size
        + c.foreign_connection
        + c.wrong_direction
        + c.replayed
        + c.too_old
}

#[test]
fn the_smallest_and_the_largest_payload_pass() {
    for len in [1, 15, 16, 17, MAX_PAYLOAD] {
        let mut opener = uplink_opener();
        let candidate = candidate(&mut opener, &uplink(1, 0, len));
        assert_eq!(candidate.payload_len(), len);
        assert_eq!(opener.accept(candidate).unwrap().header.payload_len, len as u16);
    }
}

#[test]
fn a_short_output_refuses_and_uses_nothing_up() {
    let mut opener = uplink_opener();
    let packet = uplink(1, 0, 5);
    let error = opener.open(&packet, &mut [0; 4]).unwrap_err();
    assert_eq!(error, OpenError::OutputTooSmall { needed: 5, capacity: 4 });
    assert_eq!(*opener.counters(), Counters::default());
    let _ = candidate(&mut opener, &packet);

    let mut sealer = Sealer::new(&crate::common::KEY, CONNECTION, Direction::Downlink);
    let error = sealer.seal(0, b"frame", &mut [0; HEADER_LEN + 4]).unwrap_err();
    assert_eq!(error, SealError::OutputTooSmall { needed: 21, capacity: 20 });
    assert_eq!(sealer.state(), SealerState::START);
}

#[test]
fn a_payload_that_no_packet_can_carry_is_not_sealed() {
    let schedule = KeySchedule::new(&crate::common::KEY);
    for len in [0, MAX_PAYLOAD + 1, 65_535, 65_536 + 1] {
        let mut out = vec![0; len + HEADER_LEN];
        let error = seal_with(&schedule, &Header::default(), &vec![0; len], &mut out).unwrap_err();
        assert_eq!(error, SealError::PayloadSize { len });
        let mut sealer = Sealer::new(&crate::common::KEY, CONNECTION, Direction::Uplink);
        assert_eq!(sealer.seal(0, &vec![0; len], &mut out).unwrap_err(), SealError::PayloadSize { len });
        assert_eq!(sealer.state(), SealerState::START);
    }
}

#[test]
fn errors_say_what_was_wrong() {
    let cases = [
        (
            OpenError::from(HeaderError::LengthMismatch { declared: 5, actual: 6 }).to_string(),
            "header declares 5 bytes of payload, the datagram carries 6",
        ),
        (
            OpenError::ForeignConnection { found: 7, expected: CONNECTION }.to_string(),
            "connection id 00000007 is not this session's a1b2c3d4",
        ),
        (
            OpenError::TooOld { sequence: 1, highest: 200 }.to_string(),
            "sequence 1 is 128 or more behind the highest accepted, 200",
        ),
        (SealError::PayloadSize { len: 0 }.to_string(), "payload of 0 bytes is outside 1..=1024"),
    ];
    for (message, expected) in cases {
        assert_eq!(message, expected);
    }
}
