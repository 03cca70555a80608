//! The buffer that adapts: order, gaps, depth; and that every lost packet is accounted for once.
#![cfg(not(target_arch = "wasm32"))]

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use sidetone_device::impairment::{Impairment, Settings};
use sidetone_device::playout::adaptive::{Adaptive, MOST};
use sidetone_device::playout::{Arrival, Statistics, Step};

const FRAME: f64 = 60.0;

fn push(buffer: &mut Adaptive, now: f64, sequence: u32) -> Arrival {
    buffer.push(now, sequence, sequence * 60, vec![sequence as u8])
}

fn decode(sequence: u32) -> Step {
    Step::Decode(vec![sequence as u8])
}

/// A buffer that plays, with packets 1 and 2 in it.
fn playing() -> Adaptive {
    let mut buffer = Adaptive::new(FRAME);
    buffer.start(0.0);
    push(&mut buffer, 0.0, 1);
    push(&mut buffer, 60.0, 2);
    buffer
}

#[test]
fn it_waits_for_two_packets() {
    let mut buffer = Adaptive::new(FRAME);
    buffer.start(0.0);
    push(&mut buffer, 0.0, 1);
    assert_eq!(buffer.step(), Step::Silence);
    push(&mut buffer, 60.0, 2);
    assert_eq!((buffer.step(), buffer.step()), (decode(1), decode(2)));
}

#[test]
fn it_waits_for_one_more_where_they_come_out_of_order_and_plays_them_in_order() {
    let mut buffer = Adaptive::new(FRAME);
    buffer.start(0.0);
    push(&mut buffer, 60.0, 2);
    push(&mut buffer, 60.0, 1);
    assert_eq!(buffer.step(), Step::Silence);
    push(&mut buffer, 120.0, 3);
    assert_eq!([buffer.step(), buffer.step(), buffer.step()], [decode(1), decode(2), decode(3)]);
}

#[test]
fn a_gap_is_asked_of_the_packet_behind_it() {
    let mut buffer = playing();
    push(&mut buffer, 180.0, 4);
    buffer.step();
    buffer.step();
    assert_eq!(buffer.step(), Step::Recover(vec![4]));
    assert_eq!(buffer.step(), decode(4));
    let counts = |s: Statistics| (s.lost, s.recovered, s.concealed, s.skipped, s.underruns);
    assert_eq!(counts(buffer.statistics()), (1, 1, 0, 0, 0));
    buffer.not_recovered();
    assert_eq!(counts(buffer.statistics()), (1, 0, 1, 0, 0));
}

#[test]
fn of_a_longer_gap_only_the_last_frame_can_be_recovered() {
    let mut buffer = playing();
    push(&mut buffer, 300.0, 6);
    let steps: Vec<_> = (0..6).map(|_| buffer.step()).collect();
    let made = [decode(1), decode(2), Step::Conceal, Step::Conceal, Step::Recover(vec![6]), decode(6)];
    assert_eq!(steps, made);
}

#[test]
fn a_gap_too_long_to_make_up_is_passed_over() {
    let mut buffer = playing();
    let mut steps = vec![buffer.step(), buffer.step()];
    push(&mut buffer, 900.0, 20);
    steps.push(buffer.step());
    assert_eq!(steps, [decode(1), decode(2), decode(20)]);
    assert_eq!((buffer.statistics().lost, buffer.statistics().skipped), (17, 17));
}

#[test]
fn a_packet_that_is_only_late_is_played_after_what_was_made_up_and_is_an_underrun() {
    let mut buffer = playing();
    let made = [buffer.step(), buffer.step(), buffer.step()];
    assert_eq!(made, [decode(1), decode(2), Step::Conceal]);
    push(&mut buffer, 300.0, 3);
    assert_eq!(buffer.step(), decode(3));
    assert_eq!((buffer.statistics().lost, buffer.statistics().underruns), (0, 1));
}

#[test]
fn what_was_made_up_before_the_loss_was_known_is_the_lost_packets() {
    let mut buffer = playing();
    let made = [buffer.step(), buffer.step(), buffer.step()];
    assert_eq!(made, [decode(1), decode(2), Step::Conceal]);
    push(&mut buffer, 300.0, 4);
    assert_eq!(buffer.step(), decode(4));
    let statistics = buffer.statistics();
    assert_eq!((statistics.lost, statistics.concealed, statistics.underruns), (1, 1, 0));
}

#[test]
fn a_packet_after_its_turn_is_late_and_one_that_is_there_a_duplicate() {
    let mut buffer = playing();
    buffer.step();
    assert_eq!(push(&mut buffer, 70.0, 1), Arrival::Late);
    assert_eq!(push(&mut buffer, 70.0, 2), Arrival::Duplicate);
    assert_eq!((buffer.statistics().late, buffer.statistics().duplicate), (1, 1));
}

#[test]
fn packets_that_overtake_the_start_are_played_and_old_ones_are_not() {
    let mut buffer = Adaptive::new(FRAME);
    assert_eq!(push(&mut buffer, 0.0, 1), Arrival::NotPlaying);
    push(&mut buffer, 960.0, 2);
    push(&mut buffer, 980.0, 3);
    buffer.start(1000.0);
    assert_eq!((buffer.step(), buffer.step()), (decode(2), decode(3)));
    assert_eq!(buffer.statistics().not_playing, 1);
}

#[test]
fn a_stop_plays_what_waits_and_an_abort_does_not() {
    let mut buffer = playing();
    buffer.drain();
    assert_eq!((buffer.step(), buffer.step(), buffer.step()), (decode(1), decode(2), Step::Silence));
    assert!(buffer.is_playing(), "what is under way is waited for");
    for _ in 0..9 {
        buffer.step();
    }
    assert!(!buffer.is_playing());
    let mut buffer = playing();
    buffer.stop();
    assert_eq!((buffer.step(), buffer.is_playing(), buffer.statistics().dropped), (Step::Silence, false, 2));
}

