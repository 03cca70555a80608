//! The sealed way: a device's session seals, a gateway's session opens, both in instances of the component.
//!
//! A session negotiates one frame duration. Packets of several (the last one of many files is shorter) go through the
//! component's packet interface instead, which does not look inside.
//!
//! The key goes to the component and nowhere else.

use crate::progress::Progress;
use crate::report::Times;
use crate::sandbox::Sandbox;
use anyhow::{Context, Result, anyhow, bail};
use sidetone_host::{Error, Key, SealError, SendError, Session};
use sidetone_opus::{Bandwidth, Bitrate, Channels, FrameDuration, SampleRate};
use sidetone_packet::{Direction, MAX_PAYLOAD};
use sidetone_session::{Config, Delivery, Kind, Quality};
use sidetone_transcode::decode::Heard;
use sidetone_transcode::{CLOCK, Settings, Stream};
use std::time::Instant;

/// Any will do: the call begins and ends here.
const CONNECTION: u32 = 1;

/// Audio that a gap is filled up with, in µs. What is missing beyond it stays silent, as concealment would fade it out.
const MOST_CONCEALED: u32 = 1_000_000;

/// Whether a session can encode with these settings. Where its quality steps cannot express them, the encoder works by
/// itself, and a session seals what it made.
pub(super) fn speaks(settings: &Settings) -> bool {
    quality(settings).is_some()
}

/// A device's session that encodes with these settings.
pub(super) fn speaker(sandbox: &Sandbox, key: &Key, settings: &Settings) -> Result<Session> {
    let codec = &settings.codec;
    let mut config = device(settings.frame, codec.channels, codec.rate);
    config.quality = quality(settings).context("no quality step of a session has these settings")?;
    config.outgoing.application = codec.application;
    config.outgoing.bitrate = codec.bitrate;
    config.outgoing.vbr = codec.vbr;
    config.outgoing.dtx = codec.dtx;
    config.outgoing.fec = codec.fec;
    config.outgoing.expected_loss = codec.expected_loss;
    config.outgoing.signal = codec.signal;
    config.outgoing.split = codec.split;
    sandbox.session(key, &config)
}

/// The step that leaves all settings as they are.
fn quality(settings: &Settings) -> Option<Quality> {
    let codec = &settings.codec;
    Quality::ALL.into_iter().find(|quality| {
        let unlimited = |band: Bandwidth| band.hz().min(codec.rate.hz() / 2);
        quality.complexity().get() == codec.complexity
            && unlimited(quality.max_bandwidth()) == unlimited(codec.max_bandwidth)
            && quality.bitrate(codec.bitrate, codec.channels) == codec.bitrate
    })
}

/// Refuses a bitrate whose packets cannot be sealed.
pub(super) fn fits(settings: &Settings) -> Result<()> {
    let Bitrate::BitsPerSecond(bits) = settings.codec.bitrate else { return Ok(()) };
    let (bytes, micros) = (u64::from(bits) * u64::from(settings.frame.micros()) / 8_000_000, settings.frame.micros());
    if bytes <= MAX_PAYLOAD as u64 {
        return Ok(());
    }
    bail!(
        "a sealed packet holds {MAX_PAYLOAD} bytes, {bits} bits/s in frames of {} ms need {bytes}; lower --bitrate or \
         shorten --frame",
        f64::from(micros) / 1000.0
    )
}

fn device(frame: FrameDuration, channels: Channels, rate: SampleRate) -> Config {
    let mut config = Config::device(CONNECTION);
    config.outgoing.frame = frame;
    config.outgoing.channels = channels;
    config.outgoing.rate = rate;
    config.incoming.max_concealed = 0;
    config
}

fn gateway(frame: FrameDuration, channels: Channels, rate: SampleRate, delivery: Delivery) -> Config {
    let mut config = Config::gateway(CONNECTION);
    config.incoming.frame = frame;
    config.incoming.channels = channels;
    config.incoming.rate = rate;
    config.incoming.delivery = delivery;
    config.incoming.max_concealed = (MOST_CONCEALED / frame.micros()).min(u8::MAX.into()) as u8;
    // A gap here is one that was asked for, however long.
    config.incoming.forward_limit = u32::MAX;
    config
}

/// Encodes and seals one frame.
pub(super) fn send(device: &mut Session, pcm: &[i16], index: usize, frame: FrameDuration) -> Result<Vec<u8>> {
    let sent = device.send(pcm, timestamp(index, frame)).map_err(|error| refused(index, error))?;
    let [datagram] = <[Vec<u8>; 1]>::try_from(sent)
        .map_err(|sent| anyhow!("frame {index} made {} datagrams, where one was due", sent.len()))?;
    Ok(datagram)
}

fn timestamp(index: usize, frame: FrameDuration) -> u32 {
    u32::try_from(index as u64 * u64::from(frame.micros()) / 1000).unwrap_or(u32::MAX)
}

fn refused(index: usize, error: Error) -> anyhow::Error {
    match error {
        Error::Seal(SealError::PayloadSize(bytes)) | Error::Send(SendError::Seal(SealError::PayloadSize(bytes))) => {
            anyhow!(
                "packet {index} has {bytes} bytes and a sealed packet holds 1 to {MAX_PAYLOAD}; lower --bitrate or \
                 shorten --frame"
            )
        }
        error => anyhow::Error::new(error).context(format!("packet {index} was not sealed")),
    }
}

/// Seals a payload with a timestamp; by a session, or by a sealer alone where packets differ in duration.
type Seal = dyn FnMut(&[u8], u32) -> Result<Vec<u8>, Error>;

/// Opens a datagram, in the same two ways.
type Open = dyn FnMut(&[u8]) -> Result<Vec<u8>, Error>;

