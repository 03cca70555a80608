//! Replay, reorder, duplicate: what the window lets in, by itself and inside an opener.

use std::collections::HashSet;

use crate::common::{CONNECTION, KEY, candidate, uplink, uplink_opener};
use proptest::prelude::*;
use sidetone_packet::{
    AcceptError, Direction, Freshness, OpenError, Opener, OpenerConfig, OpenerState, ReplayWindow, WINDOW,
};

#[derive(Debug, PartialEq)]
enum Fate {
    /// With the gap before it.
    New(u32),
    Late,
    Replayed,
    TooOld,
}
use Fate::{Late, New, Replayed, TooOld};

fn play(opener: &mut Opener, sequence: u32) -> Fate {
    match opener.open(&uplink(sequence, sequence, 20), &mut [0; 1024]) {
        Ok(candidate) => {
            let accepted = opener.accept(candidate).unwrap();
            assert_eq!(accepted.header.sequence, sequence);
            if accepted.late { Late } else { New(accepted.gap) }
        }
        Err(OpenError::Replayed { .. }) => Replayed,
        Err(OpenError::TooOld { .. }) => TooOld,
        Err(other) => panic!("sequence {sequence}: {other}"),
    }
}

#[test]
fn streams_play_out_as_tabled() {
    let cases: [(&str, &[(u32, Fate)]); 9] = [
        ("in order", &[(1, New(0)), (2, New(0)), (3, New(0))]),
        ("from zero", &[(0, New(0)), (1, New(0)), (0, Replayed)]),
        ("joined late", &[(40, New(0)), (41, New(0)), (39, Late)]),
        ("replayed at once", &[(1, New(0)), (1, Replayed), (1, Replayed)]),
        ("replayed later", &[(1, New(0)), (2, New(0)), (3, New(0)), (1, Replayed), (2, Replayed), (4, New(0))]),
        ("loss", &[(1, New(0)), (3, New(1)), (10, New(6))]),
        ("reordered pair", &[(1, New(0)), (3, New(1)), (2, Late), (4, New(0)), (2, Replayed), (3, Replayed)]),
        ("edge of the window", &[(200, New(0)), (73, Late), (72, TooOld), (73, Replayed), (201, New(0)), (73, TooOld)]),
        (
            "window left in one leap",
            &[(1, New(0)), (129, New(127)), (1, TooOld), (2, Late), (130, New(0)), (2, TooOld)],
        ),
    ];
    for (name, steps) in cases {
        let mut opener = uplink_opener();
        for (index, (sequence, fate)) in steps.iter().enumerate() {
            assert_eq!(&play(&mut opener, *sequence), fate, "{name}, step {index}");
        }
    }
}

#[test]
fn a_replayed_packet_is_dropped_and_counted() {
    let mut opener = uplink_opener();
    for sequence in [1, 2, 1, 2, 3, 300, 3] {
        play(&mut opener, sequence);
    }
    let counters = opener.counters();
    assert_eq!((counters.accepted, counters.replayed, counters.too_old), (4, 2, 1));
    assert_eq!((counters.skipped, counters.late), (296, 0));
}

#[test]
fn a_rejected_packet_leaves_its_place_to_the_genuine_one() {
    let mut opener = uplink_opener();
    play(&mut opener, 1);
    let before = opener.state();
    let forged = candidate(&mut opener, &uplink(2, 9, 20));
    opener.reject(forged).unwrap();
    assert_eq!(opener.state(), before);
    assert_eq!(play(&mut opener, 2), New(0));
    assert_eq!((opener.counters().opened, opener.counters().accepted, opener.counters().rejected), (3, 2, 1));
}

#[test]
fn a_candidate_that_is_never_decided_changes_nothing() {
    let mut opener = uplink_opener();
    drop(candidate(&mut opener, &uplink(1, 0, 20)));
    assert_eq!(opener.state(), OpenerState::default());
    assert_eq!(play(&mut opener, 1), New(0));
}

#[test]
fn of_two_candidates_with_one_number_the_second_is_refused() {
    let mut opener = uplink_opener();
    let (first, second) = (candidate(&mut opener, &uplink(1, 0, 20)), candidate(&mut opener, &uplink(1, 0, 20)));
    assert_eq!(opener.accept(first).unwrap().header.sequence, 1);
    assert_eq!(opener.accept(second).unwrap_err(), AcceptError::Overtaken { sequence: 1 });
    assert_eq!((opener.counters().accepted, opener.counters().overtaken), (1, 1));
}

