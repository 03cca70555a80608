//! Values Opus has not: each is refused with a message that names it and says what is allowed.

use sidetone_opus::packet::PacketError;
use sidetone_opus::{
    Application, Bitrate, Channels, Complexity, Decoder, Encoder, Error, FrameDuration, MAX_PACKET, SampleRate,
};

const RATE: SampleRate = SampleRate::Hz16000;

fn encoder() -> Encoder {
    Encoder::new(RATE, Channels::Mono, Application::Voip).unwrap()
}

fn decoder() -> Decoder {
    Decoder::new(RATE, Channels::Mono).unwrap()
}

#[test]
fn each_bad_value_has_its_error_and_its_message() {
    let bitrate = |bits| encoder().set_bitrate(Bitrate::BitsPerSecond(bits)).unwrap_err();
    let cases = [
        (
            SampleRate::try_from(44_100).unwrap_err(),
            "sample rate 44100 Hz is not one of 8000, 12000, 16000, 24000, 48000",
        ),
        (SampleRate::try_from(0).unwrap_err(), "sample rate 0 Hz is not one of 8000, 12000, 16000, 24000, 48000"),
        (Channels::try_from(3).unwrap_err(), "3 channels: Opus codes 1 or 2"),
        (Channels::try_from(0).unwrap_err(), "0 channels: Opus codes 1 or 2"),
        (Complexity::try_from(11).unwrap_err(), "complexity 11 is not within 0 to 10"),
        (Complexity::try_from(256).unwrap_err(), "complexity 256 is not within 0 to 10"),
        (bitrate(499), "bitrate 499 bits/s is not within 500 to 512000"),
        (bitrate(512_001), "bitrate 512001 bits/s is not within 500 to 512000"),
        (bitrate(u32::MAX), "bitrate 4294967295 bits/s is not within 500 to 512000"),
        (encoder().set_expected_loss(101).unwrap_err(), "expected loss 101 % is not within 0 to 100"),
        (
            FrameDuration::from_micros(30_000).unwrap_err(),
            "frame of 30000 µs: Opus has 2500, 5000, 10000, 20000, 40000, 60000, 80000, 100000, 120000",
        ),
        (
            encoder().encode(&[0; 999], &mut [0; MAX_PACKET]).unwrap_err(),
            "999 samples at 16000 Hz and 1 channel(s) are no Opus frame (2.5 to 120 ms)",
        ),
        (encoder().encode(&[0; 960], &mut []).unwrap_err(), "output holds 0, 1 are needed"),
        (decoder().decode(&[0x18], &mut [0; 959]).unwrap_err(), "output holds 959, 960 are needed"),
        (decoder().decode(&[], &mut [0; 960]).unwrap_err(), "not an Opus packet: it is empty"),
        (decoder().decode(&[0x09, 1], &mut [0; 960]).unwrap_err(), "not an Opus packet: two equal frames in 1 bytes"),
        (
            decoder().conceal(&mut [0; 41]).unwrap_err(),
            "41 samples at 16000 Hz and 1 channel(s) are no Opus frame (2.5 to 120 ms)",
        ),
    ];
    for (error, message) in cases {
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn the_bounds_themselves_are_allowed() {
    let mut encoder = encoder();
    for bits in [500, 512_000] {
        encoder.set_bitrate(Bitrate::BitsPerSecond(bits)).unwrap();
    }
    for percent in [0, 100] {
        encoder.set_expected_loss(percent).unwrap();
    }
    for value in 0..=10 {
        let complexity = Complexity::try_from(value).unwrap();
        assert_eq!(u32::from(complexity.get()), value);
        encoder.set_complexity(complexity).unwrap();
    }
    for rate in SampleRate::ALL {
        assert_eq!(SampleRate::try_from(rate.hz()), Ok(rate));
    }
    for duration in FrameDuration::ALL {
        assert_eq!(FrameDuration::from_micros(duration.micros()), Ok(duration));
        assert_eq!(FrameDuration::from_samples(duration.samples(RATE), RATE), Some(duration));
    }
}

#[test]
fn pcm_that_is_no_frame_is_refused_and_the_encoder_goes_on() {
    let frames: Vec<usize> = FrameDuration::ALL.iter().map(|d| d.samples(RATE)).collect();
    for channels in [Channels::Mono, Channels::Stereo] {
        let mut encoder = Encoder::new(RATE, channels, Application::Voip).unwrap();
        for samples in (0..=2000).chain([3840, 3841, 5760]) {
            let whole = samples % channels.count() == 0 && frames.contains(&(samples / channels.count()));
            match encoder.encode(&vec![0; samples], &mut [0; MAX_PACKET]) {
                Ok(_) => assert!(whole, "{samples} {channels:?}"),
                Err(error) => {
                    let channels = channels.count() as u8;
                    assert_eq!(error, Error::FrameLength { samples, rate: 16_000, channels });
                    assert!(!whole, "{samples} {channels:?}");
                }
            }
        }
    }
}

#[test]
fn a_refused_setting_leaves_the_one_before_in_force() {
    let mut encoder = encoder();
    encoder.set_bitrate(Bitrate::BitsPerSecond(24_000)).unwrap();
    assert_eq!(encoder.set_bitrate(Bitrate::BitsPerSecond(499)), Err(Error::Bitrate(499)));
    assert_eq!(encoder.bitrate(), 24_000);
}

#[test]
fn a_datagram_of_65536_bytes_is_too_long_to_decode() {
    let error = decoder().decode(&vec![0x0b; 65_536], &mut [0; 1920]).unwrap_err();
    assert_eq!(error, Error::Packet(PacketError::TooLong(65_536)));
}
