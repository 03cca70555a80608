//! Each rule of RFC 6716 section 3.4, broken by the smallest packet that breaks it, and kept by its neighbour.
#![allow(clippy::single_range_in_vec_init, reason = "one frame is one range")]

use sidetone_opus::packet::{MAX_FRAME_BYTES, Packet, PacketError};
use std::ops::Range;

fn parse(head: &[u8], more: usize) -> Result<Vec<Range<usize>>, PacketError> {
    let mut bytes = head.to_vec();
    bytes.resize(head.len() + more, 0xA5);
    Packet::parse(&bytes).map(|packet| packet.frames().collect())
}

#[test]
fn broken_rules_are_named() {
    use PacketError as E;
    // TOCs: 0x08 SILK 20 ms, 0x18 SILK 60 ms, 0x80 CELT 2.5 ms; the low two bits count frames.
    let cases: [(&[u8], usize, E); 19] = [
        (&[], 0, E::Empty),
        (&[0x08], 1276, E::FrameTooLong(1276)),
        (&[0x09], 2552, E::FrameTooLong(1276)),
        (&[0x0a, 0], 1276, E::FrameTooLong(1276)),
        (&[0x09], 3, E::OddPair(3)),
        (&[0x0a], 0, E::Truncated(1)),
        (&[0x0a, 252], 0, E::Truncated(2)),
        (&[0x0a, 4], 3, E::Truncated(5)),
        (&[0x0b], 0, E::Truncated(1)),
        (&[0x0b, 0], 4, E::FrameCount(0)),
        (&[0x0b, 7], 0, E::FrameCount(7)),
        (&[0x1b, 3], 0, E::FrameCount(3)),
        (&[0x83, 49], 0, E::FrameCount(49)),
        (&[0x0b, 3], 4, E::UnequalFrames { bytes: 4, frames: 3 }),
        (&[0x0b, 0x41], 0, E::Truncated(2)),
        (&[0x0b, 0x41, 5], 4, E::Truncated(7)),
        (&[0x0b, 0x41, 255], 0, E::Truncated(3)),
        (&[0x0b, 0x82], 0, E::Truncated(2)),
        (&[0x0b, 0x82, 9], 8, E::Truncated(11)),
    ];
    for (head, more, error) in cases {
        assert_eq!(parse(head, more), Err(error), "{head:02x?} + {more}");
    }
}

#[test]
fn kept_rules_give_the_frames() {
    type Case = (&'static [u8], usize, Vec<Range<usize>>);
    let cases: [Case; 12] = [
        (&[0x08], 0, vec![1..1]),
        (&[0x08], MAX_FRAME_BYTES, vec![1..1276]),
        (&[0x09], 4, vec![1..3, 3..5]),
        (&[0x0a, 3], 3, vec![2..5, 5..5]),
        (&[0x0a, 252, 1], 300, vec![3..259, 259..303]),
        (&[0x0a, 255, 255], 1275, vec![3..1278, 1278..1278]),
        (&[0x0b, 3], 6, vec![2..4, 4..6, 6..8]),
        (&[0x0b, 6], 0, vec![2..2; 6]),
        (&[0x1b, 2], 2, vec![2..3, 3..4]),
        (&[0x0b, 0x41, 4], 5, vec![3..4]),
        (&[0x0b, 0x41, 255, 1], 256, vec![4..5]),
        (&[0x0b, 0x83, 1, 2], 9, vec![4..5, 5..7, 7..13]),
    ];
    for (head, more, frames) in cases {
        assert_eq!(parse(head, more), Ok(frames), "{head:02x?} + {more}");
    }
}

#[test]
fn a_packet_may_have_65535_bytes_and_no_more() {
    // One frame of 20 ms in padding: runs of 255 say 254 bytes each.
    let padded = |total: usize| {
        let mut bytes = vec![0x0b, 0x41];
        let mut left = total - 2;
        while left > 255 {
            bytes.push(255);
            left -= 255;
        }
        bytes.push(left as u8 - 1);
        bytes.resize(total, 0);
        bytes
    };
    assert_eq!(Packet::parse(&padded(65_535)).unwrap().frame_count(), 1);
    assert_eq!(Packet::parse(&padded(65_536)), Err(PacketError::TooLong(65_536)));
}
