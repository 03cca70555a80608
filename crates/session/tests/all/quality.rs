//! The quality ladder: what each step saves, and what none of them changes.

use crate::common::{CONNECTION, KEY, gateway, payload, send, voice};
use sidetone_opus::packet::Packet;
use sidetone_opus::{Bandwidth, Bitrate, Channels, FrameDuration, SampleRate};
use sidetone_session::{Config, ConfigError, Quality, Session};

#[test]
fn steps_cap_bitrate_by_channel_and_never_raise_it() {
    use Bitrate::{Auto, BitsPerSecond as Bits, Max};
    let cases = [
        (Quality::Full, Auto, Auto, Auto),
        (Quality::Full, Bits(96_000), Bits(96_000), Bits(96_000)),
        (Quality::Medium, Bits(96_000), Bits(24_000), Bits(48_000)),
        (Quality::Medium, Bits(12_000), Bits(12_000), Bits(12_000)),
        (Quality::Medium, Max, Bits(24_000), Bits(48_000)),
        (Quality::Minimal, Bits(96_000), Bits(16_000), Bits(32_000)),
        (Quality::Minimal, Auto, Bits(16_000), Bits(32_000)),
    ];
    for (quality, configured, mono, stereo) in cases {
        assert_eq!(quality.bitrate(configured, Channels::Mono), mono, "{quality:?} {configured:?}");
        assert_eq!(quality.bitrate(configured, Channels::Stereo), stereo, "{quality:?} {configured:?}");
    }
    assert_eq!(Quality::ALL.map(|quality| quality.complexity().get()), [0, 5, 10]);
    let bandwidths = [Bandwidth::Wide, Bandwidth::SuperWide, Bandwidth::Full];
    assert_eq!(Quality::ALL.map(Quality::max_bandwidth), bandwidths);
    assert!(Quality::ALL.is_sorted());
}

/// Packets at a quality: their bytes in all, and their highest bandwidth.
fn coded(rate: SampleRate, bitrate: Bitrate, quality: Quality) -> (usize, Bandwidth) {
    let mut config = Config::gateway(CONNECTION);
    (config.outgoing.rate, config.outgoing.bitrate, config.quality) = (rate, bitrate, quality);
    let mut session = Session::new(&KEY, &config).unwrap();
    let packets: Vec<_> = send(&mut session, &voice(rate, Channels::Mono, 3.0), 0).iter().map(|d| payload(d)).collect();
    let parsed = packets.iter().map(|packet| Packet::parse(packet).unwrap());
    assert!(parsed.clone().all(|packet| packet.duration_micros() == 60_000));
    (packets.iter().map(Vec::len).sum(), parsed.map(|packet| packet.bandwidth()).max().unwrap())
}

#[test]
fn no_step_down_costs_more_bytes_or_bandwidth() {
    for bitrate in [Bitrate::Auto, Bitrate::BitsPerSecond(48_000)] {
        for rate in SampleRate::ALL {
            let [minimal, medium, full] = Quality::ALL.map(|quality| coded(rate, bitrate, quality));
            let name = format!("{rate:?} {bitrate:?}: {minimal:?} {medium:?} {full:?}");
            // Less complexity spends up to an eighth more at the same bitrate.
            assert!(minimal.0 < medium.0 * 6 / 5 && medium.0 < full.0 * 6 / 5, "{name}");
            assert!(minimal.1 <= Bandwidth::Wide && medium.1 <= Bandwidth::SuperWide, "{name}");
        }
    }
}

#[test]
fn a_step_within_a_call_changes_neither_duration_nor_agreement() {
    let (mut gateway, mut device) = (gateway(), crate::common::device());
    let pcm = voice(SampleRate::Hz24000, Channels::Mono, 6.0);
    let mut sizes = Vec::new();
    for (index, second) in pcm.chunks_exact(1440 * 10).enumerate() {
        let quality = [Quality::Full, Quality::Minimal, Quality::Medium][index % 3];
        gateway.set_quality(quality).unwrap();
        assert_eq!(gateway.quality(), quality);
        let datagrams = send(&mut gateway, second, 1000 * index as u32);
        for datagram in &datagrams {
            let packet = payload(datagram);
            assert_eq!(Packet::parse(&packet).unwrap().duration_micros(), FrameDuration::Ms60.micros());
            assert_eq!(device.receive(datagram).unwrap().samples.len(), 1440);
        }
        sizes.push(datagrams.iter().map(Vec::len).sum::<usize>());
    }
    assert!(sizes.chunks_exact(3).all(|s| s[1] < s[2] && s[1] < s[0]), "{sizes:?}");
    assert_eq!((device.stats().undecodable, device.stats().lost), (0, 0));
}

#[test]
fn settings_the_codec_refuses_open_no_session() {
    let mut config = Config::gateway(CONNECTION);
    config.outgoing.expected_loss = 101;
    let message = |config: &Config| {
        let error = Session::new(&KEY, config).unwrap_err();
        assert!(matches!(error, ConfigError::Codec(_)));
        error.to_string()
    };
    assert_eq!(message(&config), "expected loss 101 % is not within 0 to 100");
    config.outgoing.expected_loss = 0;
    config.outgoing.bitrate = Bitrate::BitsPerSecond(499);
    assert_eq!(message(&config), "bitrate 499 bits/s is not within 500 to 512000");
}
