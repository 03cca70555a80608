//! Encoding: every packet is made once, as firmware would, and shared by all devices.

use std::time::Duration;

use sidetone_opus::{Application, Channels, Complexity, Decoder, Encoder, FrameDuration, MAX_PACKET, SampleRate};

use super::ear::{EAR_RATE, Ear};
use super::mark::mark;
use crate::Error;

/// Rate of a device's microphone, Hz.
pub const SPOKEN_RATE: u32 = 16_000;
/// Duration of a packet, ms.
pub const FRAME_MS: usize = 60;
/// Every so many frames one holds a mark: 2.04 s.
pub const MARK_EVERY: usize = 34;

const FRAME: usize = FRAME_MS * SPOKEN_RATE as usize / 1_000;
/// Where in its frame a mark begins, ms: with the delay of two encoders it ends in the same frame again.
const MARK_AT_MS: usize = 4;
/// Speech fades out before a marked frame, and in after it, over so many samples.
const FADE: usize = 160;
/// The shortest loop, in frames: its seam is then rare.
const SHORTEST: usize = 4 * MARK_EVERY;
/// Silence after an utterance that is encoded with it; from then on one packet of it is repeated.
const SILENCE: usize = 30;
/// Where a gateway decodes and encodes again, Hz: the rate that gateways speak at.
const GATEWAY_RATE: SampleRate = SampleRate::Hz24000;

type Packets = Box<[Box<[u8]>]>;

/// Speech without end, with marks.
#[derive(Debug)]
pub struct Loop {
    packets: Packets,
    /// By mark: what the codecs delay it by, as an ear hears it.
    codec_delay: Box<[CodecDelay]>,
}

/// What codecs delay a mark by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecDelay {
    /// The device's encoder alone: the gateway passes packets through.
    pub one: Duration,
    /// That and the gateway's: it decodes and encodes.
    pub two: Duration,
}

impl Loop {
    /// Encodes speech at [`SPOKEN_RATE`], repeated until it is long enough, and marks it.
    ///
    /// # Errors
    /// [`Error::Opus`]; [`Error::Speech`] where a mark is not heard even without a gateway.
    pub fn new(speech: &[i16]) -> Result<Self, Error> {
        let frames = speech.len().div_ceil(FRAME).max(SHORTEST).next_multiple_of(MARK_EVERY);
        let mut pcm: Vec<i16> = if speech.is_empty() {
            vec![0; frames * FRAME]
        } else {
            speech.iter().copied().cycle().take(frames * FRAME).collect()
        };
        for frame in (0..frames).filter(|frame| is_marked(*frame)) {
            put_mark(&mut pcm, frame * FRAME);
        }
        let mut encoder = firmware_encoder()?;
        let packets = encode(&mut encoder, &pcm)?;
        let codec_delay = codec_delay(&packets)?;
        Ok(Self { packets, codec_delay })
    }

    /// The packets, in order; after the last comes the first.
    #[must_use]
    pub const fn packets(&self) -> &Packets {
        &self.packets
    }

    /// The packet at a place that grows without end.
    #[must_use]
    pub fn packet(&self, place: usize) -> &[u8] {
        &self.packets[place % self.packets.len()]
    }

    /// How many frames after `place` the next marked one comes: 0 where it is this.
    #[must_use]
    pub const fn until_mark(place: usize) -> usize {
        (MARKED + MARK_EVERY - place % MARK_EVERY) % MARK_EVERY
    }

    /// How long after the start of its frame a mark begins.
    #[must_use]
    pub const fn mark_offset() -> Duration {
        Duration::from_millis(MARK_AT_MS as u64)
    }

    /// What the codecs delay the mark at a place by.
    #[must_use]
    pub fn codec_delay(&self, place: usize) -> CodecDelay {
        self.codec_delay[place % self.packets.len() / MARK_EVERY]
    }
}

/// Which frame of each [`MARK_EVERY`] holds the mark: not the first, so that a codec has settled.
const MARKED: usize = MARK_EVERY / 2;

const fn is_marked(frame: usize) -> bool {
    Loop::until_mark(frame) == 0
}

