//! Concealment and recovery: lengths, errors, and what the redundancy is worth.

use crate::common::{encode_all, snr, speech};
use sidetone_opus::packet::has_redundancy;
use sidetone_opus::{
    Application, Bitrate, Channels, Decoder, Encoder, Error, FrameDuration, SampleRate, packet::PacketError,
};

/// Packets of speech with redundancy, and without.
fn packets(fec: bool, frame: FrameDuration) -> Vec<(Vec<u8>, u32)> {
    let mut encoder = Encoder::new(SampleRate::Hz16000, Channels::Mono, Application::Voip).unwrap();
    encoder.set_bitrate(Bitrate::BitsPerSecond(32_000)).unwrap();
    encoder.set_fec(fec).unwrap();
    encoder.set_expected_loss(if fec { 25 } else { 0 }).unwrap();
    let speech = speech();
    encode_all(&mut encoder, frame, &speech[..speech.len().min(16_000 * 5)])
}

#[test]
fn any_multiple_of_2_5_ms_up_to_120_is_concealed() {
    for rate in SampleRate::ALL {
        for channels in [Channels::Mono, Channels::Stereo] {
            let mut decoder = Decoder::new(rate, channels).unwrap();
            let step = rate.hz() as usize / 400 * channels.count();
            for steps in 1..=48 {
                assert_eq!(decoder.conceal(&mut vec![1; steps * step]), Ok(steps * step), "{rate:?} {channels:?}");
            }
            for samples in [0, 1, step - 1, step + 1, 48 * step + 1, 49 * step, 96 * step] {
                let error = Error::FrameLength { samples, rate: rate.hz(), channels: channels.count() as u8 };
                assert_eq!(decoder.conceal(&mut vec![0; samples]), Err(error), "{rate:?} {channels:?}");
                assert_eq!(decoder.decode_fec(&[0x08], &mut vec![0; samples]), Err(error), "{rate:?} {channels:?}");
            }
        }
    }
}

#[test]
fn a_decoder_that_heard_nothing_conceals_with_silence() {
    let mut decoder = Decoder::new(SampleRate::Hz48000, Channels::Stereo).unwrap();
    let mut pcm = vec![7; 5760];
    assert_eq!(decoder.conceal(&mut pcm), Ok(5760));
    assert!(pcm.iter().all(|&sample| sample == 0));
}

#[test]
fn recovery_wants_a_packet() {
    let mut decoder = Decoder::new(SampleRate::Hz16000, Channels::Mono).unwrap();
    assert_eq!(decoder.decode_fec(&[], &mut [0; 960]), Err(Error::Packet(PacketError::Empty)));
    assert_eq!(decoder.decode_fec(&[0x09, 1], &mut [0; 960]), Err(Error::Packet(PacketError::OddPair(1))));
}

#[test]
fn recovery_fills_any_length_whether_longer_or_shorter_than_the_packet() {
    let packets = packets(true, FrameDuration::Ms20);
    for micros in [2_500, 10_000, 20_000, 60_000, 120_000] {
        let mut decoder = Decoder::new(SampleRate::Hz16000, Channels::Mono).unwrap();
        let mut pcm = vec![0; 1920];
        decoder.decode(&packets[50].0, &mut pcm).unwrap();
        let samples = 16 * micros / 1000;
        assert_eq!(decoder.decode_fec(&packets[52].0, &mut pcm[..samples]), Ok(samples), "{micros} µs");
        assert_eq!(decoder.decode(&packets[52].0, &mut pcm), Ok(320));
        assert_eq!(decoder.final_range(), packets[52].1);
    }
}

#[test]
fn packets_carry_redundancy_where_loss_is_expected() {
    for frame in [FrameDuration::Ms20, FrameDuration::Ms40, FrameDuration::Ms60] {
        let with = packets(true, frame);
        let redundant = with.iter().filter(|(packet, _)| has_redundancy(packet)).count();
        assert!(redundant * 2 > with.len(), "{frame:?}: {redundant} of {}", with.len());
        assert!(packets(false, frame).iter().all(|(packet, _)| !has_redundancy(packet)), "{frame:?}");
    }
}

#[test]
fn only_speech_packets_of_at_least_one_byte_of_audio_have_redundancy() {
    for bytes in [&[][..], &[0x08], &[0x0b], &[0x0b, 0x02], &[0x0b, 0x83, 0, 0], &[0x80, 0xff], &[0xfc, 0xff, 0xff]] {
        assert!(!has_redundancy(bytes), "{bytes:02x?}");
    }
    // SILK 20 ms: the bit after the one for voice activity.
    assert!(has_redundancy(&[0x08, 0b0100_0000]));
    assert!(!has_redundancy(&[0x08, 0b1011_1111]));
    assert!(!has_redundancy(&vec![0x08; 70_000]));
}

#[test]
fn what_was_recovered_is_closer_to_the_lost_audio_than_what_was_made_up() {
    let frame = FrameDuration::Ms20;
    let packets = packets(true, frame);
    let samples = frame.samples(SampleRate::Hz16000);
    let mut complete = Decoder::new(SampleRate::Hz16000, Channels::Mono).unwrap();
    let (mut lost, mut recovered, mut concealed) = (Vec::new(), Vec::new(), Vec::new());
    let mut repaired = [0; 2].map(|_| Decoder::new(SampleRate::Hz16000, Channels::Mono).unwrap());
    let mut pcm = vec![0; samples];
    for (index, pair) in packets.windows(2).enumerate() {
        let [(packet, _), (following, _)] = pair else { unreachable!() };
        complete.decode(packet, &mut pcm).unwrap();
        if index % 5 != 4 || !has_redundancy(following) {
            repaired
                .iter_mut()
                .for_each(|decoder| assert_eq!(decoder.decode(packet, &mut vec![0; samples]), Ok(samples)));
            continue;
        }
        lost.extend_from_slice(&pcm);
        repaired[0].decode_fec(following, &mut pcm).unwrap();
        recovered.extend_from_slice(&pcm);
        repaired[1].conceal(&mut pcm).unwrap();
        concealed.extend_from_slice(&pcm);
    }
    assert!(lost.len() > 10 * samples, "{} frames lost", lost.len() / samples);
    let (recovered, concealed) = (snr(&lost, &recovered), snr(&lost, &concealed));
    assert!(recovered > concealed + 3.0, "SNR recovered {recovered:.1} dB, made up {concealed:.1} dB");
}

#[test]
fn the_stream_goes_on_after_a_loss() {
    let packets = packets(false, FrameDuration::Ms60);
    let mut decoder = Decoder::new(SampleRate::Hz16000, Channels::Mono).unwrap();
    let mut pcm = vec![0; 960];
    for (index, (packet, range)) in packets.iter().enumerate() {
        if index % 7 == 3 {
            assert_eq!(decoder.conceal(&mut pcm), Ok(960));
        } else {
            assert_eq!(decoder.decode(packet, &mut pcm), Ok(960));
            assert_eq!(decoder.final_range(), *range, "packet {index}");
        }
    }
}