#[test]
fn a_candidate_of_another_session_is_refused() {
    let mut other = Opener::new(&KEY, 7, Direction::Uplink, OpenerConfig::default());
    let mut opener = uplink_opener();
    let expected = AcceptError::ForeignCandidate { found: CONNECTION, expected: 7 };
    let foreign = candidate(&mut opener, &uplink(1, 0, 20));
    assert_eq!(other.accept(foreign).unwrap_err(), expected);
    let foreign = candidate(&mut opener, &uplink(1, 0, 20));
    assert_eq!(other.reject(foreign).unwrap_err(), expected);
    assert_eq!(other.state(), OpenerState::default());
}

#[test]
fn a_restored_opener_accepts_nothing_twice() {
    let mut before = uplink_opener();
    for sequence in [1, 2, 4, 5, 7] {
        play(&mut before, sequence);
    }
    let state = before.state();
    assert_eq!(state, OpenerState { highest: Some(7), window: 0b110_1101 });

    let mut after = uplink_opener();
    after.restore(state);
    for (sequence, fate) in [(1, Replayed), (3, Late), (7, Replayed), (6, Late), (8, New(0)), (2, Replayed)] {
        assert_eq!(play(&mut after, sequence), fate, "sequence {sequence}");
    }
}

#[test]
fn restoring_moves_forward_only() {
    let state = |highest: u32, window: u128| OpenerState { highest: Some(highest), window };
    let cases = [
        ("nothing into nothing", OpenerState::default(), OpenerState::default(), OpenerState::default()),
        ("nothing into some", state(9, 0b101), OpenerState::default(), state(9, 0b101)),
        ("some into nothing", OpenerState::default(), state(9, 0b101), state(9, 0b101)),
        ("older", state(9, 0b1), state(7, 0b11), state(9, 0b1101)),
        ("newer", state(7, 0b11), state(9, 0b1), state(9, 0b1101)),
        ("equal", state(9, 0b1001), state(9, 0b0101), state(9, 0b1101)),
        ("far older", state(900, 0b1), state(9, 0b111), state(900, 0b1)),
        ("far newer", state(9, 0b111), state(900, 0b1), state(900, 0b1)),
        ("just in the window", state(128, 0b1), state(1, 0b1), state(128, 1 << 127 | 1)),
        ("just out of it", state(129, 0b1), state(1, 0b1), state(129, 1)),
        ("damaged: highest bit missing", OpenerState::default(), state(9, 0), state(9, 1)),
    ];
    for (name, ours, theirs, expected) in cases {
        let mut window = ReplayWindow::from(ours);
        window.merge(theirs);
        assert_eq!(window.state(), expected, "{name}");
    }
}

#[test]
fn the_ends_of_the_number_range_are_ordinary() {
    let mut window = ReplayWindow::new();
    assert_eq!(window.check(0), Freshness::First);
    window.mark(0);
    assert_eq!(window.check(u32::MAX), Freshness::Ahead(u32::MAX));
    window.mark(u32::MAX);
    assert_eq!(window.check(u32::MAX), Freshness::Replayed);
    assert_eq!(window.check(u32::MAX - 127), Freshness::Late(127));
    assert_eq!(window.check(u32::MAX - 128), Freshness::TooOld);
    assert_eq!(window.check(0), Freshness::TooOld, "sequence numbers do not wrap");
}

proptest! {
    #[test]
    fn the_window_agrees_with_a_set(sequences in prop::collection::vec(0..400_u32, 1..200)) {
        let (mut window, mut seen) = (ReplayWindow::new(), HashSet::new());
        for sequence in sequences {
            let expected = match seen.iter().max() {
                None => Freshness::First,
                Some(&highest) if sequence > highest => Freshness::Ahead(sequence - highest),
                Some(&highest) if highest - sequence >= WINDOW => Freshness::TooOld,
                Some(_) if seen.contains(&sequence) => Freshness::Replayed,
                Some(&highest) => Freshness::Late(highest - sequence),
            };
            prop_assert_eq!(window.check(sequence), expected);
            window.mark(sequence);
            seen.insert(sequence);
        }
    }
}
