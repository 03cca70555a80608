//! What the encoder's settings do to its packets.

use crate::common::{encode_all, noise, silence, varied, voice};
use sidetone_opus::packet::{Mode, Packet};
use sidetone_opus::{
    Application, Bandwidth, Bitrate, Channels, Complexity, Decoder, Encoder, FrameDuration, SampleRate, Split,
};

fn encoder(rate: SampleRate, channels: Channels) -> Encoder {
    Encoder::new(rate, channels, Application::Voip).unwrap()
}

#[test]
fn lookahead_is_6_5_ms_and_2_5_ms_with_low_delay() {
    for rate in SampleRate::ALL {
        let per_ms = |ms10: usize| rate.hz() as usize * ms10 / 10_000;
        let lookahead = |application| Encoder::new(rate, Channels::Mono, application).unwrap().lookahead();
        assert_eq!(lookahead(Application::Voip), per_ms(65), "{rate:?}");
        assert_eq!(lookahead(Application::Audio), per_ms(65), "{rate:?}");
        assert_eq!(lookahead(Application::LowDelay), per_ms(25), "{rate:?}");
    }
}

#[test]
fn the_bitrate_in_force_is_the_one_set() {
    let mut encoder = encoder(SampleRate::Hz24000, Channels::Mono);
    for bits in [500, 6_000, 24_000, 510_000] {
        encoder.set_bitrate(Bitrate::BitsPerSecond(bits)).unwrap();
        assert_eq!(encoder.bitrate(), bits);
    }
    // Auto is 60 bits a frame of 20 ms and one bit a sample and channel.
    encoder.set_bitrate(Bitrate::Auto).unwrap();
    encode_all(&mut encoder, FrameDuration::Ms20, &silence(SampleRate::Hz24000, Channels::Mono, 0.02));
    assert_eq!(encoder.bitrate(), 27_000);
}

#[test]
fn packets_follow_the_bitrate() {
    for rate in [SampleRate::Hz16000, SampleRate::Hz24000, SampleRate::Hz48000] {
        let pcm = noise(rate, Channels::Mono, 3.0);
        for bits in [12_000, 24_000, 48_000] {
            let mut encoder = encoder(rate, Channels::Mono);
            encoder.set_bitrate(Bitrate::BitsPerSecond(bits)).unwrap();
            let packets = encode_all(&mut encoder, FrameDuration::Ms60, &pcm);
            let found = packets.iter().map(|(packet, _)| packet.len()).sum::<usize>() * 8 / 3;
            let bits = bits as usize;
            assert!((bits * 3 / 4..=bits * 5 / 4).contains(&found), "{rate:?}: {found} bits/s for {bits}");
        }
    }
}

#[test]
fn no_packet_exceeds_the_bandwidth_cap() {
    let caps = [Bandwidth::Narrow, Bandwidth::Medium, Bandwidth::Wide, Bandwidth::SuperWide, Bandwidth::Full];
    for cap in caps {
        for split in [Split::Never, Split::Always] {
            let mut encoder = encoder(SampleRate::Hz48000, Channels::Mono);
            encoder.set_bitrate(Bitrate::BitsPerSecond(48_000)).unwrap();
            encoder.set_max_bandwidth(cap).unwrap();
            encoder.set_split(split);
            let packets = encode_all(&mut encoder, FrameDuration::Ms60, &varied(SampleRate::Hz48000, Channels::Mono));
            let widest = packets.iter().map(|(packet, _)| Packet::parse(packet).unwrap().bandwidth()).max().unwrap();
            // CELT has no medium band and takes the next narrower or the next wider one: wide.
            let allowed = if cap == Bandwidth::Medium { Bandwidth::Wide } else { cap };
            assert!(widest <= allowed, "{widest:?} for {cap:?}");
        }
    }
}

#[test]
fn bandwidths_are_named_by_their_highest_frequency() {
    let all = [Bandwidth::Narrow, Bandwidth::Medium, Bandwidth::Wide, Bandwidth::SuperWide, Bandwidth::Full];
    assert_eq!(all.map(Bandwidth::hz), [4_000, 6_000, 8_000, 12_000, 20_000]);
    assert!(all.is_sorted());
}

