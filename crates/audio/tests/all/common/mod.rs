//! What the tests build their files from: byte by byte, so that they do not check the writers against themselves.
#![allow(dead_code)]

use std::f64::consts::TAU;
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder of the test's own, and the path of one file in it.
pub(crate) fn scratch(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    (folder, path)
}

/// Names of everything in a folder, sorted.
pub(crate) fn listing(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

/// A `fmt ` chunk's content of 16 bytes.
pub(crate) fn fmt(tag: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let align = channels * (bits / 8);
    let mut fmt = tag.to_le_bytes().to_vec();
    fmt.extend(channels.to_le_bytes());
    fmt.extend(rate.to_le_bytes());
    fmt.extend((rate.wrapping_mul(align.into())).to_le_bytes());
    fmt.extend(align.to_le_bytes());
    fmt.extend(bits.to_le_bytes());
    fmt
}

/// A chunk with its length, padded to even.
pub(crate) fn chunk(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = id.to_vec();
    chunk.extend((content.len() as u32).to_le_bytes());
    chunk.extend(content);
    if content.len() % 2 == 1 {
        chunk.push(0);
    }
    chunk
}

/// A RIFF/WAVE file of these chunks.
pub(crate) fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let content = chunks.concat();
    let mut file = b"RIFF".to_vec();
    file.extend((content.len() as u32 + 4).to_le_bytes());
    file.extend(b"WAVE");
    file.extend(content);
    file
}

/// A WAV file of the common shape.
pub(crate) fn wav(tag: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    riff(&[chunk(b"fmt ", &fmt(tag, channels, rate, bits)), chunk(b"data", data)])
}

/// The Ogg checksum (RFC 3533 section 6): CRC-32 of polynomial 0x04c11db7, not reflected, from 0.
pub(crate) fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0u32, |crc, &byte| {
        (0..8).fold(crc ^ (u32::from(byte) << 24), |crc, _| (crc << 1) ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 })
    })
}

pub(crate) const CONTINUED: u8 = 1;
pub(crate) const FIRST: u8 = 2;
pub(crate) const LAST: u8 = 4;

/// An Ogg page with these lacing values.
pub(crate) fn laced_page(serial: u32, sequence: u32, flags: u8, granule: u64, lacing: &[u8], body: &[u8]) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend(granule.to_le_bytes());
    page.extend(serial.to_le_bytes());
    page.extend(sequence.to_le_bytes());
    page.extend([0; 4]);
    page.push(lacing.len() as u8);
    page.extend(lacing);
    page.extend(body);
    let crc = crc(&page);
    page[22..26].copy_from_slice(&crc.to_le_bytes());
    page
}

/// An Ogg page of whole packets.
pub(crate) fn page(serial: u32, sequence: u32, flags: u8, granule: u64, packets: &[&[u8]]) -> Vec<u8> {
    let lacing: Vec<u8> = packets
        .iter()
        .flat_map(|packet| std::iter::repeat_n(255, packet.len() / 255).chain([(packet.len() % 255) as u8]))
        .collect();
    laced_page(serial, sequence, flags, granule, &lacing, &packets.concat())
}

/// A page as the tests look at it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PageSeen {
    pub(crate) flags: u8,
    pub(crate) granule: u64,
    pub(crate) serial: u32,
    pub(crate) sequence: u32,
    pub(crate) lacing: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

/// Takes a file of pages apart; panics if anything but pages with right checksums is in it.
pub(crate) fn pages(mut file: &[u8]) -> Vec<PageSeen> {
    let mut pages = Vec::new();
    while !file.is_empty() {
        assert_eq!(&file[..5], b"OggS\0");
        let segments = usize::from(file[26]);
        let lacing = file[27..27 + segments].to_vec();
        let length = lacing.iter().map(|&value| usize::from(value)).sum::<usize>();
        let (bytes, rest) = file.split_at(27 + segments + length);
        let mut unsigned = bytes.to_vec();
        unsigned[22..26].fill(0);
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!(number(22), crc(&unsigned), "checksum of page {}", pages.len());
        pages.push(PageSeen {
            flags: bytes[5],
            granule: u64::from_le_bytes(bytes[6..14].try_into().unwrap()),
            serial: number(14),
            sequence: number(18),
            lacing,
            body: bytes[27 + segments..].to_vec(),
        });
        file = rest;
    }
    pages
}

/// A packet of `length` bytes: one CELT frame of 20 ms, mono.
pub(crate) fn packet_20ms(length: usize) -> Vec<u8> {
    let mut packet = vec![0x55; length];
    packet[0] = 31 << 3;
    packet
}

/// A sine of half scale.
pub(crate) fn sine(rate: u32, hertz: f64, samples: usize) -> Vec<i16> {
    (0..samples).map(|n| (16384.0 * (TAU * hertz * n as f64 / f64::from(rate)).sin()).round() as i16).collect()
}

/// White noise of quarter scale, the same for the same seed.
pub(crate) fn noise(seed: u64, samples: usize) -> Vec<i16> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 48) as i16 / 4
    })
    .take(samples)
    .collect()
}
