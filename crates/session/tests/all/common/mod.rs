//! What the tests share: a key, signals, the two ends of a call, datagrams made by hand, and a codec that does as told.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use proptest::test_runner::{Config as Cases, RngSeed};
use sidetone_opus::{Channels, Error, SampleRate};
use sidetone_packet::{Direction, HEADER_LEN, Header, KeySchedule, open_with, seal_with};
use sidetone_session::{Codec, Config, FrameDecoder, FrameEncoder, Libopus, Outgoing, Quality, Session};
use sidetone_testbed::corpus;
use std::f64::consts::TAU;

/// A session key. Its bytes are unlike anything else in the tests, so that a leak is recognised.
pub const KEY: [u8; 16] =
    [0xd3, 0x1c, 0x96, 0x5a, 0xe8, 0x77, 0x42, 0xbf, 0x0b, 0x64, 0xc9, 0x8e, 0x21, 0xf5, 0xaa, 0x3d];

pub const CONNECTION: u32 = 0xa1b2_c3d4;

/// The same cases in every run.
pub fn cases(cases: u32) -> Cases {
    Cases { cases, rng_seed: RngSeed::Fixed(2), failure_persistence: None, ..Cases::default() }
}

/// A session on the real codec.
pub type Call = Session<Libopus>;

pub fn gateway() -> Call {
    Session::new(&KEY, &Config::gateway(CONNECTION)).unwrap()
}

pub fn device() -> Call {
    Session::new(&KEY, &Config::device(CONNECTION)).unwrap()
}

/// All datagrams of `pcm`, sent at once at `timestamp_ms`, without a flush.
pub fn send<C: Codec>(session: &mut Session<C>, pcm: &[i16], timestamp_ms: u32) -> Vec<Vec<u8>> {
    let mut datagrams = Vec::new();
    let sent = session.send(pcm, timestamp_ms, |datagram| datagrams.push(datagram.to_vec())).unwrap();
    assert_eq!(sent as usize, datagrams.len());
    datagrams
}

pub fn flush<C: Codec>(session: &mut Session<C>, timestamp_ms: u32) -> Vec<Vec<u8>> {
    let mut datagrams = Vec::new();
    let sent = session.flush(timestamp_ms, |datagram| datagrams.push(datagram.to_vec())).unwrap();
    assert_eq!(sent as usize, datagrams.len());
    datagrams
}

/// A datagram of `direction` with any sequence number and payload.
pub fn sealed(direction: Direction, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let header = Header {
        flags: direction.flags(),
        connection_id: CONNECTION,
        timestamp: sequence.wrapping_mul(60),
        sequence,
        ..Header::default()
    };
    let mut datagram = vec![0; HEADER_LEN + payload.len()];
    seal_with(&KeySchedule::new(&KEY), &header, payload, &mut datagram).unwrap();
    datagram
}

/// One from the device.
pub fn uplink(sequence: u32, payload: &[u8]) -> Vec<u8> {
    sealed(Direction::Uplink, sequence, payload)
}

/// A SILK frame of 60 ms at 16 kHz, mono, that was not sent (DTX): the shortest packet a device sends.
pub const DTX: &[u8] = &[0x58];

pub fn header(datagram: &[u8]) -> Header {
    Header::split(datagram).unwrap().0
}

pub fn payload(datagram: &[u8]) -> Vec<u8> {
    let mut out = [0; 1024];
    let header = open_with(&KeySchedule::new(&KEY), datagram, &mut out).unwrap();
    out[..usize::from(header.payload_len)].to_vec()
}