#[test]
fn more_complexity_makes_other_packets_of_the_same_stream() {
    let pcm = voice(SampleRate::Hz24000, Channels::Mono, 1.0);
    let encode = |complexity| {
        let mut encoder = encoder(SampleRate::Hz24000, Channels::Mono);
        encoder.set_complexity(complexity).unwrap();
        encode_all(&mut encoder, FrameDuration::Ms60, &pcm)
    };
    assert_ne!(encode(Complexity::MIN), encode(Complexity::MAX));
    assert_ne!(encode(Complexity::MEDIUM), encode(Complexity::MAX));
}

#[test]
fn silence_with_dtx_is_one_or_two_bytes_a_packet_and_stays_in_step() {
    for (rate, frame) in [
        (SampleRate::Hz16000, FrameDuration::Ms20),
        (SampleRate::Hz16000, FrameDuration::Ms60),
        (SampleRate::Hz24000, FrameDuration::Ms60),
        (SampleRate::Hz48000, FrameDuration::Ms120),
    ] {
        for split in [Split::Never, Split::Auto, Split::Always] {
            let name = format!("{rate:?} {frame:?} {split:?}");
            let mut encoder = encoder(rate, Channels::Mono);
            encoder.set_bitrate(Bitrate::BitsPerSecond(24_000)).unwrap();
            encoder.set_dtx(true).unwrap();
            encoder.set_split(split);
            let mut pcm = voice(rate, Channels::Mono, 0.6);
            pcm.extend(silence(rate, Channels::Mono, 3.0));
            pcm.extend(voice(rate, Channels::Mono, 0.6));
            let packets = encode_all(&mut encoder, frame, &pcm);
            let mut decoder = Decoder::new(rate, Channels::Mono).unwrap();
            let mut heard = vec![0; frame.samples(rate)];
            for (index, (packet, range)) in packets.iter().enumerate() {
                assert_eq!(decoder.decode(packet, &mut heard), Ok(heard.len()), "{name} packet {index}");
                assert_eq!(decoder.final_range(), *range, "{name} packet {index}");
            }
            let tiny = packets.iter().filter(|(packet, _)| packet.len() <= 2).count();
            let silent = 3_000_000 / frame.micros() as usize;
            assert!(tiny * 2 > silent, "{name}: {tiny} of {silent} silent packets are tiny");
            assert!(packets.last().unwrap().0.len() > 2, "{name}: voice after silence is coded");
        }
    }
}

#[test]
fn a_reset_encoder_makes_the_packets_of_a_new_one_with_its_settings() {
    for split in [Split::Never, Split::Auto, Split::Always] {
        let pcm = varied(SampleRate::Hz24000, Channels::Mono);
        let new = || {
            let mut encoder = encoder(SampleRate::Hz24000, Channels::Mono);
            encoder.set_bitrate(Bitrate::BitsPerSecond(20_000)).unwrap();
            encoder.set_complexity(Complexity::MEDIUM).unwrap();
            encoder.set_split(split);
            encoder
        };
        let fresh = encode_all(&mut new(), FrameDuration::Ms60, &pcm);
        let mut used = new();
        encode_all(&mut used, FrameDuration::Ms60, &pcm);
        used.reset();
        assert_eq!(encode_all(&mut used, FrameDuration::Ms60, &pcm), fresh, "{split:?}");
    }
}

#[test]
fn a_reset_decoder_decodes_as_a_new_one() {
    let pcm = voice(SampleRate::Hz16000, Channels::Mono, 1.2);
    let packets = encode_all(&mut encoder(SampleRate::Hz16000, Channels::Mono), FrameDuration::Ms60, &pcm);
    let mut decoder = Decoder::new(SampleRate::Hz16000, Channels::Mono).unwrap();
    let run = |decoder: &mut Decoder| {
        let mut heard = vec![0; 960 * packets.len()];
        for ((packet, _), slot) in packets.iter().zip(heard.chunks_exact_mut(960)) {
            decoder.decode(packet, slot).unwrap();
        }
        heard
    };
    let first = run(&mut decoder);
    assert_ne!(run(&mut decoder), first, "the state of the first run shows in the second");
    decoder.reset();
    assert_eq!(run(&mut decoder), first);
}

#[test]
fn low_delay_is_celt_alone() {
    let mut encoder = Encoder::new(SampleRate::Hz16000, Channels::Mono, Application::LowDelay).unwrap();
    let packets = encode_all(&mut encoder, FrameDuration::Ms10, &voice(SampleRate::Hz16000, Channels::Mono, 0.5));
    assert!(packets.iter().all(|(packet, _)| Packet::parse(packet).unwrap().mode() == Mode::Celt));
}
