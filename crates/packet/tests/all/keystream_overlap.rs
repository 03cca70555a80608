//! Packets that share keystream with an earlier one are counted, each once.

use crate::common::{CONNECTION, KEY, candidate, sealed, uplink, uplink_opener};
use sidetone_packet::{Direction, HEADER_LEN, Header, Opener, OpenerConfig, Sealer};

/// (sequence, timestamp in ms, payload bytes, whether it overlaps one before it).
type Packet = (u32, u32, usize, bool);

#[test]
fn overlaps_are_found_as_tabled() {
    let cases: [(&str, &[Packet]); 14] = [
        ("neighbours of two blocks", &[(1, 0, 32, false), (2, 0, 32, true)]),
        ("neighbours of one block", &[(1, 0, 16, false), (2, 0, 16, false)]),
        ("a partial block counts", &[(1, 0, 17, false), (2, 0, 17, true)]),
        ("one block apart from touching", &[(1, 0, 80, false), (5, 0, 80, true)]),
        ("touching", &[(1, 0, 80, false), (6, 0, 80, false)]),
        ("another length", &[(1, 0, 80, false), (2, 0, 81, false), (3, 0, 79, false)]),
        ("another timestamp", &[(1, 0, 80, false), (2, 60, 80, false), (3, 120, 80, false)]),
        ("each packet once", &[(1, 0, 80, false), (2, 0, 80, true), (3, 0, 80, true)]),
        ("with one in between", &[(1, 0, 80, false), (2, 0, 81, false), (3, 0, 80, true), (4, 0, 81, true)]),
        ("a late packet, with one above it", &[(1, 0, 40, false), (4, 0, 32, false), (3, 0, 32, true)]),
        ("a late packet, with one below it", &[(1, 0, 32, false), (4, 0, 40, false), (2, 0, 32, true)]),
        ("the largest packet", &[(1, 0, 1024, false), (64, 0, 1024, true), (128, 0, 1024, false)]),
        (
            "very late, with one outside the window",
            &[(1, 0, 1024, false), (174, 0, 16, false), (47, 0, 1024, true), (48, 0, 1009, false)],
        ),
        ("an old packet of the same slot", &[(1, 0, 80, false), (257, 0, 80, false), (258, 0, 80, true)]),
    ];
    for (name, packets) in cases {
        let mut opener = uplink_opener();
        let mut expected = 0;
        for &(sequence, timestamp, len, overlaps) in packets {
            let candidate = candidate(&mut opener, &uplink(sequence, timestamp, len));
            let accepted = opener.accept(candidate).unwrap();
            assert_eq!(accepted.keystream_overlap, overlaps, "{name}: sequence {sequence}");
            expected += u64::from(overlaps);
        }
        assert_eq!(opener.counters().keystream_overlap, expected, "{name}");
    }
}

#[test]
fn flags_select_the_keystream_too() {
    let mut opener = uplink_opener();
    for (sequence, flags, overlaps) in [(1, 0, false), (2, 2, false), (3, 0, true), (4, 2, true)] {
        let header = Header { flags, connection_id: CONNECTION, sequence, ..Header::default() };
        let candidate = candidate(&mut opener, &sealed(&header, &[0; 80]));
        assert_eq!(opener.accept(candidate).unwrap().keystream_overlap, overlaps, "sequence {sequence}");
    }
}

#[test]
fn the_carry_into_the_timestamp_is_followed() {
    // Starts at (timestamp 1, sequence 5), then jumps to the last numbers with timestamp 0: five blocks from
    // (0, 0xfffffffd) on are (0, fffffffd) (0, fffffffe) (0, ffffffff) (1, 0) (1, 1).
    for (low, overlaps) in [(1, true), (2, false)] {
        let mut opener = uplink_opener();
        let first = candidate(&mut opener, &uplink(low, 1, 80));
        opener.accept(first).unwrap();
        for sequence in [u32::MAX - 4, u32::MAX - 3] {
            let held = candidate(&mut opener, &uplink(sequence, 9, 80));
            opener.accept(held).unwrap_err();
        }
        let last = candidate(&mut opener, &uplink(u32::MAX - 2, 0, 80));
        assert_eq!(opener.accept(last).unwrap().keystream_overlap, overlaps, "with (1, {low})");
    }
}

#[test]
fn rejected_and_held_packets_leave_no_trace() {
    let mut opener = uplink_opener();
    let forged = candidate(&mut opener, &uplink(1, 0, 80));
    opener.reject(forged).unwrap();
    let genuine = candidate(&mut opener, &uplink(2, 0, 80));
    assert!(!opener.accept(genuine).unwrap().keystream_overlap);
}

#[test]
fn what_is_counted_is_what_leaks() {
    // Two packets counted as overlapping: one's second block of ciphertext, XORed with the other's first, is the XOR
    // of the plaintexts.
    let header = |sequence| Header { connection_id: CONNECTION, sequence, ..Header::default() };
    let (one, two) = (sealed(&header(1), &[0xaa; 32]), sealed(&header(2), &[0x55; 32]));
    let leak: Vec<u8> = one[HEADER_LEN + 16..].iter().zip(&two[HEADER_LEN..]).map(|(a, b)| a ^ b).collect();
    assert_eq!(leak, [0xff; 16]);
}

#[test]
fn speech_sizes_with_timestamp_zero_overlap_and_with_a_clock_never() {
    for (clock_ms, overlaps) in [(0, true), (60, false)] {
        let mut sealer = Sealer::new(&KEY, CONNECTION, Direction::Uplink);
        let mut opener = Opener::new(&KEY, CONNECTION, Direction::Uplink, OpenerConfig::default());
        for index in 0..1000_u32 {
            // Lengths spread over 80..=147 as firmware's are, by a fixed pattern.
            let len = 80 + (index.wrapping_mul(2_654_435_761) >> 20) as usize % 68;
            let mut packet = [0; 256];
            let header = sealer.seal(index * clock_ms, &vec![0x58; len], &mut packet).unwrap();
            let candidate = candidate(&mut opener, &packet[..header.packet_len()]);
            opener.accept(candidate).unwrap();
        }
        assert_eq!(opener.counters().keystream_overlap > 0, overlaps, "{clock_ms} ms a packet");
    }
}
