//! PCM to packets: the clip made ready for the codec, cut into frames, encoded by the component.

use crate::watch::Stage;
use crate::{CLOCK, Encode, Error, Packet, PcmOptions, Settings, Stream, Watch, duration_of, scaled};
use sidetone_audio::ogg_opus::Tags;
use sidetone_audio::{Pcm, resample};
use sidetone_opus::{Channels, SampleRate};

/// A clip as the codec takes it, and what it was before.
#[derive(Debug)]
pub struct Clip {
    /// At a rate and with channels that Opus has.
    pub pcm: Pcm,
    /// Its rate.
    pub rate: SampleRate,
    /// Its channels.
    pub channels: Channels,
    /// Rate and length of the WAV file that a listener gets.
    heard: (u32, usize),
    /// Rate before.
    input_rate: u32,
    /// Length at 48 kHz.
    played: u64,
    /// Comments to keep.
    comments: Vec<String>,
}

impl Clip {
    /// Mixes and resamples, and notes what was done. `only_heard`: what comes out is a WAV file again.
    ///
    /// # Errors
    /// [`Error::Mix`].
    pub fn new(
        pcm: Pcm,
        asked: &PcmOptions,
        only_heard: bool,
        comments: Vec<String>,
        notes: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let (from, length) = (pcm.channels, pcm.samples_per_channel());
        let channels = match (asked.channels, from) {
            (Some(Channels::Stereo), 3..) => {
                return Err(Error::Mix(from));
            }
            (Some(channels), _) => channels,
            (None, 2) => Channels::Stereo,
            (None, _) => Channels::Mono,
        };
        if from > 2 && asked.channels.is_none() {
            notes.push(format!("{from} channels were mixed to one"));
        }
        let input_rate = pcm.rate;
        let rate = asked.rate.unwrap_or_else(|| nearest(input_rate));
        let heard = match asked.rate {
            Some(rate) => (rate.hz(), scaled(length as u64, input_rate, rate.hz())),
            None => (input_rate, length),
        };
        if rate.hz() != input_rate {
            let back = if only_heard && heard.0 == input_rate { ", and what comes out back" } else { "" };
            notes.push(format!("resampled from {input_rate} to {} Hz for the codec{back}", rate.hz()));
        }
        // Rounded up, as opusenc does, so that no player drops the last sample.
        let played = (length as u64 * u64::from(CLOCK)).div_ceil(input_rate.into());
        let pcm = resample(&pcm.into_channels(channels.count() as u8)?, rate.hz())?;
        Ok(Self { pcm, rate, channels, heard, input_rate, played, comments })
    }
}

impl Clip {
    /// What a listener hears of it: `pcm`, which came back, at the rate and length of the WAV file to be written.
    ///
    /// # Errors
    /// [`Error::Audio`]: `pcm` is no clip.
    pub fn as_heard(&self, pcm: &Pcm) -> Result<Pcm, Error> {
        let (hz, length) = self.heard;
        let mut pcm = resample(pcm, hz)?;
        pcm.samples.resize(length * self.channels.count(), 0);
        Ok(pcm)
    }
}

/// The lowest rate of Opus that keeps all there is; the highest where none does or nothing is known.
#[must_use]
pub fn nearest(hz: u32) -> SampleRate {
    SampleRate::ALL.into_iter().find(|rate| hz > 0 && rate.hz() >= hz).unwrap_or(SampleRate::Hz48000)
}

/// Cuts a clip into frames and makes a packet of each, by whatever `code` does with the frame of a number. `lookahead` is
/// the encoder's: its output lags by so much.
///
/// # Errors
/// Those of `code`; [`Error::Stopped`].
pub fn encode_with<E: From<Error>>(
    clip: &Clip,
    settings: &Settings,
    lookahead: u32,
    watch: &dyn Watch,
    mut code: impl FnMut(usize, &[i16]) -> Result<Packet, E>,
) -> Result<Stream, E> {
    let mut tail = Vec::new();
    let mut packets = Vec::new();
    let frame = settings.frame.samples(clip.rate) * clip.channels.count();
    let count = frames(clip, settings, lookahead);
    let stage = Stage::new(watch, "encoding", count as u64);
    for index in 0..count {
        packets.push(code(index, frame_of(&clip.pcm.samples, index, frame, &mut tail))?);
        stage.step()?;
    }
    Ok(Stream {
        packets,
        channels: clip.channels,
        pre_skip: scaled(lookahead.into(), clip.rate.hz(), CLOCK) as u16,
        played: Some(clip.played),
        gain: 0,
        input_rate: clip.input_rate,
        tags: tags(&clip.comments),
    })
}

