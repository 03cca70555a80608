//! The packet parser against libopus's own: both accept the same bytes, and find the same in them.
#![allow(unsafe_code, reason = "calls libopus's parser")]
#![allow(clippy::single_range_in_vec_init, reason = "one frame is one range")]

use crate::common::{assorted_packets, cases};
use opus_wasm_sys as sys;
use proptest::prelude::*;
use proptest::sample::Index;
use sidetone_opus::packet::{MAX_FRAMES, Packet, PacketError, has_redundancy};
use sidetone_opus::{Bandwidth, SampleRate};
use std::ops::Range;
use std::ptr;
use std::sync::LazyLock;

static PACKETS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(assorted_packets);

/// What libopus finds in `bytes`: the frames, or `None` where it refuses them.
fn reference(bytes: &[u8]) -> Option<Vec<Range<usize>>> {
    let mut frames = [ptr::null::<u8>(); MAX_FRAMES];
    let mut sizes = [0i16; MAX_FRAMES];
    // SAFETY: `bytes` holds as many bytes as is said; the tables have the 48 entries that libopus may fill.
    let count = unsafe {
        sys::opus_packet_parse(
            bytes.as_ptr(),
            bytes.len() as i32,
            ptr::null_mut(),
            frames.as_mut_ptr(),
            sizes.as_mut_ptr(),
            ptr::null_mut(),
        )
    };
    let count = usize::try_from(count).ok()?;
    let range = |index: usize| {
        let start = frames[index] as usize - bytes.as_ptr() as usize;
        start..start + sizes[index] as usize
    };
    Some((0..count).map(range).collect())
}

fn compare(bytes: &[u8]) {
    let ours = Packet::parse(bytes);
    let theirs = reference(bytes);
    assert_eq!(ours.as_ref().ok().map(|packet| packet.frames().collect::<Vec<_>>()), theirs, "{ours:?} {bytes:02x?}");
    let Ok(packet) = ours else {
        assert!(!has_redundancy(bytes));
        return;
    };
    let (data, len) = (bytes.as_ptr(), bytes.len() as i32);
    // SAFETY: a packet of at least one byte, and its length.
    let (frames, channels, bandwidth, redundancy) = unsafe {
        (
            sys::opus_packet_get_nb_frames(data, len),
            sys::opus_packet_get_nb_channels(data),
            sys::opus_packet_get_bandwidth(data),
            sys::opus_packet_has_lbrr(data, len),
        )
    };
    assert_eq!((packet.frame_count(), packet.channels().count()), (frames as usize, channels as usize));
    assert_eq!(has_redundancy(bytes), redundancy == 1, "{bytes:02x?}");
    let expected = match packet.bandwidth() {
        Bandwidth::Narrow => sys::OPUS_BANDWIDTH_NARROWBAND,
        Bandwidth::Medium => sys::OPUS_BANDWIDTH_MEDIUMBAND,
        Bandwidth::Wide => sys::OPUS_BANDWIDTH_WIDEBAND,
        Bandwidth::SuperWide => sys::OPUS_BANDWIDTH_SUPERWIDEBAND,
        Bandwidth::Full => sys::OPUS_BANDWIDTH_FULLBAND,
    };
    assert_eq!(bandwidth, expected);
    for rate in SampleRate::ALL {
        // SAFETY: as above.
        let samples = unsafe { sys::opus_packet_get_nb_samples(data, len, rate.hz().cast_signed()) };
        assert_eq!(packet.samples(rate), samples as usize);
    }
}

#[derive(Debug, Clone)]
enum Mutation {
    Flip(Index, u8),
    FlipHead(usize, u8),
    Insert(Index, u8),
    Remove(Index),
    Cut(Index),
    Grow(u16),
    SetCount(u8),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        // Where the lengths and counts are.
        (0usize..6, any::<u8>()).prop_map(|(at, bits)| Mutation::FlipHead(at, bits)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        any::<Index>().prop_map(Mutation::Remove),
        any::<Index>().prop_map(Mutation::Cut),
        (0u16..3000).prop_map(Mutation::Grow),
        any::<u8>().prop_map(Mutation::SetCount),
    ]
}

fn mutate(packet: &mut Vec<u8>, mutation: &Mutation) {
    if packet.is_empty() {
        return;
    }
    match mutation {
        Mutation::Flip(at, bits) => *at.get_mut(packet) ^= bits,
        Mutation::FlipHead(at, bits) => {
            let at = at % packet.len();
            packet[at] ^= bits;
        }
        Mutation::Insert(at, byte) => packet.insert(at.index(packet.len()), *byte),
        Mutation::Remove(at) => drop(packet.remove(at.index(packet.len()))),
        Mutation::Cut(at) => packet.truncate(at.index(packet.len())),
        Mutation::Grow(by) => packet.resize(packet.len() + usize::from(*by), 255),
        Mutation::SetCount(count) => {
            packet[0] |= 3;
            packet.insert(1, *count);
        }
    }
}

proptest! {
    #![proptest_config(cases(4000))]

    #[test]
    fn random_bytes_are_read_as_libopus_reads_them(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        compare(&bytes);
    }

    #[test]
    fn long_random_bytes_are_read_as_libopus_reads_them(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        compare(&bytes);
    }

    #[test]
    fn counted_frames_are_read_as_libopus_reads_them(
        toc: u8,
        count: u8,
        lengths in proptest::collection::vec(prop_oneof![0u8..20, 250u8..=255], 0..12),
        rest in 0usize..1500,
    ) {
        let mut bytes = vec![toc | 3, count];
        bytes.extend(lengths);
        bytes.resize(bytes.len() + rest, 0);
        compare(&bytes);
    }

    #[test]
    fn damaged_packets_are_read_as_libopus_reads_them(
        at: Index,
        mutations in proptest::collection::vec(mutation(), 0..4),
    ) {
        let mut packet = at.get(&PACKETS).clone();
        compare(&packet);
        for mutation in &mutations {
            mutate(&mut packet, mutation);
            compare(&packet);
        }
    }
}

#[test]
fn all_short_heads_are_read_as_libopus_reads_them() {
    for toc in 0..=255u8 {
        compare(&[toc]);
        for second in 0..=255u8 {
            for more in [0, 1, 2, 3, 12, 48, 96] {
                let mut bytes = vec![0; 2 + more];
                (bytes[0], bytes[1]) = (toc, second);
                compare(&bytes);
            }
        }
    }
}

/// The one difference: a frame's place is kept in 16 bits, and no transport carries more.
#[test]
fn only_packets_beyond_65535_bytes_are_refused_where_libopus_takes_them() {
    // A frame of 500 bytes in 255 times 254 and 8 bytes of padding.
    let mut bytes = vec![0x0b, 0x41];
    bytes.resize(2 + 255, 255);
    bytes.push(8);
    bytes.resize(65_536, 0);
    assert_eq!(reference(&bytes), Some(vec![258..758]));
    assert_eq!(Packet::parse(&bytes), Err(PacketError::TooLong(65_536)));
    bytes.pop();
    compare(&bytes);
}
