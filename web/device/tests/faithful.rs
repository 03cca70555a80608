//! Playing as firmware does.

use sidetone_device::playout::faithful::Faithful;
use sidetone_device::playout::{Arrival, Step};
use sidetone_packet::Header;
use sidetone_protocol::device::{QUEUE, ReceiveRules};

fn datagram(sequence: u32) -> Vec<u8> {
    let header = Header { payload_len: 1, sequence, ..Header::default() };
    [&header.to_bytes()[..], &[sequence as u8]].concat()
}

fn decode(sequence: u8) -> Step {
    Step::Decode(vec![sequence])
}

#[test]
fn what_comes_before_speech_begins_is_not_played() {
    let mut firmware = Faithful::new(ReceiveRules::FIRMWARE);
    assert_eq!(firmware.push(0.0, 0, vec![1]), Arrival::NotPlaying);
    firmware.start();
    assert_eq!(firmware.push(60.0, 60, vec![2]), Arrival::Queued);
    assert_eq!((firmware.step(), firmware.step()), (decode(2), Step::Silence));
    assert_eq!(firmware.statistics().not_playing, 1);
}

#[test]
fn a_gap_is_passed_over_without_a_frame_in_its_place() {
    let mut firmware = Faithful::new(ReceiveRules::FIRMWARE);
    firmware.start();
    for sequence in [1, 2, 5] {
        assert!(firmware.judge(&datagram(sequence)).is_some());
        firmware.push(f64::from(sequence) * 60.0, sequence * 60, vec![sequence as u8]);
    }
    assert_eq!([firmware.step(), firmware.step(), firmware.step()], [decode(1), decode(2), decode(5)]);
    let statistics = firmware.statistics();
    assert_eq!((statistics.lost, statistics.skipped, statistics.concealed, statistics.played), (2, 2, 0, 3));
}

#[test]
fn a_packet_out_of_order_is_dropped_and_a_duplicate_as_its_generation_does() {
    let mut late = Faithful::new(ReceiveRules::FIRMWARE);
    let judged: Vec<_> = [1, 3, 2, 3].map(|sequence| late.judge(&datagram(sequence)).is_some()).into();
    assert_eq!(judged, [true, true, false, false]);
    assert_eq!((late.statistics().late, late.statistics().duplicate), (1, 1));
    let mut early = Faithful::new(ReceiveRules::FIRMWARE_2025);
    let judged: Vec<_> = [1, 3, 2, 3].map(|sequence| early.judge(&datagram(sequence)).is_some()).into();
    assert_eq!(judged, [true, true, false, true]);
}

#[test]
fn the_queue_holds_forty_and_a_stop_empties_it() {
    let mut firmware = Faithful::new(ReceiveRules::FIRMWARE);
    firmware.start();
    for n in 0..=QUEUE {
        let expected = if n < QUEUE { Arrival::Queued } else { Arrival::Overflow };
        assert_eq!(firmware.push(0.0, 0, vec![n as u8]), expected);
    }
    assert_eq!(firmware.statistics().depth, 40);
    firmware.stop();
    let statistics = firmware.statistics();
    assert_eq!((statistics.dropped, statistics.overflowed, statistics.depth), (40, 1, 0));
    assert_eq!(firmware.step(), Step::Silence);
    assert_eq!(statistics.underruns, 0);
}

#[test]
fn an_empty_queue_in_the_middle_of_speech_is_an_underrun() {
    let mut firmware = Faithful::new(ReceiveRules::FIRMWARE);
    firmware.start();
    firmware.step();
    assert_eq!(firmware.statistics().underruns, 0, "nothing was played yet");
    firmware.push(0.0, 0, vec![1]);
    firmware.step();
    firmware.step();
    assert_eq!(firmware.statistics().underruns, 1);
}