fn put_mark(pcm: &mut [i16], start: usize) {
    let before = start.saturating_sub(FADE);
    for (index, sample) in pcm[before..start].iter_mut().enumerate() {
        *sample = (i32::from(*sample) * (FADE - index) as i32 / FADE as i32) as i16;
    }
    let end = (start + FRAME + FADE).min(pcm.len());
    for (index, sample) in pcm[start + FRAME..end].iter_mut().enumerate() {
        *sample = (i32::from(*sample) * index as i32 / FADE as i32) as i16;
    }
    pcm[start..start + FRAME].fill(0);
    let place = start + MARK_AT_MS * SPOKEN_RATE as usize / 1_000;
    let mark = mark(SPOKEN_RATE);
    pcm[place..place + mark.len()].copy_from_slice(&mark);
}

/// One utterance, and the silence after it.
#[derive(Debug)]
pub struct Utterance {
    speech: Packets,
    silence: Packets,
}

impl Utterance {
    /// Encodes speech at [`SPOKEN_RATE`], its last frame filled up with silence.
    ///
    /// # Errors
    /// [`Error::Opus`].
    pub fn new(speech: &[i16]) -> Result<Self, Error> {
        let frames = speech.len().div_ceil(FRAME).max(1);
        let mut pcm = speech.to_vec();
        pcm.resize((frames + SILENCE) * FRAME, 0);
        let mut packets = encode(&mut firmware_encoder()?, &pcm)?.into_vec();
        let silence = packets.split_off(frames).into();
        Ok(Self { speech: packets.into(), silence })
    }

    /// The packets of speech.
    #[must_use]
    pub const fn speech(&self) -> &Packets {
        &self.speech
    }

    /// The packet `after` frames of silence: first the end of what was said, then, with DTX, next to nothing.
    #[must_use]
    pub fn silence(&self, after: usize) -> &[u8] {
        &self.silence[after.min(SILENCE - 1)]
    }
}

/// 16 kHz, mono, complexity 0, VBR at libopus's own choice, DTX, no FEC.
fn firmware_encoder() -> Result<Encoder, Error> {
    let mut encoder = Encoder::new(SampleRate::Hz16000, Channels::Mono, Application::Voip)?;
    encoder.set_complexity(Complexity::MIN)?;
    encoder.set_dtx(true)?;
    Ok(encoder)
}

fn encode(encoder: &mut Encoder, pcm: &[i16]) -> Result<Packets, Error> {
    let frame = FrameDuration::Ms60.samples(encoder.rate());
    let mut packet = [0; MAX_PACKET];
    let mut packets = Vec::with_capacity(pcm.len() / frame);
    for frame in pcm.chunks_exact(frame) {
        let length = encoder.encode(frame, &mut packet)?;
        packets.push(packet[..length].into());
    }
    Ok(packets.into())
}

fn decode(packets: &Packets, rate: SampleRate) -> Result<Vec<i16>, Error> {
    let mut decoder = Decoder::new(rate, Channels::Mono)?;
    let mut pcm = vec![0; packets.len() * FrameDuration::Ms60.samples(rate)];
    for (packet, frame) in packets.iter().zip(pcm.chunks_exact_mut(FrameDuration::Ms60.samples(rate))) {
        decoder.decode(packet, frame)?;
    }
    Ok(pcm)
}

/// Sends all marks through the codecs, as a gateway would that takes no time.
fn codec_delay(packets: &Packets) -> Result<Box<[CodecDelay]>, Error> {
    let mut gateway = Encoder::new(GATEWAY_RATE, Channels::Mono, Application::Voip)?;
    gateway.set_complexity(Complexity::MEDIUM)?;
    let twice = encode(&mut gateway, &decode(packets, GATEWAY_RATE)?)?;
    let (one, two) = (marks_heard(packets)?, marks_heard(&twice)?);
    Ok(one.into_iter().zip(two).map(|(one, two)| CodecDelay { one, two }).collect())
}

