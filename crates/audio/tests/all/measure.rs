//! Alignment and ratios against values worked out by hand.

use crate::common::{noise, sine};
use sidetone_audio::measure::{Alignment, align, compare, dbfs, rms, segmental_snr_db, snr_db};
use sidetone_audio::{Error, Pcm};

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

#[test]
fn levels_are_exact() {
    close(rms(&[3, -4, 3, -4]), 12.5f64.sqrt());
    assert_eq!(rms(&[]), 0.0);
    assert_eq!(rms(&[i16::MIN; 100]), 32768.0);
    assert_eq!(dbfs(rms(&[i16::MIN; 100])), 0.0);
    close(dbfs(16384.0), -6.020_599_913_279_624);
    assert_eq!(dbfs(rms(&[0; 10])), f64::NEG_INFINITY);
}

#[test]
fn the_ratio_is_that_of_the_energies() {
    // Energy 10000 · 4 against a difference of 1 · 4.
    close(snr_db(&[100, -100, 100, -100], &[101, -101, 99, -99]), 40.0);
    assert_eq!(snr_db(&[1, 2, 3], &[1, 2, 3]), f64::INFINITY);
    assert_eq!(snr_db(&[0, 0], &[1, 0]), f64::NEG_INFINITY);
    // Only what both have counts.
    close(snr_db(&[10, 10, 30_000], &[11, 9]), 20.0);
    close(snr_db(&[i16::MIN], &[i16::MAX]), 20.0 * (32768.0f64 / 65535.0).log10());
}

#[test]
fn pauses_do_not_count_in_the_segmental_ratio() {
    let reference = [1000, 1000, 0, 0, 1000, 1000, 7];
    let signal = [1010, 990, 500, 500, 1000, 1000, 700];
    // 40 dB limited to 35, a pause, a perfect segment limited to 35, and an incomplete one.
    close(segmental_snr_db(&reference, &signal, 2), 35.0);
    close(segmental_snr_db(&[100; 4], &[110, 110, 200, 200], 2), 10.0);
    assert!(segmental_snr_db(&[0; 10], &[5; 10], 2).is_nan());
}

#[test]
fn a_known_shift_is_found_either_way() {
    let speech = noise(5, 20_000);
    for shift in [0usize, 1, 7, 312, 4999] {
        let late = [vec![0; shift], speech.clone()].concat();
        let found = align(&speech, &late, 5000);
        assert_eq!(found, Alignment { shift: shift as isize, overlap: 20_000, correlation: 1.0, gain: 1.0 });

        let early = &speech[shift..];
        let found = align(&speech, early, 5000);
        assert_eq!(found, Alignment { shift: -(shift as isize), overlap: 20_000 - shift, correlation: 1.0, gain: 1.0 });
    }
}

#[test]
fn a_short_clip_is_found_in_a_long_recording_with_louder_noise() {
    let clip: Vec<i16> = noise(6, 16_000).iter().map(|&sample| sample / 4).collect();
    let mut recording = noise(7, 100_000);
    recording[60_000..76_000].copy_from_slice(&clip);
    let found = align(&clip, &recording, 100_000);
    assert_eq!(found, Alignment { shift: 60_000, overlap: 16_000, correlation: 1.0, gain: 1.0 });

    let found = align(&recording, &clip, 100_000);
    assert_eq!((found.shift, found.overlap), (-60_000, 16_000));
}

#[test]
fn volume_noise_and_delay_are_told_apart() {
    let reference = noise(8, 48_000);
    let hiss = noise(9, 48_000);
    // Half the volume, hiss of a tenth of what is left.
    let signal: Vec<i16> =
        [vec![0; 1234], reference.iter().zip(&hiss).map(|(&r, &h)| r / 2 + h / 20).collect()].concat();
    let found = compare(&Pcm::new(16_000, 1, reference).unwrap(), &Pcm::new(16_000, 1, signal).unwrap(), 2000).unwrap();
    assert_eq!((found.shift, found.overlap), (1234, 48_000));
    assert!((found.gain - 0.5).abs() < 0.01, "{}", found.gain);
    assert!((found.snr_gain_matched_db - 20.0).abs() < 0.2, "{}", found.snr_gain_matched_db);
    assert!(
        (found.snr_db - 5.98).abs() < 0.2,
        "half the volume is a difference as loud as the signal: {}",
        found.snr_db
    );
    assert!((found.correlation - (100.0f64 / 101.0).sqrt()).abs() < 0.001, "{}", found.correlation);
    assert!((found.segmental_snr_db - found.snr_db).abs() < 0.5, "steady noise has the same ratio everywhere");
}

