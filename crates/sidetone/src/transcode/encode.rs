//! PCM to packets by an encoder, or by a session that seals them in the same call.

use super::sealed;
use crate::progress::Watched;
use crate::report::Times;
use crate::sandbox::Sandbox;
use anyhow::{Context, Result};
use sidetone_host::{Encoder, Key, Session};
use sidetone_transcode::encode::{Clip, encode_with};
use sidetone_transcode::{Packet, Settings, Stream, duration_of};
use std::time::Instant;

/// What came of encoding.
pub(crate) struct Encoded {
    pub(crate) stream: Stream,
    pub(crate) times: Times,
    /// The packets were sealed in the same calls.
    pub(crate) sealed: bool,
}

/// What makes packets.
enum Coder {
    Encoder(Encoder),
    /// It seals them in the same call.
    Session(Session),
}

/// Encodes a clip. Where the packets are only to be heard, and a session can do it with these settings, encoding and
/// sealing is one call.
pub(crate) fn encode(
    sandbox: &Sandbox,
    clip: &Clip,
    settings: &Settings,
    key: Option<&Key>,
    only_heard: bool,
) -> Result<Encoded> {
    let mut encoder = sandbox.encoder(&settings.codec)?;
    let lookahead = encoder.lookahead()?;
    let mut coder = match key {
        Some(key) if only_heard && sealed::speaks(settings) => {
            // It told the look-ahead, and makes room for the session.
            drop(encoder);
            Coder::Session(sealed::speaker(sandbox, key, settings)?)
        }
        _ => Coder::Encoder(encoder),
    };
    let mut times = Times::default();
    let stream = encode_with(clip, settings, lookahead, &Watched::default(), |index, pcm| -> Result<Packet> {
        let started = Instant::now();
        let mut packet = Packet { duration: duration_of(settings.frame), ..Packet::default() };
        match &mut coder {
            Coder::Session(session) => packet.datagram = sealed::send(session, pcm, index, settings.frame)?,
            Coder::Encoder(encoder) => {
                packet.data = encoder.encode(pcm).with_context(|| format!("frame {index} was not encoded"))?;
            }
        }
        times.add(started.elapsed());
        if let Coder::Encoder(encoder) = &mut coder {
            packet.final_range = encoder.final_range()?;
        }
        Ok(packet)
    })?;
    let sealed = matches!(coder, Coder::Session(_));
    if let Coder::Session(session) = coder {
        session.close()?;
    }
    Ok(Encoded { stream, times, sealed })
}
