//! WAV files written whole and while recording.

use crate::common::{listing, scratch, wav as wav_bytes};
use sidetone_audio::{Error, Pcm, wav};
use std::fs;

#[test]
fn a_clip_is_written_to_the_byte() {
    let (folder, path) = scratch("out.wav");
    let pcm = Pcm::new(16000, 2, vec![1, -1, 0x1234, -32768]).unwrap();
    wav::write(&path, &pcm).unwrap();
    let expected = wav_bytes(1, 2, 16000, 16, &[1, 0, 0xff, 0xff, 0x34, 0x12, 0, 0x80]);
    assert_eq!(fs::read(&path).unwrap(), expected);
    assert_eq!(wav::read(&path).unwrap(), pcm);
    assert_eq!(listing(&folder), ["out.wav"]);
}

#[test]
fn more_than_two_channels_come_back_too() {
    let (_folder, path) = scratch("out.wav");
    let pcm = Pcm::new(192_000, 5, (0..500).collect()).unwrap();
    wav::write(&path, &pcm).unwrap();
    assert_eq!(wav::read(&path).unwrap(), pcm);
}

#[test]
fn pieces_make_the_same_file_as_the_whole() {
    let (folder, path) = scratch("whole.wav");
    let samples = crate::common::noise(1, 200_000);
    wav::write(&path, &Pcm::new(48000, 2, samples.clone()).unwrap()).unwrap();
    let pieces = folder.path().join("pieces.wav");
    let mut writer = wav::Writer::create(&pieces, 48000, 2).unwrap();
    for piece in samples.chunks(1922) {
        writer.write(piece).unwrap();
    }
    assert_eq!(writer.samples_per_channel(), 100_000);
    assert!(!pieces.exists(), "not before it is finished");
    writer.finish().unwrap();
    assert!(fs::read(&pieces).unwrap() == fs::read(&path).unwrap());
}

#[test]
fn an_abandoned_file_leaves_the_old_one_alone() {
    let (folder, path) = scratch("out.wav");
    fs::write(&path, "old").unwrap();
    let mut writer = wav::Writer::create(&path, 16000, 1).unwrap();
    writer.write(&[1; 100_000]).unwrap();
    drop(writer);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(listing(&folder), ["out.wav"]);
}

#[test]
fn a_recording_is_a_valid_file_at_every_second() {
    let (_folder, path) = scratch("live.wav");
    let mut writer = wav::Writer::record(&path, 8000, 1).unwrap();
    assert!(matches!(wav::read(&path), Err(Error::Empty { .. })), "there from the start");
    let samples = crate::common::noise(2, 8000 * 3 + 100);
    for (index, piece) in samples.chunks(80).enumerate() {
        writer.write(piece).unwrap();
        if index % 100 == 99 {
            // What another process would find if this one died now: everything but the last second.
            let so_far = wav::read(&path).unwrap();
            assert!(so_far.samples.len() + 8000 > 80 * (index + 1), "{}", so_far.samples.len());
            assert!(samples.starts_with(&so_far.samples));
        }
    }
    writer.finish().unwrap();
    assert_eq!(wav::read(&path).unwrap().samples, samples);
}

#[test]
fn a_dropped_recording_is_complete() {
    let (_folder, path) = scratch("live.wav");
    let mut writer = wav::Writer::record(&path, 8000, 2).unwrap();
    writer.write(&[1, 2, 3, 4]).unwrap();
    drop(writer);
    assert_eq!(wav::read(&path).unwrap().samples, [1, 2, 3, 4]);
}

#[test]
fn rows_must_be_whole() {
    let (_folder, path) = scratch("out.wav");
    let mut writer = wav::Writer::create(&path, 16000, 2).unwrap();
    assert!(matches!(writer.write(&[1, 2, 3]), Err(Error::Interleaving { samples: 3, channels: 2 })));
    assert_eq!(writer.samples_per_channel(), 0);
}

#[test]
fn shapes_out_of_range_create_no_file() {
    let (folder, path) = scratch("out.wav");
    assert!(matches!(wav::Writer::create(&path, 200_000, 1), Err(Error::Rate(200_000))));
    assert!(matches!(wav::Writer::record(&path, 16000, 33), Err(Error::Channels(33))));
    assert_eq!(listing(&folder), [""; 0]);
}
