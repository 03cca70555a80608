//! Waits for one mark to come back: decodes what comes from shortly before it is sent until it is heard.

use std::time::Duration;

use sidetone_opus::{Channels, Decoder, MAX_SAMPLES, SampleRate};

use crate::speech::{EAR_RATE, Ear, FRAME_MS, Loop};
use crate::stats::Stats;

/// Frames before the mark from which on the downlink is decoded, so that the decoder has settled.
pub(super) const WARM_UP: usize = 3;
/// How long a mark is waited for. Less than the time between two of them, so that they cannot be mixed up.
const PATIENCE: Duration = Duration::from_millis(1_700);
/// Samples of the longest packet at an ear's rate.
const MOST: usize = MAX_SAMPLES * EAR_RATE as usize / 48_000;

/// A mark that was sent.
#[derive(Clone, Copy, Debug)]
struct Sent {
    place: usize,
    /// When its frame was complete: the last sample spoken.
    spoken: Duration,
    /// When its packet left for the gateway, the impairment behind it.
    left: Option<Duration>,
    /// The gateway sent the very packet back.
    passed_through: bool,
}

/// A packet as it reached the device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard<'p> {
    pub(super) sequence: u32,
    pub(super) payload: &'p [u8],
    /// When it came out of the network.
    pub(super) raw: Duration,
    /// When its first sample is played.
    pub(super) played: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    sequence: u32,
    raw: Duration,
    played: Duration,
    samples: usize,
}

/// One mark under way.
#[derive(Debug)]
pub(super) struct Watch {
    decoder: Decoder,
    ear: Ear,
    sent: Option<Sent>,
    before: Option<Frame>,
}

impl Watch {
    /// `None` where there is no memory for a decoder.
    pub(super) fn new() -> Option<Self> {
        let decoder = Decoder::new(SampleRate::Hz8000, Channels::Mono).ok()?;
        Some(Self { decoder, ear: Ear::new(), sent: None, before: None })
    }

    /// The marked frame at `place` was spoken.
    pub(super) const fn spoken(&mut self, place: usize, now: Duration) {
        self.sent = Some(Sent { place, spoken: now, left: None, passed_through: false });
    }

    /// Its packet left for the gateway.
    pub(super) const fn left(&mut self, place: usize, now: Duration) {
        if let Some(sent) = &mut self.sent
            && sent.place == place
        {
            sent.left = Some(now);
        }
    }

    /// Whether nothing is to be expected any more.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        self.sent.is_some_and(|sent| now > sent.spoken + PATIENCE)
    }

    /// Listens to a packet. `true`: the mark was heard, and what it tells is recorded.
    pub(super) fn hear(&mut self, heard: Heard<'_>, speech: &Loop, stats: &Stats) -> bool {
        if let Some(sent) = &mut self.sent {
            sent.passed_through |= heard.payload == speech.packet(sent.place);
        }
        let mut pcm = [0; MOST];
        // What cannot be decoded is counted elsewhere, and cannot hold a mark.
        let samples = self.decoder.decode(heard.payload, &mut pcm).unwrap_or(0);
        let found = self.ear.hear(&pcm[..samples]);
        let this = Frame { sequence: heard.sequence, raw: heard.raw, played: heard.played, samples };
        let before = self.before.replace(this);
        let (Some(place), Some(sent)) = (found, self.sent) else { return false };
        let Some(left) = sent.left else { return false };
        let (frame, offset) = match before {
            // It began in the packet before.
            Some(before) if place < 0 && before.sequence.checked_add(1) == Some(this.sequence) => {
                (before, place + before.samples as isize)
            }
            _ => (this, place),
        };
        let ear = |start: Duration| start + seconds(offset.max(0)) - seconds((-offset).max(0));
        let delay = speech.codec_delay(sent.place);
        let codec = if sent.passed_through { delay.one } else { delay.two };
        let mouth = (sent.spoken + Loop::mark_offset()).saturating_sub(Duration::from_millis(FRAME_MS as u64));
        stats.mouth_to_ear.record(ear(frame.played).saturating_sub(mouth));
        stats.added.record(ear(frame.raw).saturating_sub(left + Loop::mark_offset() + codec));
        true
    }
}

fn seconds(samples: isize) -> Duration {
    Duration::from_micros(samples.unsigned_abs() as u64 * 1_000_000 / u64::from(EAR_RATE))
}