/// Encodes a clip with a fresh encoder of these settings.
///
/// # Errors
/// [`Error::Encode`]; [`Error::Fault`] where the guest fails; [`Error::Stopped`].
pub fn encode(encoder: &mut impl Encode, clip: &Clip, settings: &Settings, watch: &dyn Watch) -> Result<Stream, Error> {
    let lookahead = encoder.lookahead()?;
    encode_with(clip, settings, lookahead, watch, |index, pcm| packet(encoder, settings, index, pcm))
}

/// Makes the packet of one frame.
fn packet(encoder: &mut impl Encode, settings: &Settings, index: usize, pcm: &[i16]) -> Result<Packet, Error> {
    let (data, final_range) = encoder.encode(pcm).map_err(|cause| Error::Encode { index, cause })?;
    Ok(Packet { data, final_range, duration: duration_of(settings.frame), ..Packet::default() })
}

/// Frames until all of the clip has left the decoder, whose output lags by the look-ahead.
fn frames(clip: &Clip, settings: &Settings, lookahead: u32) -> usize {
    let hz = clip.rate.hz();
    // Rounding between rates may make either of these the longer one, by a sample.
    let at_codec_rate = clip.pcm.samples_per_channel() as u64 + u64::from(lookahead);
    let at_clock = clip.played + scaled(lookahead.into(), hz, CLOCK) as u64;
    let frame = settings.frame.samples(clip.rate) as u64;
    let needed = at_codec_rate.div_ceil(frame).max(at_clock.div_ceil(duration_of(settings.frame).into()));
    needed as usize
}

/// The samples of one frame; beyond the end, silence.
fn frame_of<'a>(samples: &'a [i16], index: usize, frame: usize, tail: &'a mut Vec<i16>) -> &'a [i16] {
    let start = samples.len().min(index * frame);
    if let Some(whole) = samples[start..].get(..frame) {
        return whole;
    }
    tail.clear();
    tail.extend_from_slice(&samples[start..]);
    tail.resize(frame, 0);
    tail
}

fn tags(comments: &[String]) -> Tags {
    let is_encoder = |comment: &&String| comment.get(..8).is_some_and(|name| name.eq_ignore_ascii_case("ENCODER="));
    let kept = comments.iter().filter(|comment| !is_encoder(comment)).cloned();
    Tags {
        vendor: format!("libopus {}", sidetone_artifact::LIBOPUS_VERSION),
        comments: std::iter::once(format!("ENCODER=sidetone {}", env!("CARGO_PKG_VERSION"))).chain(kept).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codec_rate_keeps_all_of_the_input() {
        for (hz, codec) in [
            (0, 48_000),
            (4_000, 8_000),
            (8_000, 8_000),
            (11_025, 12_000),
            (16_000, 16_000),
            (22_050, 24_000),
            (32_000, 48_000),
            (44_100, 48_000),
            (192_000, 48_000),
        ] {
            assert_eq!(nearest(hz).hz(), codec, "{hz} Hz");
        }
    }

    #[test]
    fn the_last_frame_is_filled_with_silence() {
        let mut tail = Vec::new();
        assert_eq!(frame_of(&[1, 2, 3], 0, 2, &mut tail), [1, 2]);
        assert_eq!(frame_of(&[1, 2, 3], 1, 2, &mut tail), [3, 0]);
        assert_eq!(frame_of(&[1, 2, 3], 2, 2, &mut tail), [0, 0]);
    }
}
