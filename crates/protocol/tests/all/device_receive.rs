//! Which packets two generations of firmware play.

use sidetone_packet::{Header, HeaderError};
use sidetone_protocol::device::{PlayQueue, QUEUE, ReceiveRules, Receiver, Verdict};

fn packet(sequence: u32) -> Vec<u8> {
    let header = Header { payload_len: 3, connection_id: sequence, flags: 1, sequence, ..Header::default() };
    [&header.to_bytes()[..], &[1, 2, 3]].concat()
}

/// `p`layed with its gap, or `o`ld.
fn fate(verdict: Verdict) -> (char, u32) {
    match verdict {
        Verdict::Play { gap, .. } => ('p', gap),
        Verdict::Old { last, .. } => ('o', last),
        Verdict::Malformed(_) => ('m', 0),
    }
}

#[test]
fn old_sequences_are_dropped_by_the_rule_of_the_generation() {
    let sequences = [1, 2, 2, 5, 4, 5, 0, 6, 5_000_000];
    let fw = [('p', 0), ('p', 0), ('o', 2), ('p', 2), ('o', 5), ('o', 5), ('o', 5), ('p', 0), ('p', 4_999_993)];
    let fw25 = [('p', 0), ('p', 0), ('p', 0), ('p', 2), ('o', 5), ('p', 0), ('o', 5), ('p', 0), ('p', 4_999_993)];
    for (rules, fates) in [(ReceiveRules::FIRMWARE, fw), (ReceiveRules::FIRMWARE_2025, fw25)] {
        let mut receiver = Receiver::new(rules);
        assert_eq!(sequences.map(|sequence| fate(receiver.judge(&packet(sequence)))), fates, "{rules:?}");
        assert_eq!(receiver.last(), 5_000_000);
    }
}

#[test]
fn a_wrong_length_matters_to_late_firmware_only() {
    let long = [packet(1), vec![0]].concat();
    let mismatch = HeaderError::LengthMismatch { declared: 3, actual: 4 };
    assert_eq!(Receiver::new(ReceiveRules::FIRMWARE).judge(&long), Verdict::Malformed(mismatch));
    assert_eq!(fate(Receiver::new(ReceiveRules::FIRMWARE_2025).judge(&long)), ('p', 0));
    for rules in [ReceiveRules::FIRMWARE, ReceiveRules::FIRMWARE_2025] {
        let mut receiver = Receiver::new(rules);
        let short = Verdict::Malformed(HeaderError::Truncated { len: 15 });
        assert_eq!(receiver.judge(&packet(1)[..15]), short);
        let text = Verdict::Malformed(HeaderError::UnknownType { found: b'p' });
        assert_eq!(receiver.judge(b"ping:0123456789abcdef"), text);
        assert_eq!(receiver.last(), 0);
    }
}

#[test]
fn the_queue_loses_what_comes_when_it_is_full() {
    let mut queue = PlayQueue::new(ReceiveRules::FIRMWARE);
    for packet in 0..QUEUE {
        assert_eq!(queue.push(packet), Ok(()));
    }
    assert_eq!((queue.push(40), queue.push(41), queue.overflowed()), (Err(40), Err(41), 2));
    assert_eq!((queue.pop(), queue.len()), (Some(0), QUEUE - 1));
    assert_eq!((queue.clear(), queue.is_empty(), queue.pop()), (QUEUE - 1, true, None));
}
