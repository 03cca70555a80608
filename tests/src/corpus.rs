//! Data from outside the repository, read: bitstreams and sealed packets.

use serde_json::Value;
use sidetone_audio::bit::{self, Record};
use sidetone_packet::Header;
use sidetone_testbed::corpus::{file, files};

/// The official bitstreams by name, each with its packets.
///
/// # Panics
/// Where one cannot be read.
#[must_use]
pub fn bitstreams(skipped: &str) -> Vec<(String, Vec<Record>)> {
    files("opus", "bit", skipped)
        .into_iter()
        .map(|file| {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            (name, bit::read(&file).expect("a bitstream"))
        })
        .collect()
}

/// A packet of `packets.json`.
#[derive(Debug, Clone)]
pub struct SealedPacket {
    /// What it shows.
    pub name: String,
    /// Sent by the gateway.
    pub downlink: bool,
    /// Its header.
    pub header: Header,
    /// Its payload in the clear.
    pub plaintext: Vec<u8>,
    /// The whole datagram.
    pub datagram: Vec<u8>,
}

/// The key and the packets of `packets.json`, or `None`, with a word about it, where there is no corpus.
///
/// # Panics
/// Where the file is there and is not what it should be.
#[must_use]
pub fn packets(skipped: &str) -> Option<([u8; 16], Vec<SealedPacket>)> {
    let text = file("packets.json", skipped)?;
    let json: Value = serde_json::from_slice(&text).expect("packets.json is JSON");
    let key = hex(&json["key"]).try_into().expect("a key of 16 bytes");
    let packets = json["packets"].as_array().expect("packets").iter().map(packet).collect();
    Some((key, packets))
}

fn packet(json: &Value) -> SealedPacket {
    let number = |field: &str| u32::try_from(json["header"][field].as_u64().expect(field)).expect(field);
    SealedPacket {
        name: json["name"].as_str().expect("name").to_owned(),
        downlink: json["direction"] == "gateway->device",
        header: Header {
            flags: number("flags") as u8,
            payload_len: number("payload_len") as u16,
            connection_id: number("connection_id"),
            timestamp: number("timestamp"),
            sequence: number("sequence"),
        },
        plaintext: hex(&json["plaintext"]),
        datagram: hex(&json["packet"]),
    }
}

fn hex(json: &Value) -> Vec<u8> {
    crate::hex(json.as_str().expect("hexadecimal digits"))
}