/// How much later than spoken each mark is heard.
fn marks_heard(packets: &Packets) -> Result<Vec<Duration>, Error> {
    let frame = FRAME_MS * EAR_RATE as usize / 1_000;
    let pcm = decode(packets, SampleRate::Hz8000)?;
    let mut ear = Ear::new();
    let mut heard = vec![None; packets.len() / MARK_EVERY];
    for (index, samples) in pcm.chunks_exact(frame).enumerate() {
        let Some(place) = ear.hear(samples) else { continue };
        let place = (index * frame).saturating_add_signed(place);
        let mark = index / MARK_EVERY;
        let spoken = (mark * MARK_EVERY + MARKED) * frame + MARK_AT_MS * EAR_RATE as usize / 1_000;
        heard[mark] = place.checked_sub(spoken).filter(|late| *late < frame).or(heard[mark]);
    }
    let seconds = |samples: usize| Duration::from_secs_f64(samples as f64 / f64::from(EAR_RATE));
    let unheard = || Error::Speech("marks cannot be heard in this speech, not even without a gateway".into());
    heard.into_iter().map(|late| late.map(seconds).ok_or_else(unheard)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speech(samples: usize) -> Vec<i16> {
        // Loud, tonal and noisy: nothing a mark would hide in easily.
        let mut random = crate::random::Random::new(11);
        let tone = |index: usize| (index as f64 * 0.07).sin() * 6_000.0 * (index as f64 * 0.0004).sin();
        (0..samples).map(|index| (tone(index) + 2_000.0 * random.share()) as i16).collect()
    }

    #[test]
    fn marks_come_every_34th_frame() {
        let places: Vec<usize> = (0..80).filter(|place| Loop::until_mark(*place) == 0).collect();
        assert_eq!(places, [17, 51]);
        assert_eq!([16, 17, 18, 50].map(Loop::until_mark), [1, 0, 33, 1]);
    }

    #[test]
    fn every_mark_is_heard_through_one_codec_and_through_two() {
        let speech = Loop::new(&speech(16_000 * 10)).unwrap();
        assert_eq!((speech.packets().len(), speech.codec_delay.len()), (170, 5));
        for delay in &speech.codec_delay {
            // The encoders look ahead 6.5 ms each; decoders and their resampling add less than 2 ms.
            let [one, two] = [delay.one, delay.two].map(|delay| delay.as_secs_f64() * 1_000.0);
            assert!((6.0..=8.5).contains(&one), "one codec: {one} ms");
            assert!((12.5..=17.0).contains(&two), "two codecs: {two} ms");
        }
    }

    #[test]
    fn a_mark_is_heard_at_its_place_through_noise_and_loss() {
        let speech = Loop::new(&speech(16_000 * 10)).unwrap();
        let mut pcm = decode(&speech.packets, GATEWAY_RATE).unwrap();
        let mut random = crate::random::Random::new(3);
        for sample in &mut pcm {
            *sample = sample.saturating_add((1_500.0 * (random.share() - 0.5)) as i16);
        }
        let mut gateway = Encoder::new(GATEWAY_RATE, Channels::Mono, Application::Voip).unwrap();
        gateway.set_complexity(Complexity::MEDIUM).unwrap();
        let packets = encode(&mut gateway, &pcm).unwrap();
        let frame = FRAME_MS * EAR_RATE as usize / 1_000;
        for mark in 0..5 {
            let marked = mark * MARK_EVERY + MARKED;
            let (mut decoder, mut ear) = (Decoder::new(SampleRate::Hz8000, Channels::Mono).unwrap(), Ear::new());
            let mut heard = Vec::new();
            // From three frames before it, as a device does; and the one right before it is lost.
            for index in (marked - 3..marked + 3).filter(|index| *index != marked - 1) {
                let mut pcm = vec![0; frame];
                decoder.decode(&packets[index], &mut pcm).unwrap();
                heard.extend(ear.hear(&pcm).map(|place| place + (index as isize - marked as isize) * frame as isize));
            }
            let spoken = (MARK_AT_MS * EAR_RATE as usize / 1_000) as isize;
            let delay = (speech.codec_delay(marked).two.as_secs_f64() * f64::from(EAR_RATE)).round() as isize;
            let [place] = heard[..] else { panic!("mark {mark} was heard {} times", heard.len()) };
            assert!((place - spoken - delay).abs() <= 1, "mark {mark}: {place} for {} samples", spoken + delay);
        }
    }

    #[test]
    fn packets_are_those_of_firmware() {
        let speech = Loop::new(&speech(16_000 * 4)).unwrap();
        for packet in speech.packets() {
            let parsed = sidetone_opus::packet::Packet::parse(packet).unwrap();
            assert_eq!((parsed.duration_micros(), parsed.channels()), (60_000, Channels::Mono));
            assert!(packet.len() < 400, "{} bytes", packet.len());
        }
        let quiet = Utterance::new(&[0; 16_000]).unwrap();
        assert_eq!(quiet.speech().len(), 17);
        assert!(quiet.silence(1_000).len() <= 2, "DTX");
    }
}
