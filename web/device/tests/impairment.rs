//! The network that the page makes: what it is told, and nothing else.

use sidetone_device::impairment::{Impairment, MOST_UNDER_WAY, OVERTAKEN_BY, Settings};

/// Numbers of the packets in the order in which they arrive, one pushed every 60 ms, with the time each took.
fn arrivals(network: &mut Impairment, packets: u32) -> Vec<(u32, f64)> {
    let mut arrived = Vec::new();
    let mut take = |network: &mut Impairment, now: f64| {
        while let Some(packet) = network.pop(now) {
            let number = u32::from_be_bytes(packet.try_into().unwrap());
            arrived.push((number, now - f64::from(number) * 60.0));
        }
    };
    for tick in 0..packets * 60 + 2000 {
        if tick % 60 == 0 && tick / 60 < packets {
            network.push(f64::from(tick), &(tick / 60).to_be_bytes());
        }
        take(network, f64::from(tick));
    }
    arrived
}

#[test]
fn without_settings_every_packet_arrives_at_once_and_in_order() {
    let mut network = Impairment::new(Settings::default(), 7);
    let expected: Vec<_> = (0..100).map(|number| (number, 0.0)).collect();
    assert_eq!(arrivals(&mut network, 100), expected);
}

#[test]
fn the_same_seed_does_the_same_and_another_does_not() {
    let settings = Settings { loss: 10.0, jitter: 80.0, reorder: 5.0, duplicate: 5.0, ..Settings::default() };
    let run = |seed| arrivals(&mut Impairment::new(settings, seed), 300);
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn what_is_lost_is_counted_and_is_as_much_as_was_asked_for() {
    let mut network = Impairment::new(Settings { loss: 5.0, ..Settings::default() }, 3);
    let arrived = arrivals(&mut network, 4000);
    let counts = network.counts();
    assert_eq!(arrived.len() as u64 + counts.lost, 4000);
    assert!((150..250).contains(&counts.lost), "{}", counts.lost);
}

#[test]
fn one_setting_does_not_change_what_another_does() {
    let lost = |settings| {
        let mut network = Impairment::new(settings, 11);
        let mut there: Vec<_> = arrivals(&mut network, 500).into_iter().map(|(number, _)| number).collect();
        there.sort_unstable();
        there.dedup();
        there
    };
    let alone = Settings { loss: 20.0, ..Settings::default() };
    assert_eq!(lost(alone), lost(Settings { jitter: 50.0, duplicate: 30.0, ..alone }));
}

#[test]
fn jitter_keeps_the_order_and_stays_within_its_bound() {
    let mut network = Impairment::new(Settings { delay: 20.0, jitter: 100.0, ..Settings::default() }, 5);
    let arrived = arrivals(&mut network, 500);
    assert!(arrived.is_sorted_by_key(|(number, _)| *number));
    assert_eq!(arrived.len(), 500);
    assert!(arrived.iter().all(|(_, took)| (20.0..=121.0).contains(took)));
    assert!(arrived.iter().any(|(_, took)| *took > 100.0));
}

#[test]
fn a_reordered_packet_comes_after_the_next_one() {
    let mut network = Impairment::new(Settings { reorder: 10.0, ..Settings::default() }, 9);
    let arrived = arrivals(&mut network, 500);
    let late: Vec<_> = arrived.iter().filter(|(_, took)| *took >= OVERTAKEN_BY).collect();
    assert_eq!(late.len() as u64, network.counts().reordered);
    assert!(late.len() > 20);
    let place = |number| arrived.iter().position(|(n, _)| *n == number);
    for (number, _) in late {
        if let (Some(own), Some(next)) = (place(*number), place(number + 1)) {
            // Two in a row keep their order.
            assert!(next < own || arrived[next].1 >= OVERTAKEN_BY);
        }
    }
}

#[test]
fn duplicates_arrive_twice() {
    let mut network = Impairment::new(Settings { duplicate: 100.0, ..Settings::default() }, 1);
    assert_eq!(arrivals(&mut network, 2), [(0, 0.0), (0, 0.0), (1, 0.0), (1, 0.0)]);
}

#[test]
fn no_more_packets_are_under_way_than_the_bound() {
    let mut network = Impairment::new(Settings { delay: 10_000.0, ..Settings::default() }, 1);
    for _ in 0..=MOST_UNDER_WAY {
        network.push(0.0, b"x");
    }
    assert_eq!(network.counts().overflowed, 1);
    assert_eq!(network.next_due(), Some(10_000.0));
    network.clear();
    assert_eq!(network.next_due(), None);
}

#[test]
fn settings_out_of_range_are_brought_into_it() {
    let wild = Settings { loss: -3.0, delay: f64::NAN, jitter: 1e9, reorder: 101.0, duplicate: f64::INFINITY };
    let bounded = wild.bounded();
    assert_eq!(bounded, Settings { loss: 0.0, delay: 0.0, jitter: 10_000.0, reorder: 100.0, duplicate: 0.0 });
}
