//! The official bitstreams (RFC 6716, RFC 8251) through the component's decoder.

use sha1::{Digest, Sha1};
use sidetone_audio::bit::Record;
use sidetone_audio::measure::snr_db;
use sidetone_host::Decoder;
use sidetone_opus::{Channels, MAX_SAMPLES, SampleRate};
use sidetone_tests::{corpus, host, to_hex};

/// SHA-1 of the RFC's decoded output, 48 kHz stereo s16le, where libopus 1.6.1 is byte-exact.
const OUTPUTS: [(&str, &str); 3] = [
    ("testvector02", "48ac1ff1995250a756e1e17bd32acefa8cd2b820"),
    ("testvector03", "d15567e919db2d0e818727092c0af8dd9df23c95"),
    ("testvector04", "1249dd28f5bd1e39a66fd6d99449dca7a8316342"),
];

/// These are SILK from end to end, which is integer arithmetic: no rounding, however wide the SIMD.
const INTEGER_ONLY: [&str; 3] = ["testvector02", "testvector03", "testvector04"];

const FORMATS: [(SampleRate, Channels); 3] = [
    (SampleRate::Hz48000, Channels::Stereo),
    (SampleRate::Hz24000, Channels::Mono),
    (SampleRate::Hz16000, Channels::Mono),
];

/// Decodes packet by packet in the component; every final range must be the encoder's.
fn in_component(name: &str, packets: &[Record], rate: SampleRate, channels: Channels) -> Vec<i16> {
    let mut decoder = Decoder::open(host::component().instantiate().unwrap(), rate, channels).unwrap();
    let mut pcm = Vec::new();
    for (index, Record { packet, final_range }) in packets.iter().enumerate() {
        pcm.extend(decoder.decode(packet).unwrap());
        assert_eq!(decoder.final_range().unwrap(), *final_range, "{name} packet {index} at {rate:?} {channels:?}");
    }
    pcm
}

fn natively(packets: &[Record], rate: SampleRate, channels: Channels) -> Vec<i16> {
    let mut decoder = sidetone_opus::Decoder::new(rate, channels).unwrap();
    let mut frame = vec![0; MAX_SAMPLES * 2];
    let mut pcm = Vec::new();
    for Record { packet, .. } in packets {
        let samples = decoder.decode(packet, &mut frame).unwrap();
        pcm.extend_from_slice(&frame[..samples]);
    }
    pcm
}

#[test]
fn every_packet_ends_in_the_encoders_range_and_sounds_as_natively() {
    for (name, packets) in corpus::bitstreams("final ranges of the official bitstreams in the component") {
        for (rate, channels) in FORMATS {
            let ours = in_component(&name, &packets, rate, channels);
            let native = natively(&packets, rate, channels);
            assert_eq!(ours.len(), native.len(), "{name} {rate:?}");
            let snr = snr_db(&native, &ours);
            println!("{name} {rate:?} {channels:?}: {} packets, {snr:.1} dB against native", packets.len());
            if INTEGER_ONLY.contains(&name.as_str()) {
                assert_eq!(snr, f64::INFINITY, "{name} {rate:?} {channels:?}: not bit-exact");
            }
            assert!(snr > 60.0, "{name} {rate:?} {channels:?}: {snr:.1} dB against native");
        }
    }
}

#[test]
fn output_is_byte_exact_where_the_rfcs_is() {
    let streams = corpus::bitstreams("output of the official bitstreams in the component");
    for (name, packets) in &streams {
        let Some((_, expected)) = OUTPUTS.iter().find(|(known, _)| known == name) else { continue };
        let pcm = in_component(name, packets, SampleRate::Hz48000, Channels::Stereo);
        let bytes: Vec<u8> = pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        assert_eq!(to_hex(&Sha1::digest(&bytes)), *expected, "{name}");
    }
    let known = streams.iter().filter(|(name, _)| OUTPUTS.iter().any(|(output, _)| output == name)).count();
    assert!(streams.is_empty() || known == OUTPUTS.len(), "only {known} of the {} known files", OUTPUTS.len());
}

#[test]
fn a_damaged_bitstream_decodes_to_the_same_as_natively_or_is_refused_alike() {
    for (name, packets) in corpus::bitstreams("damaged bitstreams in the component") {
        let (rate, channels) = (SampleRate::Hz16000, Channels::Mono);
        let mut ours = Decoder::open(host::component().instantiate().unwrap(), rate, channels).unwrap();
        let mut native = sidetone_opus::Decoder::new(rate, channels).unwrap();
        let mut frame = vec![0; MAX_SAMPLES];
        for (index, Record { packet, .. }) in packets.iter().take(300).enumerate() {
            let mut packet = packet.clone();
            let place = index * 31 % packet.len();
            packet[place] ^= 1 << (index % 8);
            packet.truncate(packet.len() - index % 3 % packet.len());
            let expected = native.decode(&packet, &mut frame);
            match (ours.decode(&packet), expected) {
                (Ok(pcm), Ok(samples)) => {
                    assert_eq!(pcm.len(), samples, "{name} packet {index}");
                    assert_eq!(ours.final_range().unwrap(), native.final_range(), "{name} packet {index}");
                }
                (Err(error), Err(expected)) => {
                    assert!(!error.is_fatal(), "{name} packet {index}: {error}, natively {expected}");
                }
                (ours, native) => panic!("{name} packet {index}: {ours:?}, natively {native:?}"),
            }
        }
    }
}
