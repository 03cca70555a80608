//! Reads IN, whatever it is.

use super::stream::{Packet, Stream};
use anyhow::{Context, Result, bail};
use sidetone_audio::ogg_opus::{Tags, packet_duration};
use sidetone_audio::{Format, Pcm, bit, ogg_opus, wav};
use sidetone_opus::Channels;
use sidetone_opus::packet::Toc;
use std::path::Path;

/// What `opus_demo` and every other program with libopus's defaults skip: 6.5 ms. A `.bit` file does not say.
const USUAL_PRE_SKIP: u16 = 312;

/// What was read.
pub(crate) enum Source {
    Clip(Pcm),
    Stream(Stream),
}

impl Source {
    pub(crate) fn read(path: &Path, format: Format) -> Result<Self> {
        match format {
            Format::Wav => Ok(Self::Clip(wav::read(path)?)),
            Format::OggOpus => ogg(path).map(Self::Stream),
            Format::Bit => records(path).map(Self::Stream),
            other => bail!("{} is {other}, which cannot be transcoded", path.display()),
        }
    }

    /// Rate (0: not known) and channels.
    pub(crate) fn shape(&self) -> (u32, u8) {
        match self {
            Self::Clip(pcm) => (pcm.rate, pcm.channels),
            Self::Stream(stream) => (stream.input_rate, stream.channels.count() as u8),
        }
    }
}

fn ogg(path: &Path) -> Result<Stream> {
    let stream = ogg_opus::read(path)?;
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

fn records(path: &Path) -> Result<Stream> {
    let mut packets = Vec::new();
    for (index, record) in bit::read(path)?.into_iter().enumerate() {
        let lost = record.packet.is_empty();
        let duration = if lost { 0 } else { duration(path, index, &record.packet)? };
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
        bail!("{} holds no audio: every packet in it was lost", path.display());
    };
    for packet in &mut packets {
        match packet.duration {
            0 => packet.duration = last,
            duration => last = duration,
        }
    }
    let stereo = packets.iter().any(|packet| packet.data.first().is_some_and(|&toc| is_stereo(toc)));
    Ok(Stream {
        packets,
        channels: if stereo { Channels::Stereo } else { Channels::Mono },
        pre_skip: 0,
        played: None,
        gain: 0,
        input_rate: 0,
        tags: Tags::default(),
    })
}

fn duration(path: &Path, index: usize, packet: &[u8]) -> Result<u32> {
    packet_duration(packet).with_context(|| format!("{} is no .bit file, or damaged: packet {index}", path.display()))
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
