//! Reads IN, whatever it is.

use crate::text::count;
use crate::{Error, Packet, Stream};
use sidetone_audio::ogg_opus::{Chain, Tags, packet_duration};
use sidetone_audio::{
    Error as Unreadable, Format, MAX_STREAM_BYTES, MAX_STREAM_SAMPLES, Pcm, bit, ogg_opus, shown, wav,
};
use sidetone_opus::Channels;
use sidetone_opus::packet::Toc;
use std::path::Path;

/// What `opus_demo` and every other program with libopus's defaults skip: 6.5 ms. A `.bit` file does not say.
const USUAL_PRE_SKIP: u16 = 312;

/// What was read.
pub enum Source {
    /// PCM.
    Clip(Pcm),
    /// Packets.
    Stream(Stream),
    /// Streams to be played one after the other: two or more.
    Chain(Vec<Stream>),
}

impl Source {
    /// Reads a file of this format. Also says, to be told as a warning, what in the file was not read.
    ///
    /// # Errors
    /// [`Error::Audio`] and others: what is wrong with the file.
    pub fn read(path: &Path, format: Format) -> Result<(Self, Vec<String>), Error> {
        match format {
            Format::Wav => Ok((Self::Clip(wav::read(path)?), Vec::new())),
            Format::OggOpus => ogg(path),
            Format::Bit => Ok((Self::Stream(records(path)?), Vec::new())),
            format => Err(Error::Format { path: path.to_owned(), format }),
        }
    }

    /// Rate (0: not known) and channels.
    #[must_use]
    pub fn shape(&self) -> (u32, u8) {
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
#[must_use]
pub fn shape(links: &[Stream]) -> (u32, Channels) {
    let known = links.iter().all(|link| link.input_rate > 0);
    let rate = links.iter().map(|link| link.input_rate).max().filter(|_| known).unwrap_or(0);
    (rate, links.iter().map(|link| link.channels).max().unwrap_or(Channels::Mono))
}

fn ogg(path: &Path) -> Result<(Source, Vec<String>), Error> {
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
    let mut links = links.into_iter().map(link).collect::<Result<Vec<_>, Error>>()?;
    let source = match (links.pop(), links.is_empty()) {
        (Some(only), true) => Source::Stream(only),
        (last, _) => {
            links.extend(last);
            Source::Chain(links)
        }
    };
    Ok((source, warnings))
}

fn link(stream: ogg_opus::Stream) -> Result<Stream, Error> {
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

fn records(path: &Path) -> Result<Stream, Error> {
    let too_long = || Unreadable::TooLong { path: path.to_owned() };
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
        return Err(Error::AllLost(path.to_owned()));
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

fn duration(path: &Path, index: usize, packet: &[u8]) -> Result<u32, Error> {
    packet_duration(packet).map_err(|cause| Error::Record { path: path.to_owned(), index, cause })
}

fn is_stereo(toc: u8) -> bool {
    Toc(toc).channels() == Channels::Stereo
}

/// Packets from a `.bit` file, made ready for a file that has a pre-skip.
pub fn assume_pre_skip(stream: &mut Stream) {
    if stream.played.is_none() && stream.decoded() >= u64::from(USUAL_PRE_SKIP) {
        stream.pre_skip = USUAL_PRE_SKIP;
    }
}
