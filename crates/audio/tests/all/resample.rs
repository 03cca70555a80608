//! Length, place and purity of what is resampled.

use crate::common::{noise, sine};
use sidetone_audio::{Error, Pcm, measure, resample};

const RATES: [u32; 13] = [4000, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 192_000];

fn tone(rate: u32, hertz: f64, samples: usize) -> Pcm {
    Pcm::new(rate, 1, sine(rate, hertz, samples)).unwrap()
}

/// The clip without `margin` seconds at either end, where a tone that begins at once is no pure tone.
fn inner(pcm: &Pcm, margin: f64) -> &[i16] {
    let skip = (f64::from(pcm.rate) * margin) as usize;
    &pcm.samples[skip..pcm.samples.len() - skip]
}

#[test]
fn the_length_is_exact_between_any_two_rates() {
    for from in RATES {
        for to in RATES {
            for samples in [1, 2, 999, 1000, 4567] {
                let pcm = Pcm::new(from, 1, noise(3, samples)).unwrap();
                let exact = (samples as f64 * f64::from(to) / f64::from(from)).round() as usize;
                let out = resample(&pcm, to).unwrap();
                assert_eq!((out.rate, out.channels, out.samples.len()), (to, 1, exact), "{from} -> {to}, {samples}");
            }
        }
    }
}

#[test]
fn rates_without_a_common_divisor_work() {
    let pcm = tone(44_101, 440.0, 44_101);
    let out = resample(&pcm, 16_000).unwrap();
    assert_eq!(out.samples.len(), 16_000);
    assert!(measure::snr_db(&sine(16_000, 440.0, 16_000)[1600..14_400], inner(&out, 0.1)) > 70.0);
}

#[test]
fn a_tone_stays_pure_and_in_place() {
    for from in RATES {
        for to in RATES {
            // Audible, and well below the Nyquist frequency of either.
            let hertz = 0.35 * f64::from(from.min(to).min(48_000));
            let out = resample(&tone(from, hertz, from as usize / 2), to).unwrap();
            let ideal = tone(to, hertz, out.samples.len());
            let snr = measure::snr_db(inner(&ideal, 0.05), inner(&out, 0.05));
            assert!(snr > 80.0, "{from} -> {to} at {hertz:.0} Hz: {snr:.1} dB");
        }
    }
}

#[test]
fn what_lies_above_the_new_nyquist_frequency_is_removed() {
    let out = resample(&tone(48_000, 5_000.0, 48_000), 8_000).unwrap();
    let level = measure::dbfs(measure::rms(inner(&out, 0.1)));
    assert!(level < -80.0, "{level:.1} dBFS");
}

#[test]
fn channels_stay_apart() {
    let (left, right) = (sine(44_100, 300.0, 44_100), sine(44_100, 1700.0, 44_100));
    let interleaved = left.iter().zip(&right).flat_map(|(&left, &right)| [left, right]).collect();
    let out = resample(&Pcm::new(44_100, 2, interleaved).unwrap(), 48_000).unwrap();
    assert_eq!(out.samples_per_channel(), 48_000);
    for (channel, alone) in [left, right].into_iter().enumerate() {
        let alone = resample(&Pcm::new(44_100, 1, alone).unwrap(), 48_000).unwrap();
        assert!(out.samples.iter().skip(channel).step_by(2).eq(&alone.samples), "channel {channel}");
    }
}

#[test]
fn full_scale_saturates_and_does_not_wrap() {
    let square: Vec<i16> = (0..16_000).map(|n| if n / 40 % 2 == 0 { 32767 } else { -32768 }).collect();
    let out = resample(&Pcm::new(16_000, 1, square.clone()).unwrap(), 48_000).unwrap();
    // Away from the edges, where the filter rings, each sample has the sign of the input's.
    for (index, &sample) in out.samples.iter().enumerate().skip(48).take(47_900) {
        if (10..110).contains(&(index % 120)) {
            assert_eq!(sample > 0, square[index / 3] > 0, "sample {index}: {sample}");
        }
    }
}

#[test]
fn the_same_rate_is_a_copy_and_nothing_stays_nothing() {
    let pcm = Pcm::new(16_000, 2, noise(4, 1000)).unwrap();
    assert_eq!(resample(&pcm, 16_000).unwrap(), pcm);
    let nothing = Pcm::new(16_000, 1, vec![]).unwrap();
    assert_eq!(resample(&nothing, 48_000).unwrap(), Pcm::new(48_000, 1, vec![]).unwrap());
}

#[test]
fn rates_out_of_range_are_refused() {
    let pcm = Pcm::new(16_000, 1, vec![0; 10]).unwrap();
    assert!(matches!(resample(&pcm, 3_999), Err(Error::Rate(3_999))));
    assert!(matches!(resample(&pcm, 192_001), Err(Error::Rate(192_001))));
    let broken = Pcm { rate: 0, channels: 0, samples: vec![1] };
    assert!(matches!(resample(&broken, 16_000), Err(Error::Rate(0))));
}
