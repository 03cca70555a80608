//! The first byte of a packet: all 32 configurations of RFC 6716 table 2, channels and frame counts.

use sidetone_opus::packet::{Mode, Packet, Toc};
use sidetone_opus::{Bandwidth, Channels, SampleRate};

/// RFC 6716 table 2, row by row.
const ROWS: [(Mode, Bandwidth, &[u32]); 9] = [
    (Mode::Silk, Bandwidth::Narrow, &[10_000, 20_000, 40_000, 60_000]),
    (Mode::Silk, Bandwidth::Medium, &[10_000, 20_000, 40_000, 60_000]),
    (Mode::Silk, Bandwidth::Wide, &[10_000, 20_000, 40_000, 60_000]),
    (Mode::Hybrid, Bandwidth::SuperWide, &[10_000, 20_000]),
    (Mode::Hybrid, Bandwidth::Full, &[10_000, 20_000]),
    (Mode::Celt, Bandwidth::Narrow, &[2_500, 5_000, 10_000, 20_000]),
    (Mode::Celt, Bandwidth::Wide, &[2_500, 5_000, 10_000, 20_000]),
    (Mode::Celt, Bandwidth::SuperWide, &[2_500, 5_000, 10_000, 20_000]),
    (Mode::Celt, Bandwidth::Full, &[2_500, 5_000, 10_000, 20_000]),
];

#[test]
fn every_configuration_is_read_as_the_rfc_says() {
    let rows =
        ROWS.iter().flat_map(|&(mode, bandwidth, durations)| durations.iter().map(move |d| (mode, bandwidth, *d)));
    let mut configs = 0;
    for (config, (mode, bandwidth, micros)) in rows.enumerate() {
        for (low_bits, channels) in [(0, Channels::Mono), (4, Channels::Stereo)] {
            let toc = Toc((config as u8) << 3 | low_bits);
            assert_eq!(
                (toc.config(), toc.mode(), toc.bandwidth(), toc.frame_micros(), toc.channels()),
                (config as u8, mode, bandwidth, micros, channels),
                "{toc:?}"
            );
            let packet = Packet::parse(&[toc.0]).unwrap();
            assert_eq!((packet.frame_count(), packet.duration_micros()), (1, micros));
            assert_eq!(packet.samples(SampleRate::Hz48000), micros as usize * 48 / 1000);
        }
        configs += 1;
    }
    assert_eq!(configs, 32);
}

#[test]
fn frame_count_codes_give_their_number_of_frames() {
    // Configuration 16: CELT, 2.5 ms.
    for (bytes, frames) in
        [(&[0x80, 1, 2][..], 1), (&[0x81, 1, 2], 2), (&[0x82, 1, 1, 2], 2), (&[0x83, 5], 5), (&[0x83, 48], 48)]
    {
        let packet = Packet::parse(bytes).unwrap();
        assert_eq!((packet.frame_count(), packet.duration_micros()), (frames, frames as u32 * 2_500), "{bytes:02x?}");
    }
}

#[test]
fn samples_are_exact_at_every_rate() {
    for (rate, samples) in SampleRate::ALL.into_iter().zip([20, 30, 40, 60, 120]) {
        assert_eq!(Packet::parse(&[16 << 3]).unwrap().samples(rate), samples, "2.5 ms at {rate:?}");
        assert_eq!(Packet::parse(&[0x83, 48]).unwrap().samples(rate), 48 * samples, "120 ms at {rate:?}");
    }
}

#[test]
fn packets_join_where_all_but_the_count_is_equal() {
    assert!(Toc(0b0101_0000).is_joinable_with(Toc(0b0101_0011)));
    for bit in 2..8 {
        assert!(!Toc(0).is_joinable_with(Toc(1 << bit)), "bit {bit}");
    }
}
