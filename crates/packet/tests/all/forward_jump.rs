//! A packet far ahead of the stream is not believed alone; three plausible ones in a row are.

use crate::common::{CONNECTION, KEY, candidate, uplink, uplink_opener};
use sidetone_packet::{
    AcceptError, DEFAULT_FORWARD_LIMIT, Direction, OpenError, Opener, OpenerConfig, PACKETS_IN_A_ROW, ROW_SPACING,
};

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A plausible packet that is accepted, with its gap and whether it resynchronised.
    Accepted(u32, u32, bool),
    /// A plausible packet that is held, and how many more are needed then.
    Held(u32, u32),
    /// A packet whose plaintext is not plausible.
    Implausible(u32),
    /// Refused as seen before.
    Replayed(u32),
    /// Refused as behind the window.
    TooOld(u32),
}
use Step::{Accepted, Held, Implausible, Replayed, TooOld};

fn play(name: &str, opener: &mut Opener, steps: &[Step]) {
    for (index, step) in steps.iter().enumerate() {
        let place = format!("{name}, step {index}: {step:?}");
        match *step {
            Accepted(sequence, gap, resynchronised) => {
                let candidate = candidate(opener, &uplink(sequence, 0, 20));
                let accepted = opener.accept(candidate).expect(&place);
                assert_eq!((accepted.gap, accepted.resynchronised), (gap, resynchronised), "{place}");
            }
            Held(sequence, more_needed) => {
                let before = opener.state();
                let candidate = candidate(opener, &uplink(sequence, 0, 20));
                let error = opener.accept(candidate).expect_err(&place);
                let ahead = sequence - before.highest.unwrap_or(0);
                assert_eq!(error, AcceptError::Held { sequence, ahead, more_needed }, "{place}");
                assert_eq!(opener.state(), before, "{place}");
            }
            Implausible(sequence) => {
                let candidate = candidate(opener, &uplink(sequence, 0, 20));
                opener.reject(candidate).unwrap();
            }
            Replayed(sequence) => {
                let error = opener.open(&uplink(sequence, 0, 20), &mut [0; 1024]).unwrap_err();
                assert_eq!(error, OpenError::Replayed { sequence }, "{place}");
            }
            TooOld(sequence) => {
                let highest = opener.state().highest.unwrap();
                let error = opener.open(&uplink(sequence, 0, 20), &mut [0; 1024]).unwrap_err();
                assert_eq!(error, OpenError::TooOld { sequence, highest }, "{place}");
            }
        }
    }
}

#[test]
fn jumps_play_out_as_tabled() {
    assert_eq!((DEFAULT_FORWARD_LIMIT, PACKETS_IN_A_ROW, ROW_SPACING), (500, 3, 16));
    let cases: [(&str, &[Step]); 14] = [
        ("at the limit", &[Accepted(1, 0, false), Accepted(501, 499, false)]),
        ("beyond the limit", &[Accepted(1, 0, false), Held(502, 2), Accepted(2, 0, false)]),
        ("first packet at the limit", &[Accepted(500, 0, false)]),
        ("first packet beyond it", &[Held(501, 2), Accepted(1, 0, false)]),
        ("joined very late", &[Held(9000, 2), Held(9001, 1), Accepted(9002, 0, true), Accepted(9003, 0, false)]),
        (
            "three in a row",
            &[
                Accepted(1, 0, false),
                Held(1000, 2),
                Held(1001, 1),
                Accepted(1002, 998, true),
                Replayed(1000),
                Replayed(1001),
                Replayed(1002),
                TooOld(2),
                Accepted(999, 0, false),
                Accepted(1003, 0, false),
            ],
        ),
        (
            "three with loss between them",
            &[Accepted(1, 0, false), Held(1000, 2), Held(1016, 1), Accepted(1032, 1028, true), Replayed(1016)],
        ),
        (
            "too far from one to the next",
            &[
                Accepted(1, 0, false),
                Held(1000, 2),
                Held(1017, 2),
                Held(1034, 2),
                Held(1035, 1),
                Accepted(1036, 1032, true),
            ],
        ),
        ("downwards is not a row", &[Accepted(1, 0, false), Held(1002, 2), Held(1001, 2), Held(1000, 2)]),
        (
            "each packet twice",
            &[Held(9000, 2), Held(9000, 2), Held(9001, 1), Held(9001, 1), Accepted(9002, 0, true), Replayed(9002)],
        ),
        (
            "an implausible one breaks the row",
            &[Accepted(1, 0, false), Held(1000, 2), Held(1001, 1), Implausible(1002), Held(1002, 2)],
        ),
        (
            "an implausible one near the stream does not",
            &[Accepted(1, 0, false), Held(1000, 2), Implausible(2), Held(1001, 1), Accepted(1002, 998, true)],
        ),
        (
            "the stream going on breaks the row",
            &[Accepted(1, 0, false), Held(1000, 2), Held(1001, 1), Accepted(2, 0, false), Held(1002, 2)],
        ),
        ("to the last number", &[Held(u32::MAX - 2, 2), Held(u32::MAX - 1, 1), Accepted(u32::MAX, 0, true), TooOld(0)]),
    ];
    for (name, steps) in cases {
        play(name, &mut uplink_opener(), steps);
    }
}

#[test]
fn held_packets_and_moves_are_counted() {
    let mut opener = uplink_opener();
    play("", &mut opener, &[Accepted(1, 0, false), Held(1000, 2), Held(1001, 1), Accepted(1002, 998, true)]);
    let counters = opener.counters();
    assert_eq!((counters.opened, counters.accepted, counters.held, counters.resynchronised), (4, 2, 2, 1));
    assert_eq!(counters.skipped, 998, "1..=1002 less two accepted and two held");
}

#[test]
fn the_limit_is_the_embedders_choice() {
    let config = OpenerConfig { forward_limit: 10, ..OpenerConfig::default() };
    let mut opener = Opener::new(&KEY, CONNECTION, Direction::Uplink, config);
    play("limit of 10", &mut opener, &[Accepted(10, 0, false), Accepted(20, 9, false), Held(31, 2)]);

    let config = OpenerConfig { forward_limit: 0, ..OpenerConfig::default() };
    let mut opener = Opener::new(&KEY, CONNECTION, Direction::Uplink, config);
    play("limit of 0", &mut opener, &[Accepted(0, 0, false), Held(1, 2), Held(2, 1), Accepted(3, 0, true)]);
}

#[test]
fn a_forged_far_packet_does_not_cost_the_stream_a_frame() {
    let mut opener = uplink_opener();
    for sequence in 1..=300 {
        play("stream", &mut opener, &[Accepted(sequence, 0, false), Held(sequence + 100_000, 2)]);
    }
    assert_eq!((opener.counters().accepted, opener.counters().held), (300, 300));
}
