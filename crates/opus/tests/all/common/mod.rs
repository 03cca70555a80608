//! What the tests share: signals that are the same on every machine, a stream of encoded packets, and the corpus where
//! it is present.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use proptest::test_runner::{Config, RngSeed};
use sidetone_opus::{Application, Bitrate, Channels, Encoder, FrameDuration, MAX_PACKET, SampleRate};
use sidetone_testbed::corpus;
use std::f64::consts::TAU;
use std::fs;

/// The same cases in every run.
pub fn cases(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(2), failure_persistence: None, ..Config::default() }
}

/// Numbers that look random and are the same everywhere (xorshift, Marsaglia 2003).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Between -1 and 1.
    pub fn sample(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// Something like a voice: a gliding pitch with 20 harmonics under two moving formants, in syllables with pauses.
pub fn voice(rate: SampleRate, channels: Channels, seconds: f64) -> Vec<i16> {
    let hz = f64::from(rate.hz());
    let mut noise = Random(0x51de_703e);
    let mut phase = 0.0;
    let mono = (0..(hz * seconds) as usize).map(|index| {
        let time = index as f64 / hz;
        let pitch = 120.0 + 30.0 * (TAU * 0.7 * time).sin();
        phase += TAU * pitch / hz;
        let syllable = (TAU * 2.0 * time).sin().max(0.0);
        let formants = [500.0 + 250.0 * (TAU * 1.3 * time).sin(), 1500.0 + 600.0 * (TAU * 0.9 * time).cos()];
        let tone: f64 = (1..=20)
            .map(|harmonic| {
                let f = pitch * f64::from(harmonic);
                let gain: f64 = formants.iter().map(|centre| 1.0 / (1.0 + ((f - centre) / 150.0).powi(2))).sum();
                gain * (phase * f64::from(harmonic)).sin()
            })
            .sum();
        syllable * (3500.0 * tone + 150.0 * noise.sample())
    });
    interleave(mono, channels)
}

/// A chord, a little different left and right.
pub fn chord(rate: SampleRate, channels: Channels, seconds: f64) -> Vec<i16> {
    let hz = f64::from(rate.hz());
    let mono = (0..(hz * seconds) as usize).map(|index| {
        let time = index as f64 / hz;
        [261.6, 329.6, 392.0, 1046.5, 2637.0, 3520.0].iter().map(|f| 2500.0 * (TAU * f * time).sin()).sum()
    });
    interleave(mono, channels)
}

/// White noise.
pub fn noise(rate: SampleRate, channels: Channels, seconds: f64) -> Vec<i16> {
    let mut random = Random(7);
    interleave((0..(f64::from(rate.hz()) * seconds) as usize).map(|_| 8000.0 * random.sample()), channels)
}

pub fn silence(rate: SampleRate, channels: Channels, seconds: f64) -> Vec<i16> {
    vec![0; (f64::from(rate.hz()) * seconds) as usize * channels.count()]
}

/// Voice, chord, noise and silence by turns: what makes an encoder change its mode.
pub fn varied(rate: SampleRate, channels: Channels) -> Vec<i16> {
    let makers = [voice, chord, voice, noise, silence, voice, chord];
    [0.9, 0.73, 0.47, 0.31, 0.6, 0.55, 0.41].iter().zip(makers).flat_map(|(&s, make)| make(rate, channels, s)).collect()
}

fn interleave(mono: impl Iterator<Item = f64>, channels: Channels) -> Vec<i16> {
    let sample = |value: f64| value.clamp(-32768.0, 32767.0) as i16;
    match channels {
        Channels::Mono => mono.map(sample).collect(),
        Channels::Stereo => {
            mono.enumerate().flat_map(|(i, v)| [v, v * (0.5 + 0.4 * (i as f64 * 1e-4).sin())]).map(sample).collect()
        }
    }
}

/// Encodes all whole frames of `pcm`, and returns each packet with the encoder's final range after it.
pub fn encode_all(encoder: &mut Encoder, frame: FrameDuration, pcm: &[i16]) -> Vec<(Vec<u8>, u32)> {
    encode_into(encoder, frame, pcm, MAX_PACKET)
}

/// The same with `room` bytes for each packet.
pub fn encode_into(encoder: &mut Encoder, frame: FrameDuration, pcm: &[i16], room: usize) -> Vec<(Vec<u8>, u32)> {
    let mut out = vec![0; room];
    pcm.chunks_exact(frame.samples(encoder.rate()) * encoder.channels().count())
        .map(|frame| {
            let len = encoder.encode(frame, &mut out).unwrap();
            (out[..len].to_vec(), encoder.final_range())
        })
        .collect()
}

/// Real packets of every mode, with FEC and DTX, of one frame and of several, by constant and variable bitrate.
pub fn assorted_packets() -> Vec<Vec<u8>> {
    let streams = [
        (SampleRate::Hz16000, Channels::Mono, Application::Voip, FrameDuration::Ms60, 16_000, true),
        (SampleRate::Hz24000, Channels::Mono, Application::Voip, FrameDuration::Ms60, 24_000, true),
        (SampleRate::Hz48000, Channels::Stereo, Application::Voip, FrameDuration::Ms120, 40_000, true),
        (SampleRate::Hz48000, Channels::Stereo, Application::Audio, FrameDuration::Ms20, 96_000, true),
        (SampleRate::Hz48000, Channels::Mono, Application::Audio, FrameDuration::Ms40, 64_000, false),
        (SampleRate::Hz48000, Channels::Mono, Application::LowDelay, FrameDuration::Ms2_5, 64_000, true),
        (SampleRate::Hz8000, Channels::Stereo, Application::Voip, FrameDuration::Ms10, 12_000, false),
    ];
    let stream = |(rate, channels, application, frame, bitrate, vbr)| {
        let mut encoder = Encoder::new(rate, channels, application).unwrap();
        encoder.set_bitrate(Bitrate::BitsPerSecond(bitrate)).unwrap();
        encoder.set_vbr(vbr).unwrap();
        encoder.set_fec(true).unwrap();
        encoder.set_expected_loss(20).unwrap();
        encoder.set_dtx(vbr).unwrap();
        encode_all(&mut encoder, frame, &varied(rate, channels)).into_iter().step_by(3).map(|(packet, _)| packet)
    };
    streams.into_iter().flat_map(stream).collect()
}

/// SNR in dB of `heard` against `meant`.
pub fn snr(meant: &[i16], heard: &[i16]) -> f64 {
    assert_eq!(meant.len(), heard.len());
    let power: f64 = meant.iter().map(|&x| f64::from(x).powi(2)).sum();
    let error: f64 = meant.iter().zip(heard).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum();
    10.0 * (power / error.max(1e-9)).log10()
}

/// Real speech of the corpus at 16 kHz, or the made-up voice where there is none.
pub fn speech() -> Vec<i16> {
    let files = corpus::files("speech", "wav", "real speech, a made-up voice stands in");
    let Some(first) = files.first() else { return voice(SampleRate::Hz16000, Channels::Mono, 5.0) };
    let wav = fs::read(first).unwrap();
    assert_eq!((&wav[..4], &wav[36..40]), (&b"RIFF"[..], &b"data"[..]), "a WAV with a header of 44 bytes");
    wav[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// The packets of an opus_demo bitstream, each with the final range of its encoder.
pub fn bitstream(mut bytes: &[u8]) -> Vec<(&[u8], u32)> {
    let mut packets = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let [l0, l1, l2, l3, r0, r1, r2, r3] = *head;
        let (packet, rest) = rest.split_at(u32::from_be_bytes([l0, l1, l2, l3]) as usize);
        packets.push((packet, u32::from_be_bytes([r0, r1, r2, r3])));
        bytes = rest;
    }
    assert!(bytes.is_empty(), "{} bytes after the last packet", bytes.len());
    packets
}