#[test]
fn a_stream_that_breaks_off_is_gathered_afresh() {
    let mut buffer = playing();
    let steps: Vec<_> = (0..8).map(|_| buffer.step()).collect();
    assert_eq!(steps.iter().filter(|step| **step == Step::Conceal).count(), 5);
    assert_eq!(steps[7], Step::Silence);
    push(&mut buffer, 900.0, 3);
    assert_eq!(buffer.step(), Step::Silence, "one packet is not enough to go on");
}

#[test]
fn the_queue_is_bounded() {
    let mut buffer = Adaptive::new(FRAME);
    buffer.start(0.0);
    for sequence in 0..=MOST as u32 {
        let expected = if sequence < MOST as u32 { Arrival::Queued } else { Arrival::Overflow };
        assert_eq!(push(&mut buffer, 0.0, sequence), expected);
    }
}

/// A talk of `packets`, one every 60 ms, through a network. Returns the steps and the counts at the end.
fn talk(settings: Settings, seed: u64, packets: u32) -> (Vec<Step>, Statistics, u64) {
    let mut network = Impairment::new(settings, seed);
    let mut buffer = Adaptive::new(FRAME);
    buffer.start(0.0);
    let mut steps = Vec::new();
    for tick in 0..(packets + 40) * 60 {
        let now = f64::from(tick);
        if tick % 60 == 0 && tick / 60 < packets {
            network.push(now, &(tick / 60 + 1).to_be_bytes());
        }
        while let Some(packet) = network.pop(now) {
            let sequence = u32::from_be_bytes(packet.try_into().unwrap());
            buffer.push(now, sequence, (sequence - 1) * 60, sequence.to_be_bytes().to_vec());
        }
        if tick == packets * 60 {
            buffer.drain();
        }
        if tick % 60 == 30 {
            steps.push(buffer.step());
        }
    }
    (steps, buffer.statistics(), network.counts().lost)
}

fn sequences(steps: &[Step]) -> Vec<u32> {
    let decoded = steps.iter().filter_map(|step| if let Step::Decode(payload) = step { Some(payload) } else { None });
    decoded.map(|payload| u32::from_be_bytes(payload.clone().try_into().unwrap())).collect()
}

#[test]
fn an_even_network_loses_and_makes_up_nothing() {
    let (steps, statistics, _) = talk(Settings::default(), 1, 200);
    assert_eq!(sequences(&steps), (1..=200).collect::<Vec<_>>());
    assert_eq!((statistics.lost, statistics.underruns, statistics.dropped), (0, 0, 0));
    assert_eq!(statistics.target, 2);
}

#[test]
fn at_five_percent_loss_as_many_frames_are_concealed_as_are_lost_and_none_is_an_underrun() {
    let (_, statistics, lost) = talk(Settings { loss: 5.0, ..Settings::default() }, 42, 400);
    assert!(lost > 10);
    assert_eq!(statistics.lost, lost);
    assert_eq!(statistics.concealed + statistics.recovered, lost);
    assert_eq!(statistics.underruns, 0);
}

#[test]
fn reordered_packets_are_put_in_order_once_the_buffer_knows_the_network() {
    let (steps, statistics, _) = talk(Settings { reorder: 10.0, ..Settings::default() }, 4, 400);
    assert!(sequences(&steps).is_sorted());
    assert!(statistics.target > 2, "{statistics:?}");
    assert!(statistics.late + statistics.underruns < 12, "{statistics:?}");
}

#[test]
fn the_buffer_gets_deeper_with_jitter_and_shallower_without() {
    let mut network = Impairment::new(Settings { jitter: 200.0, ..Settings::default() }, 2);
    let mut buffer = Adaptive::new(FRAME);
    buffer.start(0.0);
    let mut deepest = 0;
    for tick in 0..60_000 {
        let now = f64::from(tick);
        if tick == 30_000 {
            network.set(Settings::default());
        }
        if tick % 60 == 0 {
            network.push(now, &(tick / 60 + 1_u32).to_be_bytes());
        }
        while let Some(packet) = network.pop(now) {
            let sequence = u32::from_be_bytes(packet.try_into().unwrap());
            buffer.push(now, sequence, (sequence - 1) * 60, vec![0]);
        }
        if tick % 60 == 30 {
            buffer.step();
            deepest = deepest.max(buffer.statistics().target);
        }
    }
    let statistics = buffer.statistics();
    assert!(deepest >= 4, "{deepest}");
    assert_eq!(statistics.target, 2);
    assert!(statistics.depth <= 5, "{statistics:?}");
}

proptest! {
    /// Whatever the network does: frames come in order, and each lost packet is concealed, recovered or passed over.
    #[test]
    fn every_lost_packet_is_accounted_for_once(
        loss in 0.0..60.0, jitter in 0.0..300.0, reorder in 0.0..30.0, duplicate in 0.0..30.0, seed: u64,
    ) {
        let settings = Settings { loss, delay: 20.0, jitter, reorder, duplicate };
        let (steps, s, _) = talk(settings, seed, 120);
        prop_assert!(sequences(&steps).is_sorted_by(|a, b| a < b));
        prop_assert_eq!(s.lost, s.concealed + s.recovered + s.skipped);
        prop_assert_eq!(s.received, s.played + s.late + s.duplicate + s.overflowed + s.dropped + s.not_playing
            + u64::from(s.depth));
    }
}
