//! Which WAV files are read, to which samples, and what is said about the others.

use crate::common::{chunk, fmt, riff, wav};
use sidetone_audio::{Error, Pcm, wav as audio};
use std::io::Cursor;

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const EXTENSIBLE: u16 = 0xfffe;

fn read(file: &[u8]) -> Result<Pcm, Error> {
    audio::read_from("in.wav", Cursor::new(file))
}

fn message(file: &[u8]) -> String {
    read(file).expect_err("an error").to_string()
}

fn samples(file: &[u8]) -> Vec<i16> {
    read(file).expect("a WAV file").samples
}

#[test]
fn each_sample_kind_is_read_to_16_bits() {
    let eight = wav(PCM, 1, 8000, 8, &[0, 1, 127, 128, 129, 255]);
    assert_eq!(samples(&eight), [-32768, -32512, -256, 0, 256, 32512]);

    let sixteen = wav(PCM, 1, 16000, 16, &[0x00, 0x80, 0xff, 0xff, 0x34, 0x12, 0xff, 0x7f]);
    assert_eq!(samples(&sixteen), [-32768, -1, 0x1234, 32767]);

    // Halves go up, the largest saturates: -1.5 -> -1, 0x123480 -> 0x1235, 0x7fff80 -> 0x7fff.
    let twenty_four: Vec<u8> = [-0x80_0000, -0x180, -0x81, 0x12_347f, 0x12_3480, 0x7f_ff80, 0x7f_ffff]
        .iter()
        .flat_map(|sample: &i32| sample.to_le_bytes()[..3].to_vec())
        .collect();
    assert_eq!(samples(&wav(PCM, 1, 48000, 24, &twenty_four)), [-32768, -1, -1, 0x1234, 0x1235, 32767, 32767]);

    let thirty_two: Vec<u8> = [i32::MIN, -0x18000, 0x1234_7fff, 0x1234_8000, i32::MAX]
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    assert_eq!(samples(&wav(PCM, 1, 48000, 32, &thirty_two)), [-32768, -1, 0x1234, 0x1235, 32767]);

    let float: Vec<u8> = [-1.0, -0.5, 0.0, 0.25, 1.0, 1.5, -7.0, f32::MAX]
        .iter()
        .flat_map(|sample: &f32| sample.to_le_bytes())
        .collect();
    assert_eq!(samples(&wav(FLOAT, 1, 44100, 32, &float)), [-32768, -16384, 0, 8192, 32767, 32767, -32768, 32767]);
}

#[test]
fn a_sample_that_is_no_number_is_refused_with_its_place() {
    for (value, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "infinite"), (f32::NEG_INFINITY, "infinite")] {
        let data: Vec<u8> = [0.5, 0.5, 0.5, value, value].iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let said = message(&wav(FLOAT, 2, 44100, 32, &[&data[..], &[0; 4]].concat()));
        let expected =
            format!("in.wav is not a usable WAV file: sample 1 of channel 2 is {name}, no number; accepted: ");
        assert!(said.starts_with(&expected), "{said}");
    }
}

