//! The readers meet any bytes with a value or an error: no panic, and no memory beyond what the file is worth.

use crate::common::{chunk, laced_page, riff};
use proptest::prelude::*;
use sidetone_audio::{Pcm, bit, measure, ogg_opus, resample, wav};
use std::cell::Cell;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

/// A file that remembers the largest buffer it was asked to fill: what a reader reserved on the strength of a claim.
struct Watched<'a> {
    file: Cursor<&'a [u8]>,
    largest: &'a Cell<usize>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.largest.set(self.largest.get().max(buffer.len()));
        self.file.read(buffer)
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// No buffer may be longer than the one page (65,025 bytes) or packet (61,440) whose bound is known before it is read,
/// and nothing read may take more memory than the file is worth.
fn read_all_three(file: &[u8]) {
    let largest = Cell::new(0);
    let watched = || Watched { file: Cursor::new(file), largest: &largest };
    if let Ok(pcm) = wav::read_from("any.wav", watched()) {
        assert!(pcm.samples.capacity() <= 2 * file.len());
    }
    if let Ok(chain) = ogg_opus::read_chain_from("any.opus", watched()) {
        let packets: Vec<_> = chain.links.iter().flat_map(|link| &link.packets).collect();
        let bytes: usize = packets.iter().map(|packet| packet.data.capacity()).sum();
        assert!(bytes <= file.len() && packets.len() <= file.len());
        assert_eq!(chain.end + chain.unread, file.len() as u64);
    }
    for record in bit::Reader::new("any.bit", watched()).flatten() {
        assert!(record.packet.capacity() <= file.len());
    }
    assert!(largest.get() <= 65_025, "{} bytes for a file of {}", largest.get(), file.len());
}

/// A `fmt ` chunk with likely and unlikely fields, in a file whose lengths may lie.
fn wav_like() -> impl Strategy<Value = Vec<u8>> {
    let field = |usual: &'static [u16]| prop_oneof![4 => prop::sample::select(usual), 1 => any::<u16>()];
    let fmt = (
        field(&[1, 3, 0xfffe]),
        field(&[1, 2, 6]),
        prop_oneof![4 => prop::sample::select(&[8000u32, 48_000][..]), 1 => any::<u32>()],
        field(&[8, 16, 24, 32]),
        prop::collection::vec(any::<u8>(), 0..26),
    )
        .prop_map(|(tag, channels, rate, bits, more)| {
            let align = channels.wrapping_mul(bits / 8);
            let mut fmt = tag.to_le_bytes().to_vec();
            fmt.extend(channels.to_le_bytes());
            fmt.extend(rate.to_le_bytes());
            fmt.extend(rate.wrapping_mul(align.into()).to_le_bytes());
            fmt.extend(align.to_le_bytes());
            fmt.extend(bits.to_le_bytes());
            fmt.extend(more);
            fmt
        });
    let length = prop_oneof![3 => Just(None), 1 => any::<u32>().prop_map(Some), 1 => (0x7fff_0000u32..).prop_map(Some)];
    (fmt, prop::collection::vec(any::<u8>(), 0..200), length).prop_map(|(fmt, data, length)| {
        let mut data_chunk = chunk(b"data", &data);
        if let Some(length) = length {
            data_chunk[4..8].copy_from_slice(&length.to_le_bytes());
        }
        riff(&[chunk(b"fmt ", &fmt), data_chunk])
    })
}

/// Pages with right checksums and arbitrary flags, positions and segments, after good headers more often than not.
fn ogg_like() -> impl Strategy<Value = Vec<u8>> {
    let lacing = prop::collection::vec(prop_oneof![Just(255u8), Just(0), Just(1), 0..20u8], 0..6);
    let granule = prop_oneof![0..5000u64, Just(u64::MAX), any::<u64>()];
    let page = (0..2u32, 0..8u8, granule, lacing, any::<u8>()).prop_map(|(serial, flags, granule, lacing, toc)| {
        let body = vec![toc; lacing.iter().map(|&value| usize::from(value)).sum()];
        laced_page(serial, 0, flags, granule, &lacing, &body)
    });
    (any::<bool>(), prop::collection::vec(page, 0..12)).prop_map(|(good_start, pages)| {
        let head = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0";
        let tags = b"OpusTags\0\0\0\0\0\0\0\0";
        let start = [laced_page(1, 0, 2, 0, &[19], head), laced_page(1, 1, 0, 0, &[16], tags)].concat();
        [if good_start { start } else { Vec::new() }, pages.concat()].concat()
    })
}

fn bit_like() -> impl Strategy<Value = Vec<u8>> {
    let record = (prop_oneof![0..40u32, any::<u32>()], prop::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(length, packet)| [&length.to_be_bytes()[..], &[0; 4], &packet].concat());
    prop::collection::vec(record, 0..5).prop_map(|records| records.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(file in prop::collection::vec(any::<u8>(), 0..300)) {
        read_all_three(&file);
    }

    #[test]
    fn bytes_like_wav(file in wav_like()) {
        read_all_three(&file);
    }

    #[test]
    fn bytes_like_ogg_opus(file in ogg_like()) {
        read_all_three(&file);
    }

    #[test]
    fn bytes_like_bit(file in bit_like()) {
        read_all_three(&file);
    }
}

fn clip() -> impl Strategy<Value = Vec<i16>> {
    prop::collection::vec(any::<i16>(), 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wav_round_trip(rate in 4000..=192_000u32, channels in 1..=32u8, rows in 1..50usize, seed: u64) {
        let (_folder, path) = crate::common::scratch("clip.wav");
        let pcm = Pcm::new(rate, channels, crate::common::noise(seed, rows * usize::from(channels))).unwrap();
        wav::write(&path, &pcm).unwrap();
        prop_assert_eq!(wav::read(&path).unwrap(), pcm);
    }

    #[test]
    fn resampled_length_is_exact(from in 4000..=192_000u32, to in 4000..=192_000u32, rows in 0..2000usize) {
        let out = resample(&Pcm::new(from, 2, vec![1; 2 * rows]).unwrap(), to).unwrap();
        let exact = (2 * rows as u64 * u64::from(to) + u64::from(from)) / (2 * u64::from(from));
        prop_assert_eq!(out.samples_per_channel() as u64, exact);
    }

    #[test]
    fn any_clips_align(one in clip(), other in clip(), reach in 0..400usize) {
        let found = measure::align(&one, &other, reach);
        prop_assert!(found.shift.unsigned_abs() <= reach);
        prop_assert!((-1.0..=1.0).contains(&found.correlation));
    }
}