#[test]
fn stereo_is_aligned_as_one_and_compared_channel_by_channel() {
    let reference = Pcm::new(48_000, 2, noise(10, 20_000)).unwrap();
    let late = Pcm::new(48_000, 2, [vec![0; 2 * 99], reference.samples.clone()].concat()).unwrap();
    let found = compare(&reference, &late, 500).unwrap();
    assert_eq!((found.shift, found.overlap), (99, 10_000));
    assert_eq!((found.correlation, found.gain, found.snr_db), (1.0, 1.0, f64::INFINITY));
    assert_eq!(found.segmental_snr_db, 35.0);

    // Channels swapped have the same mean and are not the same.
    let swapped = reference.samples.chunks(2).flat_map(|row| [row[1], row[0]]).collect();
    let found = compare(&reference, &Pcm::new(48_000, 2, swapped).unwrap(), 500).unwrap();
    assert_eq!(found.shift, 0);
    assert!(found.correlation < 0.1, "{}", found.correlation);
}

#[test]
fn of_equally_good_shifts_the_nearest_wins() {
    let tone = sine(16_000, 1000.0, 16_000);
    let found = align(&tone, &tone, 4000);
    assert_eq!(found, Alignment { shift: 0, overlap: 16_000, correlation: 1.0, gain: 1.0 });
}

#[test]
fn a_match_of_the_last_samples_alone_is_none() {
    let found = align(&noise(11, 10_000), &noise(12, 10_000), 10_000);
    assert!(found.correlation < 0.2, "{found:?}");
}

#[test]
fn silence_and_nothing_correlate_with_nothing() {
    let none = |overlap| Alignment { shift: 0, overlap, correlation: 0.0, gain: 0.0 };
    assert_eq!(align(&noise(13, 100), &[0; 100], 50), none(100));
    assert_eq!(align(&[0; 100], &noise(13, 100), 50), none(100));
    assert_eq!(align(&[], &noise(13, 100), 50), none(0));
    assert_eq!(align(&noise(13, 100), &[], 50), none(0));
    assert_eq!(align(&[], &[], usize::MAX), none(0));

    let nothing = Pcm::new(16_000, 1, vec![]).unwrap();
    let found = compare(&nothing, &nothing, 100).unwrap();
    assert_eq!((found.overlap, found.correlation), (0, 0.0));
}

#[test]
fn inverted_audio_does_not_match() {
    let reference = noise(14, 5000);
    let inverted: Vec<i16> = reference.iter().map(|&sample| -sample).collect();
    assert!(align(&reference, &inverted, 100).correlation < 0.1);
    assert_eq!(align(&reference, &inverted, 0), Alignment { shift: 0, overlap: 5000, correlation: -1.0, gain: -1.0 });
}

#[test]
fn the_search_keeps_to_its_limit() {
    let speech = noise(15, 5000);
    let late = [vec![0; 101], speech.clone()].concat();
    assert!(align(&speech, &late, 100).correlation < 0.2);
    assert_eq!(align(&speech, &late, 101).shift, 101);
}

#[test]
fn unlike_clips_are_not_compared() {
    let error = compare(&Pcm::new(16_000, 1, vec![]).unwrap(), &Pcm::new(48_000, 2, vec![]).unwrap(), 1).unwrap_err();
    assert!(matches!(error, Error::Unlike { .. }));
    assert_eq!(
        error.to_string(),
        "cannot compare 16000 Hz with 1 channels to 48000 Hz with 2; resample and mix one to match"
    );
}
