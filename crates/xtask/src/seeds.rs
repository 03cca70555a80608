//! First inputs for the fuzz targets: of audio made from the corpus of recordings, where there is one; of what is said,
//! made here. How an input is read stands in `fuzz/src/lib.rs` and at the head of each target.

mod said;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sidetone_testbed::corpus::root;
use std::fs;
use std::path::Path;

/// Bytes of packets in one input: some frames in a row, and still many inputs a second.
const ROOM: usize = 800;

/// Inputs taken from each bitstream, evenly spread over it.
const PER_STREAM: usize = 8;

/// Writes the inputs for `target` to `folder`, and says how many there are. Targets not known here have none.
pub(crate) fn write(target: &str, folder: &Path) -> Result<usize> {
    let corpus = root();
    let inputs = match target {
        // 48 kHz, stereo.
        "opus_decode" => from_bitstreams(&corpus, &[9])?,
        // A gateway at 48 kHz, stereo, of 20 ms and of 60 ms frames.
        "session_receive" => {
            [from_bitstreams(&corpus, &[0x48, 0x53])?, from_bitstreams(&corpus, &[0x48, 0x55])?].concat()
        }
        // Both directions; packets that go against the one chosen are refused.
        "packet_open" => from_packets(&corpus)?,
        "protocol_message" => said::messages(),
        "mqtt_packet" => said::mqtt(),
        _ => Vec::new(),
    };
    for (index, input) in inputs.iter().enumerate() {
        let file = folder.join(format!("{index:03}"));
        fs::write(&file, input).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(inputs.len())
}

fn from_bitstreams(corpus: &Path, setup: &[u8]) -> Result<Vec<Vec<u8>>> {
    let folder = corpus.join("opus");
    let mut inputs = Vec::new();
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(inputs) };
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "bit"));
    files.sort();
    for file in files {
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let packets = packets(&bytes).with_context(|| format!("{} is no opus_demo bitstream", file.display()))?;
        let step = (packets.len() / PER_STREAM).max(1);
        inputs.extend((0..packets.len()).step_by(step).map(|start| input(setup, 0, &packets[start..])));
    }
    Ok(inputs)
}

/// The packets of an `opus_demo` bitstream: length and final range, each u32 BE, before each.
fn packets(mut bytes: &[u8]) -> Result<Vec<&[u8]>> {
    let mut packets = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let end = 4 + u32::from_be_bytes(*length) as usize;
        ensure!(end <= rest.len(), "a packet of {} bytes, where {} are left", end - 4, rest.len().saturating_sub(4));
        packets.push(&rest[4..end]);
        bytes = &rest[end..];
    }
    Ok(packets)
}

fn from_packets(corpus: &Path) -> Result<Vec<Vec<u8>>> {
    let file = corpus.join("packets.json");
    let Ok(text) = fs::read(&file) else { return Ok(Vec::new()) };
    let vectors: Value = serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", file.display()))?;
    let packets = vectors["packets"].as_array().into_iter().flatten().filter_map(|packet| packet["packet"].as_str());
    let packets = packets.map(unhex).collect::<Option<Vec<_>>>();
    let packets = packets.with_context(|| format!("{} has a packet that is no hex", file.display()))?;
    let packets: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
    // Forward limit 480, uplink and downlink; all packets at once, and each alone and twice.
    let mut inputs = Vec::new();
    for setup in [0x78, 0x7b] {
        inputs.push(input(&[setup], 0, &packets));
        inputs.extend(packets.iter().map(|packet| input(&[setup], 0, &[packet, packet])));
    }
    Ok(inputs)
}

/// An input of as many records as there is room for.
fn input(setup: &[u8], op: u8, packets: &[&[u8]]) -> Vec<u8> {
    let mut input = setup.to_vec();
    for packet in packets {
        if input.len() + packet.len() > ROOM {
            break;
        }
        record(&mut input, op, packet);
    }
    input
}

/// One more record.
fn record(input: &mut Vec<u8>, op: u8, bytes: &[u8]) {
    let Ok(length) = u16::try_from(bytes.len()) else { return };
    input.push(op);
    input.extend(length.to_be_bytes());
    input.extend(bytes);
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bitstream_is_cut_into_its_packets() {
        let stream = [0, 0, 0, 2, 9, 9, 9, 9, 1, 2, 0, 0, 0, 0, 9, 9, 9, 9];
        assert_eq!(packets(&stream).unwrap(), [&[1u8, 2][..], &[]]);
        let error = packets(&stream[..9]).unwrap_err().to_string();
        assert_eq!(error, "a packet of 2 bytes, where 1 are left");
    }

    #[test]
    fn an_input_is_set_up_and_records() {
        assert_eq!(input(&[7], 1, &[&[5, 6], &[]]), [7, 1, 0, 2, 5, 6, 1, 0, 0]);
    }

    #[test]
    fn hex_is_read_and_nonsense_refused() {
        assert_eq!(unhex("00ff1A"), Some(vec![0, 255, 26]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("zz"), None);
    }
}
