//! Packets to PCM, by the component, and the cut that makes of it what a listener hears.

use crate::watch::Stage;
use crate::{Decode, Error, Fault, Stream, Watch, at};
use sidetone_audio::Pcm;
use sidetone_opus::packet::has_redundancy;
use sidetone_opus::{Channels, SampleRate};
use std::time::{Duration, Instant};

/// What came of decoding.
#[derive(Debug, Default)]
pub struct Heard {
    /// Interleaved.
    pub samples: Vec<i16>,
    /// Of each packet.
    pub times: Vec<Duration>,
    /// Packets lost that were made up.
    pub concealed: u64,
    /// Packets lost that were recovered from the one after.
    pub recovered: u64,
    /// Packets lost that were left silent.
    pub silent: u64,
    /// Arrived, but could not be decoded: made up.
    pub undecodable: u64,
}

/// Decodes what arrives. A gap is filled when it is known what follows it, which may carry the last packet of the gap
/// once more. `decoder` is a fresh one, of this rate and these channels.
///
/// # Errors
/// [`Error::NoneDecodes`]; [`Error::Fault`] where the guest fails; [`Error::Stopped`].
pub fn decode(
    decoder: &mut impl Decode,
    stream: &Stream,
    rate: SampleRate,
    channels: Channels,
    watch: &dyn Watch,
) -> Result<Heard, Error> {
    let mut heard = Heard::default();
    let mut gap = Vec::new();
    let stage = Stage::new(watch, "decoding", stream.packets.len() as u64);
    for packet in &stream.packets {
        stage.step()?;
        let samples = packet.samples(rate.hz());
        if packet.lost {
            gap.push(samples);
            continue;
        }
        let started = Instant::now();
        if let Some(last) = gap.pop() {
            conceal(decoder, &mut heard, &gap, channels)?;
            gap.clear();
            let recovered = if has_redundancy(&packet.data) {
                decoder.recover(&packet.data, last as u32)?.filter(|pcm| pcm.len() == last * channels.count())
            } else {
                None
            };
            match recovered {
                Some(pcm) => {
                    heard.samples.extend(pcm);
                    heard.recovered += 1;
                }
                None => conceal(decoder, &mut heard, &[last], channels)?,
            }
        }
        match decoder.decode(&packet.data)?.filter(|pcm| pcm.len() == samples * channels.count()) {
            Some(pcm) => heard.samples.extend(pcm),
            None => {
                heard.undecodable += 1;
                heard.samples.extend(make_up(decoder, samples, channels)?);
            }
        }
        heard.times.push(started.elapsed());
    }
    conceal(decoder, &mut heard, &gap, channels)?;
    if heard.undecodable > 0 && heard.undecodable == stream.packets.iter().filter(|packet| !packet.lost).count() as u64
    {
        return Err(Error::NoneDecodes(heard.undecodable));
    }
    Ok(heard)
}

fn conceal(decoder: &mut impl Decode, heard: &mut Heard, gap: &[usize], channels: Channels) -> Result<(), Fault> {
    for &samples in gap {
        heard.samples.extend(make_up(decoder, samples, channels)?);
        heard.concealed += 1;
    }
    Ok(())
}

/// Concealment; silence where even that fails.
fn make_up(decoder: &mut impl Decode, samples: usize, channels: Channels) -> Result<Vec<i16>, Fault> {
    let mut pcm = decoder.conceal(samples as u32)?.unwrap_or_default();
    pcm.resize(samples * channels.count(), 0);
    Ok(pcm)
}

/// What is played: without the codec's delay at the start, with the gain applied, and of exactly `length` samples a
/// channel.
pub fn played(heard: &mut Heard, stream: &Stream, rate: SampleRate, channels: Channels, length: usize) -> Vec<i16> {
    let skip = at(stream.pre_skip.into(), rate.hz()) * channels.count();
    let mut samples = std::mem::take(&mut heard.samples);
    samples.drain(..skip.min(samples.len()));
    samples.resize(length * channels.count(), 0);
    if stream.gain != 0 {
        // RFC 7845 section 5.1: 20 log10, in steps of 1/256 dB.
        let factor = 10f64.powf(f64::from(stream.gain) / (20.0 * 256.0));
        // The cast saturates.
        samples.iter_mut().for_each(|sample| *sample = (f64::from(*sample) * factor).round() as i16);
    }
    samples
}

/// What was played of streams from one file.
#[derive(Debug)]
pub struct Played {
    /// All of it, one stream after the other.
    pub pcm: Pcm,
    /// Of each packet.
    pub times: Vec<Duration>,
    /// Packets that arrived, but could not be decoded: made up.
    pub undecodable: u64,
}

/// Plays streams from one file, one after the other, each through a fresh decoder.
///
/// # Errors
/// Those of `decoder`, and of [`decode`].
pub fn play<D: Decode, E: From<Error>>(
    links: &[Stream],
    (rate, channels): (SampleRate, Channels),
    watch: &dyn Watch,
    mut decoder: impl FnMut() -> Result<D, E>,
) -> Result<Played, E> {
    let (mut samples, mut times, mut undecodable) = (Vec::new(), Vec::new(), 0);
    for link in links {
        let mut heard = decode(&mut decoder()?, link, rate, channels, watch)?;
        undecodable += heard.undecodable;
        times.append(&mut heard.times);
        let length = at(link.length(), rate.hz());
        samples.append(&mut played(&mut heard, link, rate, channels, length));
    }
    let pcm = Pcm::new(rate.hz(), channels.count() as u8, samples).map_err(Error::from)?;
    Ok(Played { pcm, times, undecodable })
}

/// Whether the final range of a packet that arrived is not known.
#[must_use]
pub fn lacks_final_ranges(stream: &Stream) -> bool {
    stream.packets.iter().any(|packet| !packet.lost && packet.final_range == 0)
}

/// Fills in the final range of each packet: what the component's decoder arrives at. `decoder` is a fresh one at 48 kHz,
/// with the stream's channels.
///
/// # Errors
/// [`Error::Undecodable`]; [`Error::Fault`] where the guest fails; [`Error::Stopped`].
pub fn final_ranges(decoder: &mut impl Decode, stream: &mut Stream, watch: &dyn Watch) -> Result<(), Error> {
    let stage = Stage::new(watch, "checking", stream.packets.len() as u64);
    for (index, packet) in stream.packets.iter_mut().enumerate().filter(|(_, packet)| !packet.lost) {
        stage.step()?;
        decoder.decode(&packet.data)?.ok_or(Error::Undecodable(index))?;
        packet.final_range = decoder.final_range()?;
    }
    Ok(())
}
