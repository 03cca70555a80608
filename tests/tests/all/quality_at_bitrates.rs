//! Speech at 16, 24 and 32 kbit/s: the component's encoder, as it codes by itself, against the better of libopus's two ways,
//! whole packets and split ones.

use realfft::RealFftPlanner;
use sidetone_audio::Pcm;
use sidetone_audio::measure::compare;
use sidetone_host::{Encoder, EncoderConfig};
use sidetone_opus::{
    Bitrate, Channels, Complexity, Decoder, FrameDuration, MAX_PACKET, MAX_SAMPLES, SampleRate, Split,
};
use sidetone_tests::{host, speech};

/// In the mean of all cases, dB.
const TOLERANCE: f64 = 0.1;

const FORMATS: [(SampleRate, FrameDuration, u8); 3] = [
    (SampleRate::Hz16000, FrameDuration::Ms60, 5),
    (SampleRate::Hz24000, FrameDuration::Ms60, 5),
    (SampleRate::Hz24000, FrameDuration::Ms60, 10),
];

/// What is heard, against what was said, dB.
#[derive(Clone, Copy)]
struct Heard {
    segmental_snr: f64,
    log_spectral_distance: f64,
}

impl Heard {
    fn of(said: &[i16], packets: &[Vec<u8>], rate: SampleRate) -> Self {
        let mut decoder = Decoder::new(rate, Channels::Mono).unwrap();
        let mut frame = vec![0; MAX_SAMPLES];
        let mut heard = Vec::new();
        for packet in packets {
            let samples = decoder.decode(packet, &mut frame).unwrap();
            heard.extend_from_slice(&frame[..samples]);
        }
        let pcm = |samples: &[i16]| Pcm::new(rate.hz(), 1, samples.to_vec()).unwrap();
        let found = compare(&pcm(said), &pcm(&heard), rate.hz() as usize / 50).unwrap();
        let lag = usize::try_from(found.shift).expect("a codec's output lags");
        Self {
            segmental_snr: found.segmental_snr_db,
            log_spectral_distance: log_spectral_distance(said, &heard[lag..], rate.hz() as usize / 50),
        }
    }
}

/// Mean distance of the logarithmic spectra of windows of `size` samples, dB. What lies below 30 dB of a line counts as that:
/// it is not heard.
fn log_spectral_distance(said: &[i16], heard: &[i16], size: usize) -> f64 {
    const FLOOR: f64 = 1000.0;
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(size);
    let (mut time, mut lines) = (fft.make_input_vec(), fft.make_output_vec());
    let mut levels = |samples: &[i16]| -> Vec<f64> {
        time.iter_mut().zip(samples).for_each(|(to, &sample)| *to = f64::from(sample));
        fft.process(&mut time, &mut lines).expect("buffers of its own size");
        lines.iter().map(|line| 10.0 * (line.norm_sqr() / size as f64 + FLOOR).log10()).collect()
    };
    let mut distances = Vec::new();
    for (said, heard) in said.chunks_exact(size).zip(heard.chunks_exact(size)) {
        let (said, heard) = (levels(said), levels(heard));
        let squares: f64 = said.iter().zip(&heard).map(|(said, heard)| (said - heard).powi(2)).sum();
        distances.push((squares / said.len() as f64).sqrt());
    }
    distances.iter().sum::<f64>() / distances.len() as f64
}

fn configured(rate: SampleRate, bitrate: u32, complexity: u8) -> EncoderConfig {
    let bitrate = Bitrate::BitsPerSecond(bitrate);
    EncoderConfig { bitrate, complexity, ..EncoderConfig::voice(rate, Channels::Mono) }
}

fn in_component(config: &EncoderConfig, frames: &[&[i16]]) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::open(host::component().instantiate().unwrap(), config).unwrap();
    frames.iter().map(|frame| encoder.encode(frame).unwrap()).collect()
}

fn natively(config: &EncoderConfig, split: Split, frames: &[&[i16]]) -> Vec<Vec<u8>> {
    let mut encoder = sidetone_opus::Encoder::new(config.rate, config.channels, config.application).unwrap();
    encoder.set_bitrate(config.bitrate).unwrap();
    encoder.set_complexity(Complexity::try_from(u32::from(config.complexity)).unwrap()).unwrap();
    encoder.set_split(split);
    let mut packet = vec![0; MAX_PACKET];
    frames.iter().map(|frame| encoder.encode(frame, &mut packet).map(|len| packet[..len].to_vec()).unwrap()).collect()
}

#[test]
fn it_sounds_as_good_as_the_better_of_libopuss_two_ways() {
    let (mut snr, mut distance) = (Vec::new(), Vec::new());
    for (rate, frame, complexity) in FORMATS {
        let voices = speech::all(rate.hz(), "quality at three bitrates on real speech");
        for bitrate in [16_000, 24_000, 32_000] {
            let config = configured(rate, bitrate, complexity);
            for (name, said) in &voices {
                let frames: Vec<&[i16]> = said.chunks_exact(frame.samples(rate)).collect();
                let ours = Heard::of(said, &in_component(&config, &frames), rate);
                let native = [Split::Never, Split::Always]
                    .map(|split| Heard::of(said, &natively(&config, split, &frames), rate));
                let better = if native[0].segmental_snr > native[1].segmental_snr { native[0] } else { native[1] };
                println!(
                    "{name}, {} Hz, complexity {complexity}, {bitrate} bit/s: SNR {:.2} dB, natively {:.2}; \
                     spectral distance {:.2} dB, natively {:.2}",
                    rate.hz(),
                    ours.segmental_snr,
                    better.segmental_snr,
                    ours.log_spectral_distance,
                    better.log_spectral_distance
                );
                snr.push(ours.segmental_snr - better.segmental_snr);
                distance.push(ours.log_spectral_distance - better.log_spectral_distance);
            }
        }
    }
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
    let (snr, distance) = (mean(&snr), mean(&distance));
    println!("in the mean of all: SNR {snr:+.3} dB, spectral distance {distance:+.3} dB");
    assert!(snr > -TOLERANCE, "SNR {snr:+.3} dB against the better native way");
    assert!(distance < TOLERANCE, "spectral distance {distance:+.3} dB against the better native way");
}