/// Seals packets that are there already.
pub(super) fn seal(sandbox: &Sandbox, key: &Key, stream: &mut Stream) -> Result<Times> {
    let mut seal: Box<Seal> = match stream.frame() {
        Some(frame) => {
            let mut device = sandbox.session(key, &device(frame, stream.channels, SampleRate::Hz48000))?;
            Box::new(move |payload, timestamp| device.send_payload(payload, timestamp))
        }
        None => {
            let mut sealer = sandbox.sealer(key, CONNECTION, Direction::Uplink)?;
            Box::new(move |payload, timestamp| sealer.seal(timestamp, payload))
        }
    };
    let mut times = Times::default();
    let mut position = 0;
    let progress = Progress::new("sealing", stream.packets.len() as u64);
    for (index, packet) in stream.packets.iter_mut().enumerate() {
        // A packet that was lost before still had a sequence number: by that the gateway sees the gap.
        let payload = if packet.data.is_empty() { &[0][..] } else { &packet.data };
        let timestamp = u32::try_from(position * 1000 / u64::from(CLOCK)).unwrap_or(u32::MAX);
        let started = Instant::now();
        packet.datagram = seal(payload, timestamp).map_err(|error| refused(index, error))?;
        times.add(started.elapsed());
        position += u64::from(packet.duration);
        progress.step();
    }
    Ok(times)
}

/// Opens and decodes what arrives of packets of one duration.
pub(super) fn hear(
    sandbox: &Sandbox,
    key: &Key,
    stream: &Stream,
    frame: FrameDuration,
    rate: SampleRate,
    channels: Channels,
) -> Result<Heard> {
    // Negotiated are the channels on the wire; a decoder makes of them what it is asked for.
    let negotiated = stream.channels.max(channels);
    let mut gateway = sandbox.session(key, &gateway(frame, negotiated, rate, Delivery::Pcm))?;
    let size = frame.samples(rate) * negotiated.count();
    let mut heard = Heard { samples: vec![0; size * stream.packets.len()], ..Heard::default() };
    let progress = Progress::new("decoding", stream.packets.len() as u64);
    for (index, packet) in stream.packets.iter().enumerate() {
        progress.step();
        if packet.lost {
            continue;
        }
        let started = Instant::now();
        let received = gateway.receive(&packet.datagram).with_context(|| format!("packet {index} was not opened"))?;
        heard.times.push(started.elapsed());
        // By its number, not by what came before: the first packets may be missing, and what was not made up stays
        // silent.
        let own = usize::from(received.kind == Kind::Audio || received.kind == Kind::Undecodable);
        let end = (received.sequence as usize - 1 + own) * size;
        let place = end.checked_sub(received.samples.len()).and_then(|start| heard.samples.get_mut(start..end));
        place
            .with_context(|| format!("packet {index} came out in the wrong place"))?
            .copy_from_slice(&received.samples);
    }
    let stats = gateway.stats()?;
    gateway.close()?;
    heard.concealed = stats.concealed;
    heard.recovered = stats.recovered;
    heard.undecodable = stats.undecodable;
    let lost = stream.packets.iter().filter(|packet| packet.lost).count() as u64;
    heard.silent = lost.saturating_sub(stats.concealed + stats.recovered);
    if negotiated != channels {
        heard.samples = heard.samples.chunks_exact(2).map(|pair| pair[0].midpoint(pair[1])).collect();
    }
    Ok(heard)
}

/// Opens what arrives, and puts the packets back that come out.
pub(super) fn open(sandbox: &Sandbox, key: &Key, stream: &mut Stream) -> Result<Times> {
    let mut open: Box<Open> = match stream.frame() {
        Some(frame) => {
            let config = gateway(frame, stream.channels, SampleRate::Hz48000, Delivery::Packets);
            let mut gateway = sandbox.session(key, &config)?;
            Box::new(move |datagram| Ok(gateway.receive(datagram)?.payload))
        }
        None => {
            let mut opener = sandbox.opener(key, CONNECTION, Direction::Uplink)?;
            Box::new(move |datagram| {
                let opened = opener.decrypt(datagram)?;
                opener.accept(opened.header.sequence)?;
                Ok(opened.payload)
            })
        }
    };
    let mut times = Times::default();
    let progress = Progress::new("opening", stream.packets.len() as u64);
    for (index, packet) in stream.packets.iter_mut().enumerate() {
        progress.step();
        if packet.lost {
            continue;
        }
        let started = Instant::now();
        packet.data = open(&packet.datagram).with_context(|| format!("packet {index} was not opened"))?;
        times.add(started.elapsed());
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sidetone_host::EncoderConfig;

    #[test]
    fn a_session_encodes_only_where_it_changes_no_setting() {
        let voice = EncoderConfig::voice(SampleRate::Hz16000, Channels::Mono);
        let step = |codec| quality(&Settings { codec, frame: FrameDuration::Ms60 });
        let bitrate = Bitrate::BitsPerSecond;
        assert_eq!(step(voice), Some(Quality::Full));
        assert_eq!(step(EncoderConfig { bitrate: bitrate(64_000), ..voice }), Some(Quality::Full));
        assert_eq!(step(EncoderConfig { complexity: 0, bitrate: bitrate(16_000), ..voice }), Some(Quality::Minimal));
        assert_eq!(step(EncoderConfig { complexity: 5, bitrate: bitrate(24_000), ..voice }), Some(Quality::Medium));
        for other in [
            EncoderConfig { complexity: 9, ..voice },
            EncoderConfig { complexity: 0, ..voice },
            EncoderConfig { complexity: 5, bitrate: bitrate(24_001), ..voice },
            EncoderConfig { max_bandwidth: Bandwidth::Narrow, ..voice },
        ] {
            assert_eq!(step(other), None, "{other:?}");
        }
    }
}
