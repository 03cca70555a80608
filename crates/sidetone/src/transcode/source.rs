//! Reads IN, whatever it is.

use super::stream::{Packet, Stream};
use crate::report::count;
use anyhow::{Context, Result, bail};
use sidetone_audio::ogg_opus::{Chain, Tags, packet_duration};
use sidetone_audio::{Error, Format, MAX_STREAM_BYTES, MAX_STREAM_SAMPLES, Pcm, bit, ogg_opus, shown, wav};
use sidetone_opus::Channels;
use sidetone_opus::packet::Toc;
use std::path::Path;

/// What `opus_demo` and every other program with libopus's defaults skip: 6.5 ms. A `.bit` file does not say.
const USUAL_PRE_SKIP: u16 = 312;

/// What was read.
pub(crate) enum Source {
    Clip(Pcm),
    Stream(Stream),
    /// Streams to be played one after the other: two or more.
    Chain(Vec<Stream>),
}

impl Source {
    /// Also says, to be told as a warning, what in the file was not read.
    pub(crate) fn read(path: &Path, format: Format) -> Result<(Self, Vec<String>)> {
        match format {
            Format::Wav => Ok((Self::Clip(wav::read(path)?), Vec::new())),
            Format::OggOpus => ogg(path),
            Format::Bit => Ok((Self::Stream(records(path)?), Vec::new())),
            other => bail!("{} is {other}, which cannot be transcoded", shown::path(path)),
        }
    }

    /// Rate (0: not known) and channels.
    pub(crate) fn shape(&self) -> (u32, u8) {
        match self {
            Self::Clip(pcm) => (pcm.rate, pcm.channels),
            Self::Stream(stream) => (stream.input_rate, stream.channels.count() as u8),
            Self::Chain(links) => {
                let (rate, channels) = shape(links);
                (rate, channels.count() as u8)
            }
        }
    }
}

/// Rate (0: not known) and channels that keep all there is in any of the links.
pub(crate) fn shape(links: &[Stream]) -> (u32, Channels) {
    let known = links.iter().all(|link| link.input_rate > 0);
    let rate = links.iter().map(|link| link.input_rate).max().filter(|_| known).unwrap_or(0);
    (rate, links.iter().map(|link| link.channels).max().unwrap_or(Channels::Mono))
}

fn ogg(path: &Path) -> Result<(Source, Vec<String>)> {
    let Chain { links, beside, end, unread } = ogg_opus::read_chain(path)?;
    let mut warnings = Vec::new();
    if !beside.is_empty() {
        let (name, beside) = (shown::path(path), beside.join(", "));
        warnings.push(format!("{name} also has streams that were not read, beside the first of Opus: {beside}"));
    }
    if unread > 0 {
        let (name, bytes) = (shown::path(path), count(unread, "byte"));
        warnings.push(format!("{name} goes on after its Ogg pages: {bytes} from byte {end} on were not read"));
    }
    let mut links = links.into_iter().map(link).collect::<Result<Vec<_>>>()?;
    let source = match (links.pop(), links.is_empty()) {
        (Some(only), true) => Source::Stream(only),
        (last, _) => {
            links.extend(last);
            Source::Chain(links)
        }
    };
    Ok((source, warnings))
}

fn link(stream: ogg_opus::Stream) -> Result<Stream> {
    let packets = stream.packets.into_iter();
    let packets = packets.map(|packet| Packet { data: packet.data, duration: packet.duration, ..Packet::default() });
    Ok(Stream {
        packets: packets.collect(),
        channels: Channels::try_from(u32::from(stream.head.channels))?,
        pre_skip: stream.head.pre_skip,
        played: Some(stream.samples),
        gain: stream.head.output_gain,
        input_rate: stream.head.input_rate,
        tags: stream.tags,
    })
}

/// Shortest packet, in samples at 48 kHz: what one that was lost lasted at least.
const SHORTEST: u32 = 120;

fn records(path: &Path) -> Result<Stream> {
    let too_long = || Error::TooLong { path: path.to_owned() };
    let mut packets = Vec::new();
    let (mut bytes, mut samples) = (0, 0);
    for (index, record) in bit::Reader::open(path)?.enumerate() {
        let record = record?;
        let lost = record.packet.is_empty();
        let duration = if lost { 0 } else { duration(path, index, &record.packet)? };
        bytes += record.packet.len() as u64;
        samples += u64::from(duration.max(SHORTEST));
        if bytes > MAX_STREAM_BYTES || samples > MAX_STREAM_SAMPLES {
            return Err(too_long().into());
        }
        packets.push(Packet {
            data: record.packet,
            duration,
            final_range: record.final_range,
            lost,
            ..Packet::default()
        });
    }
    // A lost packet was as long as the one before it, or, at the start, as the first that is there.
    let Some(mut last) = packets.iter().map(|packet| packet.duration).find(|&duration| duration > 0) else {
        bail!("{} holds no audio: every packet in it was lost", shown::path(path));
    };
    for packet in &mut packets {
        match packet.duration {
            0 => packet.duration = last,
            duration => last = duration,
        }
    }
    let stereo = packets.iter().any(|packet| packet.data.first().is_some_and(|&toc| is_stereo(toc)));
    let stream = Stream {
        packets,
        channels: if stereo { Channels::Stereo } else { Channels::Mono },
        pre_skip: 0,
        played: None,
        gain: 0,
        input_rate: 0,
        tags: Tags::default(),
    };
    // Only now it is known what the lost ones lasted.
    if stream.decoded() > MAX_STREAM_SAMPLES { Err(too_long().into()) } else { Ok(stream) }
}

fn duration(path: &Path, index: usize, packet: &[u8]) -> Result<u32> {
    packet_duration(packet)
        .with_context(|| format!("{} is no .bit file, or damaged: packet {index}", shown::path(path)))
}

fn is_stereo(toc: u8) -> bool {
    Toc(toc).channels() == Channels::Stereo
}

/// Packets from a `.bit` file, made ready for a file that has a pre-skip.
pub(crate) fn assume_pre_skip(stream: &mut Stream) {
    if stream.played.is_none() && stream.decoded() >= u64::from(USUAL_PRE_SKIP) {
        stream.pre_skip = USUAL_PRE_SKIP;
    }
}
