//! Packets to PCM, by the component, and the cut that makes of it what a listener hears.

use super::stream::{Stream, at};
use crate::progress::Progress;
use crate::report::Times;
use crate::sandbox::Sandbox;
use anyhow::{Context, Result, bail};
use sidetone_host::{Decoder, Error};
use sidetone_opus::packet::has_redundancy;
use sidetone_opus::{Channels, SampleRate};
use std::time::Instant;

/// What came of decoding.
#[derive(Default)]
pub(crate) struct Heard {
    /// Interleaved.
    pub(crate) samples: Vec<i16>,
    pub(crate) times: Times,
    /// Of the packets lost: made up, recovered from the one after, left silent.
    pub(crate) concealed: u64,
    pub(crate) recovered: u64,
    pub(crate) silent: u64,
    /// Arrived, but could not be decoded: made up.
    pub(crate) undecodable: u64,
}

/// Decodes what arrives. A gap is filled when it is known what follows it, which may carry the last packet of the gap
/// once more.
pub(crate) fn decode(sandbox: &Sandbox, stream: &Stream, rate: SampleRate, channels: Channels) -> Result<Heard> {
    let mut decoder = sandbox.decoder(rate, channels)?;
    let mut heard = Heard::default();
    let mut gap = Vec::new();
    let progress = Progress::new("decoding", stream.packets.len() as u64);
    for packet in &stream.packets {
        progress.step();
        let samples = packet.samples(rate.hz());
        if packet.lost {
            gap.push(samples);
            continue;
        }
        let started = Instant::now();
        if let Some(last) = gap.pop() {
            conceal(&mut decoder, &mut heard, &gap, channels)?;
            gap.clear();
            let recovered = if has_redundancy(&packet.data) {
                survived(decoder.recover(&packet.data, last as u32))?.filter(|pcm| pcm.len() == last * channels.count())
            } else {
                None
            };
            match recovered {
                Some(pcm) => {
                    heard.samples.extend(pcm);
                    heard.recovered += 1;
                }
                None => conceal(&mut decoder, &mut heard, &[last], channels)?,
            }
        }
        match survived(decoder.decode(&packet.data))?.filter(|pcm| pcm.len() == samples * channels.count()) {
            Some(pcm) => heard.samples.extend(pcm),
            None => {
                heard.undecodable += 1;
                heard.samples.extend(make_up(&mut decoder, samples, channels)?);
            }
        }
        heard.times.add(started.elapsed());
    }
    conceal(&mut decoder, &mut heard, &gap, channels)?;
    if heard.undecodable > 0 && heard.undecodable == stream.packets.iter().filter(|packet| !packet.lost).count() as u64
    {
        bail!("none of the {} packets can be decoded; this is no Opus, or it is damaged", heard.undecodable);
    }
    Ok(heard)
}

fn conceal(decoder: &mut Decoder, heard: &mut Heard, gap: &[usize], channels: Channels) -> Result<()> {
    for &samples in gap {
        heard.samples.extend(make_up(decoder, samples, channels)?);
        heard.concealed += 1;
    }
    Ok(())
}

/// Concealment; silence where even that fails.
fn make_up(decoder: &mut Decoder, samples: usize, channels: Channels) -> Result<Vec<i16>> {
    let mut pcm = survived(decoder.conceal(samples as u32))?.unwrap_or_default();
    pcm.resize(samples * channels.count(), 0);
    Ok(pcm)
}

/// A packet that the guest refuses is damaged; a guest that failed is a fault of ours.
fn survived<T>(result: Result<T, Error>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_fatal() => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// What is played: without the codec's delay at the start, with the gain applied, and of exactly `length` samples a
/// channel.
pub(crate) fn played(
    heard: &mut Heard,
    stream: &Stream,
    rate: SampleRate,
    channels: Channels,
    length: usize,
) -> Vec<i16> {
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

/// Fills in the final range of each packet, where the file it came from did not tell: what the component's decoder
/// arrives at.
pub(crate) fn final_ranges(sandbox: &Sandbox, stream: &mut Stream) -> Result<()> {
    let unknown = |stream: &Stream| stream.packets.iter().any(|packet| !packet.lost && packet.final_range == 0);
    if !unknown(stream) {
        return Ok(());
    }
    let mut decoder = sandbox.decoder(SampleRate::Hz48000, stream.channels)?;
    for (index, packet) in stream.packets.iter_mut().enumerate().filter(|(_, packet)| !packet.lost) {
        decoder.decode(&packet.data).with_context(|| format!("packet {index} cannot be decoded"))?;
        packet.final_range = decoder.final_range()?;
    }
    Ok(())
}
