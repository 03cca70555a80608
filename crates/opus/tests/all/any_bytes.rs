//! Any bytes, in any order of calls, on one decoder: a value or an error, never a panic, and never more samples than
//! there is room for.

use crate::common::{assorted_packets, cases};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use sidetone_opus::packet::{Packet, has_redundancy};
use sidetone_opus::{Channels, Decoder, Error, MAX_SAMPLES, SampleRate};
use std::sync::LazyLock;

static PACKETS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(assorted_packets);

#[derive(Debug, Clone)]
enum Step {
    Decode(Vec<u8>),
    Recover(Vec<u8>, usize),
    Conceal(usize),
    Reset,
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let damaged = (any::<Index>(), vec((any::<Index>(), any::<u8>()), 0..4)).prop_map(|(which, flips)| {
        let mut packet = which.get(&PACKETS).clone();
        flips.iter().for_each(|(at, bits)| *at.get_mut(&mut packet) ^= bits);
        packet
    });
    prop_oneof![3 => damaged, 1 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), 0..1500)]
}

fn step() -> impl Strategy<Value = Step> {
    // Lengths in steps of 2.5 ms at 48 kHz, and others.
    let length = || prop_oneof![(0usize..50).prop_map(|n| n * 120), 0usize..=11_520];
    prop_oneof![
        6 => payload().prop_map(Step::Decode),
        2 => (payload(), length()).prop_map(|(bytes, len)| Step::Recover(bytes, len)),
        2 => length().prop_map(Step::Conceal),
        1 => Just(Step::Reset),
    ]
}

fn expected_errors(error: Error) -> bool {
    matches!(error, Error::Packet(_) | Error::Undecodable | Error::FrameLength { .. })
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_decoder_survives_any_bytes(
        rate in proptest::sample::select(&SampleRate::ALL[..]),
        stereo: bool,
        steps in vec(step(), 1..25),
    ) {
        let channels = if stereo { Channels::Stereo } else { Channels::Mono };
        let mut decoder = Decoder::new(rate, channels).unwrap();
        let mut pcm = vec![0; MAX_SAMPLES * 2];
        for step in steps {
            let (result, room) = match &step {
                Step::Decode(bytes) => {
                    let need = Packet::parse(bytes).map_or(0, |packet| packet.samples(rate) * channels.count());
                    (decoder.decode(bytes, &mut pcm), need)
                }
                Step::Recover(bytes, len) => (decoder.decode_fec(bytes, &mut pcm[..*len]), *len),
                Step::Conceal(len) => (decoder.conceal(&mut pcm[..*len]), *len),
                Step::Reset => {
                    decoder.reset();
                    continue;
                }
            };
            match result {
                Ok(samples) => prop_assert_eq!(samples, room, "{:?}", step),
                Err(error) => prop_assert!(expected_errors(error), "{:?} {:?}", error, step),
            }
        }
    }

    #[test]
    fn asking_for_redundancy_survives_any_bytes(bytes in payload()) {
        let _ = has_redundancy(&bytes);
    }
}

#[test]
fn a_decoder_that_met_nonsense_decodes_the_next_good_packet() {
    let mut decoder = Decoder::new(SampleRate::Hz48000, Channels::Stereo).unwrap();
    let mut pcm = vec![0; MAX_SAMPLES * 2];
    let mut random = crate::common::Random(5);
    for packet in PACKETS.iter() {
        for len in [0, 1, 2, 30, 200] {
            let _ = decoder.decode(&random.bytes(len), &mut pcm);
        }
        let samples = Packet::parse(packet).unwrap().samples(SampleRate::Hz48000) * 2;
        assert_eq!(decoder.decode(packet, &mut pcm), Ok(samples));
    }
}