/// Something like a voice: a gliding pitch with harmonics, in syllables, never quite silent.
pub fn voice(rate: SampleRate, channels: Channels, seconds: f64) -> Vec<i16> {
    let hz = f64::from(rate.hz());
    let mut phase = 0.0;
    (0..(hz * seconds) as usize)
        .flat_map(|index| {
            let time = index as f64 / hz;
            phase += TAU * (130.0 + 40.0 * (TAU * 0.6 * time).sin()) / hz;
            let formant = 5.0 + 4.0 * (TAU * 1.1 * time).sin();
            let tone: f64 =
                (1..=18).map(|n| (phase * f64::from(n)).sin() / (1.0 + (f64::from(n) - formant).powi(2) / 4.0)).sum();
            let sample = (0.3 + 0.7 * (TAU * 1.7 * time).sin().abs()) * 4000.0 * tone;
            std::iter::repeat_n(sample.clamp(-32768.0, 32767.0) as i16, channels.count())
        })
        .collect()
}

/// Speech at 16 kHz: the corpus's where it is present.
pub fn speech() -> Vec<i16> {
    let files = corpus::files("speech", "wav", "real speech, a made-up voice stands in");
    let Some(first) = files.first() else { return voice(SampleRate::Hz16000, Channels::Mono, 5.0) };
    let wav = std::fs::read(first).unwrap();
    assert_eq!((&wav[..4], &wav[36..40]), (&b"RIFF"[..], &b"data"[..]), "a WAV with a header of 44 bytes");
    wav[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// A codec whose audio tells what was done: decoded frames are filled with the payload's second byte, recovered ones
/// with 1000, made-up ones with 2000. A second byte of 0xEE cannot be decoded, 0xFE is decoded too short; one of 0xFC or
/// more carries redundancy, 0xFD redundancy that is too short.
pub struct Told;

pub struct ToldEncoder {
    pub frames: u32,
}

pub struct ToldDecoder;

pub const RECOVERED: i16 = 1000;
pub const MADE_UP: i16 = 2000;

impl Codec for Told {
    type Encoder = ToldEncoder;
    type Decoder = ToldDecoder;

    fn encoder(_: &Outgoing) -> Result<ToldEncoder, Error> {
        Ok(ToldEncoder { frames: 0 })
    }

    fn decoder(_: SampleRate, _: Channels) -> Result<ToldDecoder, Error> {
        Ok(ToldDecoder)
    }
}

impl FrameEncoder for ToldEncoder {
    /// A frame that begins with -1 cannot be encoded.
    fn encode(&mut self, frame: &[i16], out: &mut [u8]) -> Result<usize, Error> {
        if frame[0] == -1 {
            return Err(Error::Internal(-3));
        }
        self.frames += 1;
        out[..3].copy_from_slice(&[0x58, frame[0] as u8, self.frames as u8]);
        Ok(3)
    }

    fn set_quality(&mut self, _: Quality, _: &Outgoing) -> Result<(), Error> {
        Ok(())
    }

    fn lookahead(&self) -> usize {
        0
    }

    fn reset(&mut self) {
        self.frames = 0;
    }
}

impl FrameDecoder for ToldDecoder {
    fn decode(&mut self, packet: &[u8], pcm: &mut [i16]) -> Result<usize, Error> {
        pcm.fill(i16::from(packet[1]));
        match packet[1] {
            0xEE => Err(Error::Undecodable),
            0xFE => Ok(pcm.len() - 1),
            _ => Ok(pcm.len()),
        }
    }

    fn recover(&mut self, following: &[u8], pcm: &mut [i16]) -> Result<Option<usize>, Error> {
        match following.get(1) {
            Some(0xFD) => Ok(Some(1)),
            Some(0xFC..) => {
                pcm.fill(RECOVERED);
                Ok(Some(pcm.len()))
            }
            _ => Ok(None),
        }
    }

    fn conceal(&mut self, pcm: &mut [i16]) -> Result<usize, Error> {
        pcm.fill(MADE_UP);
        Ok(pcm.len())
    }
}

/// SNR in dB of `heard` against `meant`.
pub fn snr(meant: &[i16], heard: &[i16]) -> f64 {
    assert_eq!(meant.len(), heard.len());
    let power: f64 = meant.iter().map(|&x| f64::from(x).powi(2)).sum();
    let error: f64 = meant.iter().zip(heard).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum();
    10.0 * (power / error.max(1e-9)).log10()
}
