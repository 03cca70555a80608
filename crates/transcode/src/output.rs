//! Writes OUT: whole or not at all.

use crate::watch::Stage;
use crate::{CLOCK, Error, Stream, Watch};
use sha2::{Digest, Sha256};
use sidetone_audio::ogg_opus::{self, Head};
use sidetone_audio::output::AtomicFile;
use sidetone_audio::{Error as Unwritable, Pcm, bit, wav};
use sidetone_opus::packet::Packet as Parsed;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Refuses, before any work is done, to write over IN or where nothing can be written.
///
/// # Errors
/// Why OUT cannot be written.
pub fn check(input: &Path, output: &Path) -> Result<(), Error> {
    if let (Ok(from), Ok(to)) = (fs::canonicalize(input), fs::canonicalize(output))
        && from == to
    {
        return Err(Error::Overwrites(output.to_owned()));
    }
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.exists() {
        return Err(Error::NoFolder { path: output.to_owned(), folder: folder.to_owned() });
    }
    AtomicFile::create(output).map(drop).map_err(refusal)
}

/// Without the name of the temporary file, which the system's error carries and which means nothing to anybody.
fn refusal(error: Unwritable) -> Error {
    match error {
        Unwritable::Io { path, cause, .. } if cause.kind() == ErrorKind::NotFound && path.is_symlink() => {
            Error::DeadLink(path)
        }
        Unwritable::Io { action, path, cause } => Error::Refused { action, path, kind: cause.kind() },
        other => other.into(),
    }
}

/// Samples written between two looks at whether to go on.
const PIECE: usize = 1 << 16;

/// Writes a clip as a WAV file of 16 bits.
///
/// # Errors
/// [`Error::Audio`], [`Error::Stopped`]: nothing is left of it.
pub fn wav(path: &Path, pcm: &Pcm, watch: &dyn Watch) -> Result<(), Error> {
    let mut file = wav::Writer::create(path, pcm.rate, pcm.channels)?;
    let pieces = pcm.samples.chunks(PIECE * usize::from(pcm.channels));
    let stage = Stage::new(watch, "writing", pieces.len() as u64);
    for piece in pieces {
        file.write(piece)?;
        stage.step()?;
    }
    Ok(file.finish()?)
}

/// Writes packets as `opus_demo` does: those lost as records without a packet.
///
/// # Errors
/// As [`wav()`].
pub fn bit(path: &Path, stream: &Stream, watch: &dyn Watch) -> Result<(), Error> {
    let mut file = bit::Writer::create(path)?;
    let stage = Stage::new(watch, "writing", stream.packets.len() as u64);
    for packet in &stream.packets {
        if packet.lost {
            file.write(&[], 0)?;
        } else {
            file.write(&packet.data, packet.final_range)?;
        }
        stage.step()?;
    }
    Ok(file.finish()?)
}

/// Writes an Ogg Opus file. In place of each packet lost stands one that says no more than how long it was, which
/// makes decoders conceal (RFC 7845 section 4.1).
///
/// # Errors
/// As [`wav()`].
pub fn ogg(path: &Path, stream: &Stream, watch: &dyn Watch) -> Result<(), Error> {
    let head = Head {
        channels: stream.channels.count() as u8,
        pre_skip: stream.pre_skip,
        input_rate: stream.input_rate,
        output_gain: stream.gain,
    };
    // Only the last page may be trimmed: packets of which nothing is played are left out.
    let end = stream.played.map_or(u64::MAX, |played| played + u64::from(stream.pre_skip));
    let mut start = 0;
    let used = stream.packets.iter().take_while(|packet| {
        let used = start < end || start == 0;
        start += u64::from(packet.duration);
        used
    });
    let packets: Vec<Vec<u8>> = used.enumerate().map(|(index, packet)| content(stream, index, packet.lost)).collect();
    let mut file = ogg_opus::Writer::create(path, serial(&packets), &head, &stream.tags)?;
    let stage = Stage::new(watch, "writing", packets.len() as u64);
    for packet in &packets {
        file.write(packet)?;
        stage.step()?;
    }
    Ok(file.finish(stream.played)?)
}

fn content(stream: &Stream, index: usize, lost: bool) -> Vec<u8> {
    let packet = &stream.packets[index];
    if !lost {
        return packet.data.clone();
    }
    // One that was lost before this program saw it is taken to have been like its neighbour.
    let neighbours = stream.packets[..index].iter().rev().chain(&stream.packets[index..]);
    let like = std::iter::once(packet).chain(neighbours).find(|packet| !packet.data.is_empty());
    like.map_or_else(Vec::new, |like| filler(&like.data))
}

/// A packet like another one, but with nothing in its frames.
fn filler(packet: &[u8]) -> Vec<u8> {
    let (toc, frames) =
        (packet.first().map_or(0, |toc| toc & 0xfc), Parsed::parse(packet).map_or(1, |p| p.frame_count()));
    if frames == 1 { vec![toc] } else { vec![toc | 3, frames as u8] }
}

/// A number for the stream that is the same for the same packets, and so the file too, and most likely another for
/// others.
fn serial(packets: &[Vec<u8>]) -> u32 {
    let mut hash = Sha256::new();
    packets.iter().for_each(|packet| hash.update(packet));
    hash.finalize().iter().take(4).fold(0, |serial, &byte| serial << 8 | u32::from(byte))
}

/// Seconds of samples at 48 kHz.
#[must_use]
pub fn seconds(samples: u64) -> f64 {
    samples as f64 / f64::from(CLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filler_lasts_as_long_as_the_packet_it_stands_for() {
        for packet in [&[0x58, 1, 2][..], &[0x59, 1, 2], &[0x5a, 1, 7, 8], &[0x7b, 3, 1, 2, 3], &[0xfc, 9]] {
            let duration = ogg_opus::packet_duration(packet).unwrap();
            let filler = filler(packet);
            assert_eq!(ogg_opus::packet_duration(&filler).unwrap(), duration, "{packet:?}");
            assert!(Parsed::parse(&filler).unwrap().frames().all(|frame| frame.is_empty()));
            assert_eq!(filler[0] & 0xfc, packet[0] & 0xfc);
        }
    }
}
