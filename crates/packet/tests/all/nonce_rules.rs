//! No counter block is used twice downlink: not by a clock that stands still, not across a restart, not at the end of
//! the numbers.

use std::collections::HashSet;

use crate::common::{CONNECTION, KEY};
use proptest::prelude::*;
use sidetone_packet::{Direction, Header, SealError, Sealer, SealerState};

fn sealer(direction: Direction) -> Sealer {
    Sealer::new(&KEY, CONNECTION, direction)
}

fn seal(sealer: &mut Sealer, timestamp_ms: u32, len: usize) -> Result<Header, SealError> {
    sealer.seal(timestamp_ms, &vec![0; len], &mut [0; 1040])
}

#[test]
fn sequences_start_at_one_and_grow_by_one() {
    for direction in [Direction::Uplink, Direction::Downlink] {
        let mut sealer = sealer(direction);
        let sequences = [(); 4].map(|()| seal(&mut sealer, 0, 20).unwrap().sequence);
        assert_eq!(sequences, [1, 2, 3, 4], "{direction:?}");
        assert_eq!((sealer.direction(), sealer.connection_id()), (direction, CONNECTION));
    }
}

#[test]
fn downlink_timestamps_strictly_increase_and_uplink_ones_are_as_given() {
    let given = [0, 0, 60, 60, 40, 200, 199, 201];
    let cases = [(Direction::Downlink, [1, 2, 60, 61, 62, 200, 201, 202]), (Direction::Uplink, given)];
    for (direction, expected) in cases {
        let mut sealer = sealer(direction);
        let sent = given.map(|timestamp| seal(&mut sealer, timestamp, 20).unwrap().timestamp);
        assert_eq!(sent, expected, "{direction:?}");
    }
}

#[test]
fn sealing_refuses_to_wrap() {
    let mut exhausted = sealer(Direction::Uplink);
    exhausted.restore(SealerState { next_sequence: u32::MAX - 1, last_timestamp: 0 });
    assert_eq!(seal(&mut exhausted, 0, 20).unwrap().sequence, u32::MAX - 1);
    for _ in 0..2 {
        assert_eq!(seal(&mut exhausted, 0, 20).unwrap_err(), SealError::SequenceExhausted);
    }
    exhausted.skip_ahead(u32::MAX);
    assert_eq!(seal(&mut exhausted, 0, 20).unwrap_err(), SealError::SequenceExhausted);

    let mut late = sealer(Direction::Downlink);
    assert_eq!(seal(&mut late, u32::MAX, 20).unwrap().timestamp, u32::MAX);
    assert_eq!(seal(&mut late, 0, 20).unwrap_err(), SealError::TimestampExhausted);
    assert_eq!(late.state(), SealerState { next_sequence: 2, last_timestamp: u32::MAX }, "nothing is used up");

    let mut device = sealer(Direction::Uplink);
    for sequence in 1..=2 {
        assert_eq!(seal(&mut device, u32::MAX, 20).unwrap().sequence, sequence, "uplink timestamps may repeat");
    }
}

#[test]
fn restoring_moves_forward_only() {
    let mark = |next_sequence, last_timestamp| SealerState { next_sequence, last_timestamp };
    for (name, state, expected) in [
        ("older", mark(2, 50), mark(4, 180)),
        ("newer", mark(9, 500), mark(9, 500)),
        ("mixed", mark(9, 50), mark(9, 180)),
        ("nothing", SealerState::default(), mark(4, 180)),
        ("zero", mark(0, 0), mark(4, 180)),
    ] {
        let mut sealer = sealer(Direction::Downlink);
        for timestamp in [60, 120, 180] {
            seal(&mut sealer, timestamp, 20).unwrap();
        }
        sealer.restore(state);
        assert_eq!(sealer.state(), expected, "{name}");
    }
}

#[test]
fn a_mark_kept_from_the_packets_equals_the_sealers_own() {
    let mut sealer = sealer(Direction::Downlink);
    let mut mark = SealerState::START;
    for timestamp in [0, 60, 60, 10] {
        mark.observe(&seal(&mut sealer, timestamp, 20).unwrap());
        assert_eq!(mark, sealer.state());
    }
    mark.observe(&Header { sequence: u32::MAX, ..Header::default() });
    assert_eq!(mark.next_sequence, u32::MAX, "the end is the end");
}

/// Counter blocks of a packet, as numbers.
fn blocks(header: &Header) -> impl Iterator<Item = u128> {
    let first = u128::from_be_bytes(header.to_bytes());
    (0..u128::from(header.payload_len.div_ceil(16))).map(move |block| first.wrapping_add(block))
}

proptest! {
    #[test]
    fn no_downlink_block_is_used_twice_across_restarts(
        runs in prop::collection::vec(prop::collection::vec((0..400_u32, 1..=1024_usize), 1..20), 1..6),
    ) {
        let (mut used, mut mark) = (HashSet::new(), SealerState::START);
        for run in runs {
            // The clock starts anew in every run, and may stand still or go back.
            let mut sealer = sealer(Direction::Downlink);
            sealer.restore(mark);
            for (timestamp, len) in run {
                let header = seal(&mut sealer, timestamp, len).unwrap();
                mark.observe(&header);
                for block in blocks(&header) {
                    prop_assert!(used.insert(block), "{header:?} uses a block again");
                }
            }
        }
    }

    #[test]
    fn no_block_is_used_twice_when_the_mark_is_stale_and_skipped(
        sent in 1..40_u32,
        lost in 0..40_u32,
        clock in prop::collection::vec(0..100_u32, 40),
        direction in prop_oneof![Just(Direction::Uplink), Just(Direction::Downlink)],
    ) {
        // One length and a clock that repeats itself: the worst case for overlaps.
        let mut first = sealer(direction);
        for index in 0..sent {
            seal(&mut first, index, 1024).unwrap();
        }
        let stale = first.state();
        let mut used = HashSet::new();
        for index in 0..lost {
            used.extend(blocks(&seal(&mut first, clock[index as usize], 1024).unwrap()));
        }
        let mut second = sealer(direction);
        second.restore(stale);
        second.skip_ahead(lost);
        for timestamp in clock {
            for block in blocks(&seal(&mut second, timestamp, 1024).unwrap()) {
                prop_assert!(!used.contains(&block), "a block of a lost packet is used again");
            }
        }
    }
}

#[test]
fn skipping_leaves_room_for_every_block_of_what_was_lost() {
    let mut sealer = sealer(Direction::Downlink);
    sealer.restore(SealerState { next_sequence: 10, last_timestamp: 540 });
    sealer.skip_ahead(3);
    assert_eq!(sealer.state(), SealerState { next_sequence: 10 + 3 + 63, last_timestamp: 543 });
}