#[test]
fn fewer_bits_than_their_container_stand_at_its_upper_end() {
    for (valid, bits, data, samples) in [
        (20u16, 24u16, &[0x00u8, 0x34, 0x12, 0x00, 0x00, 0x80][..], [0x1234, -32768]),
        (24, 32, &[0, 0, 0x34, 0x12, 0, 0, 0, 0x80], [0x1234, -32768]),
        (12, 16, &[0x30, 0x12, 0, 0x80], [0x1230, -32768]),
    ] {
        let mut extensible = fmt(EXTENSIBLE, 1, 48000, bits);
        extensible.extend(22u16.to_le_bytes());
        extensible.extend(valid.to_le_bytes());
        extensible.extend(4u32.to_le_bytes());
        extensible.extend([1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
        let file = riff(&[chunk(b"fmt ", &extensible), chunk(b"data", data)]);
        assert_eq!(read(&file).unwrap().samples, samples, "{valid} bits in {bits}");
    }
}

#[test]
fn extensible_24_bit_is_read() {
    let mut extensible = fmt(EXTENSIBLE, 2, 48000, 24);
    extensible.extend(22u16.to_le_bytes());
    extensible.extend(24u16.to_le_bytes());
    extensible.extend(3u32.to_le_bytes());
    extensible.extend([1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    let file = riff(&[chunk(b"fmt ", &extensible), chunk(b"data", &[0, 1, 0, 0, 2, 0])]);
    let pcm = read(&file).unwrap();
    assert_eq!(pcm, Pcm { rate: 48000, channels: 2, samples: vec![1, 2] });
}

#[test]
fn chunks_before_and_after_the_audio_are_skipped_even_of_odd_length() {
    let file = riff(&[
        chunk(b"LIST", b"odd"),
        chunk(b"fmt ", &fmt(PCM, 1, 16000, 16)),
        chunk(b"fact", &[1, 0, 0, 0]),
        chunk(b"data", &[7, 0]),
        chunk(b"LIST", b"after"),
    ]);
    assert_eq!(samples(&file), [7]);
}

#[test]
fn a_length_left_open_by_a_pipe_ends_with_the_file() {
    for open in [0x7fff_f000u32, 0x7fff_ffff, 0xffff_ffff] {
        let mut file = wav(PCM, 2, 16000, 16, &[1, 0, 2, 0, 3, 0, 4, 0, 5, 0]);
        file[40..44].copy_from_slice(&open.to_le_bytes());
        // The last row has one sample of two and is dropped.
        assert_eq!(samples(&file), [1, 2, 3, 4], "{open:#x}");
    }
}

#[test]
fn channels_are_mixed_on_request() {
    let stereo = Pcm::new(16000, 2, vec![1, 2, -1, -2, 32767, 32767, -32768, -32768, 100, -100]).unwrap();
    assert_eq!(stereo.samples_per_channel(), 5);
    assert_eq!(stereo.clone().into_channels(2).unwrap(), stereo);
    assert_eq!(stereo.into_channels(1).unwrap().samples, [2, -2, 32767, -32768, 0]);

    let mono = Pcm::new(16000, 1, vec![5, -6]).unwrap();
    assert_eq!(mono.into_channels(2).unwrap().samples, [5, 5, -6, -6]);

    let six = Pcm::new(48000, 6, vec![6, 12, 18, 24, 30, 36]).unwrap();
    assert_eq!(six.clone().into_channels(1).unwrap().samples, [21]);
    assert_eq!(
        six.into_channels(2).unwrap_err().to_string(),
        "6 channels cannot be mixed to 2; mix them to 1, or keep 6"
    );
}

#[test]
fn a_clip_states_its_playing_time() {
    let pcm = Pcm::new(16000, 2, vec![0; 2 * 24000]).unwrap();
    assert_eq!(pcm.duration().as_millis(), 1500);
}

#[test]
fn a_clip_must_be_well_formed() {
    assert_eq!(
        Pcm::new(3999, 1, vec![]).unwrap_err().to_string(),
        "sample rate 3999 Hz is out of range; use 4000 to 192000 Hz"
    );
    assert_eq!(Pcm::new(8000, 0, vec![]).unwrap_err().to_string(), "0 channels are out of range; use 1 to 32");
    assert_eq!(
        Pcm::new(8000, 2, vec![1]).unwrap_err().to_string(),
        "1 interleaved samples do not divide into 2 channels; pass a multiple of 2"
    );
}

#[test]
fn a_file_cut_short_anywhere_is_an_error() {
    let whole = riff(&[
        chunk(b"LIST", b"info"),
        chunk(b"fmt ", &fmt(PCM, 1, 16000, 16)),
        chunk(b"data", &[1, 0, 2, 0, 3, 0, 4, 0]),
    ]);
    assert_eq!(samples(&whole), [1, 2, 3, 4]);
    for length in 0..whole.len() {
        read(&whole[..length]).expect_err(&format!("{length} bytes of {}", whole.len()));
    }
    assert_eq!(
        message(&whole[..whole.len() - 3]),
        "in.wav is cut short: the data chunk at byte 56 needs 8 bytes and 5 are there; get a complete copy"
    );
    assert_eq!(
        message(&whole[..10]),
        "in.wav is cut short: the RIFF header at byte 0 needs 12 bytes and 10 are there; get a complete copy"
    );
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let accepted = "accepted: 8-, 16-, 24- or 32-bit integer or 32-bit float PCM, 1 to 32 channels, 4000 to 192000 Hz";
    let cases: &[(&str, Vec<u8>)] = &[
        ("it does not begin with a RIFF/WAVE header", b"\xff\xfb\x90\x64 an MP3 file".to_vec()),
        ("it has no data chunk", riff(&[chunk(b"fmt ", &fmt(PCM, 1, 16000, 16))])),
        ("its data chunk has no fmt chunk before it", riff(&[chunk(b"data", &[0, 0])])),
        ("its fmt chunk is 4 bytes long", riff(&[chunk(b"fmt ", &[0; 4])])),
        ("its fmt chunk is 1026 bytes long", riff(&[chunk(b"fmt ", &[0; 1026])])),
        ("its samples are µ-law (format tag 0x0007)", wav(7, 1, 8000, 8, &[0; 8])),
        ("its samples are MP3 (format tag 0x0055)", wav(0x55, 1, 8000, 8, &[0; 8])),
        ("its samples are of an unknown kind (format tag 0x1234)", wav(0x1234, 1, 8000, 8, &[0; 8])),
        ("it has 1 channels at 4294967295 Hz", wav(PCM, 1, u32::MAX, 8, &[0; 8])),
        ("it has 1 channels at 0 Hz", wav(PCM, 1, 0, 16, &[0; 8])),
        ("it has 33 channels at 48000 Hz", wav(PCM, 33, 48000, 8, &[0; 66])),
        ("file contains zero channels", wav(PCM, 0, 48000, 16, &[0; 8])),
        ("bits per sample is 0", wav(PCM, 1, 48000, 0, &[0; 8])),
        ("its samples have 40 bits", wav(PCM, 1, 48000, 40, &[0; 10])),
        ("its samples are floats of 64 bits", wav(FLOAT, 1, 48000, 64, &[0; 16])),
        ("data chunk length is not a multiple of sample size", wav(PCM, 1, 48000, 16, &[0; 3])),
        ("invalid data chunk length", wav(PCM, 2, 48000, 16, &[0; 6])),
    ];
    for (problem, file) in cases {
        assert_eq!(message(file), format!("in.wav is not a usable WAV file: {problem}; {accepted}"));
    }
}

#[test]
fn empty_files_are_told_from_broken_ones() {
    assert_eq!(message(b""), "in.wav holds no audio: it has no bytes");
    assert_eq!(message(&wav(PCM, 1, 16000, 16, &[])), "in.wav holds no audio: its data chunk has no samples");
}

#[test]
fn a_missing_file_is_named() {
    let error = audio::read("no/such/file.wav").unwrap_err().to_string();
    assert!(error.starts_with("cannot open no/such/file.wav: "), "{error}");
}
