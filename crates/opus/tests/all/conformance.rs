//! The official bitstreams (RFC 6716, RFC 8251) through the decoder.

use crate::common::bitstream;
use sha1::{Digest, Sha1};
use sidetone_opus::{Channels, Decoder, MAX_SAMPLES, SampleRate};
use sidetone_testbed::corpus;
use std::fs;

/// SHA-1 of the RFC's decoded output, 48 kHz stereo s16le, where libopus 1.6.1 is byte-exact.
const OUTPUTS: [(&str, &str); 3] = [
    ("testvector02", "48ac1ff1995250a756e1e17bd32acefa8cd2b820"),
    ("testvector03", "d15567e919db2d0e818727092c0af8dd9df23c95"),
    ("testvector04", "1249dd28f5bd1e39a66fd6d99449dca7a8316342"),
];

#[test]
fn the_final_range_of_every_packet_is_the_encoders() {
    for file in corpus::files("opus", "bit", "final ranges of the official bitstreams") {
        let bytes = fs::read(&file).unwrap();
        for (rate, channels) in [(SampleRate::Hz48000, Channels::Stereo), (SampleRate::Hz16000, Channels::Mono)] {
            let mut decoder = Decoder::new(rate, channels).unwrap();
            let mut pcm = vec![0; MAX_SAMPLES * 2];
            for (index, (packet, range)) in bitstream(&bytes).into_iter().enumerate() {
                decoder.decode(packet, &mut pcm).unwrap();
                assert_eq!(decoder.final_range(), range, "{} packet {index} {rate:?}", file.display());
            }
        }
    }
}

#[test]
fn output_is_byte_exact_where_the_rfcs_is() {
    let Some(folder) = corpus::folder("opus", "output of the official bitstreams") else { return };
    for (name, expected) in OUTPUTS {
        let bytes = fs::read(folder.join(name).with_extension("bit")).unwrap();
        let mut decoder = Decoder::new(SampleRate::Hz48000, Channels::Stereo).unwrap();
        let mut pcm = vec![0; MAX_SAMPLES * 2];
        let mut hash = Sha1::new();
        for (packet, _) in bitstream(&bytes) {
            let samples = decoder.decode(packet, &mut pcm).unwrap();
            let output: Vec<u8> = pcm[..samples].iter().flat_map(|sample| sample.to_le_bytes()).collect();
            hash.update(&output);
        }
        let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, expected, "{name}");
    }
}
