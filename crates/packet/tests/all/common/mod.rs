//! What the tests share: hexadecimal, a key, and the corpus where it is present.
#![allow(dead_code, reason = "each test file uses a part of it")]

use serde::Deserialize;
use sidetone_packet::{Candidate, Direction, HEADER_LEN, Header, KeySchedule, Opener, OpenerConfig, seal_with};
use sidetone_testbed::corpus;

/// A session key. Its bytes are unlike anything else in the tests, so that a leak is recognised.
pub(crate) const KEY: [u8; 16] =
    [0xd3, 0x1c, 0x96, 0x5a, 0xe8, 0x77, 0x42, 0xbf, 0x0b, 0x64, 0xc9, 0x8e, 0x21, 0xf5, 0xaa, 0x3d];

pub(crate) const CONNECTION: u32 = 0xa1b2_c3d4;

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    assert!(digits.len().is_multiple_of(2), "odd number of hexadecimal digits");
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

pub(crate) fn hex16(text: &str) -> [u8; 16] {
    hex(text).try_into().expect("16 bytes")
}

/// An uplink packet of the test session with `payload_len` bytes.
pub(crate) fn uplink(sequence: u32, timestamp: u32, payload_len: usize) -> Vec<u8> {
    let header = Header { connection_id: CONNECTION, timestamp, sequence, ..Header::default() };
    sealed(&header, &vec![0x58; payload_len])
}

pub(crate) fn sealed(header: &Header, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; HEADER_LEN + payload.len()];
    let len = seal_with(&KeySchedule::new(&KEY), header, payload, &mut packet).unwrap();
    assert_eq!(len, packet.len());
    packet
}

pub(crate) fn uplink_opener() -> Opener {
    Opener::new(&KEY, CONNECTION, Direction::Uplink, OpenerConfig::default())
}

/// Opens what must be openable.
pub(crate) fn candidate(opener: &mut Opener, packet: &[u8]) -> Candidate {
    opener.open(packet, &mut [0; 1024]).unwrap()
}

#[derive(Deserialize)]
pub(crate) struct Corpus {
    pub(crate) key: String,
    pub(crate) nonce: String,
    pub(crate) packets: Vec<CorpusPacket>,
}

#[derive(Deserialize)]
pub(crate) struct CorpusPacket {
    pub(crate) name: String,
    pub(crate) direction: String,
    pub(crate) header: CorpusHeader,
    pub(crate) iv: String,
    pub(crate) plaintext: String,
    pub(crate) packet: String,
}

#[derive(Deserialize)]
pub(crate) struct CorpusHeader {
    #[serde(rename = "type")]
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) payload_len: u16,
    pub(crate) connection_id: u32,
    pub(crate) timestamp: u32,
    pub(crate) sequence: u32,
}

impl CorpusPacket {
    pub(crate) fn header(&self) -> Header {
        let CorpusHeader { kind, flags, payload_len, connection_id, timestamp, sequence } = self.header;
        assert_eq!(kind, sidetone_packet::PACKET_TYPE, "{}", self.name);
        Header { flags, payload_len, connection_id, timestamp, sequence }
    }

    pub(crate) fn direction(&self) -> Direction {
        match self.direction.as_str() {
            "device->gateway" => Direction::Uplink,
            "gateway->device" => Direction::Downlink,
            other => panic!("{}: direction {other:?} is unknown", self.name),
        }
    }
}

/// The corpus's `packets.json`, or `None` (with a word about it) where there is no corpus.
pub(crate) fn corpus(skipped: &str) -> Option<Corpus> {
    let text = corpus::file("packets.json", skipped)?;
    Some(serde_json::from_slice(&text).unwrap_or_else(|error| panic!("packets.json: {error}")))
}
