//! Archives of sealed datagrams under another key, without a look at the audio.
//!
//! Sequence numbers, connection ids and flags stay. Timestamps are raised where they are not above the one before, so
//! that no counter block is used twice under the new key, whatever the capture holds (firmware sends uplink with
//! timestamp 0, where packets share keystream). Of a key that seals one archive only, that is all there is to nonces;
//! [`plan`](crate::plan) refuses to seal two with one.

use crate::capture::{Reader, Writer};
use crate::codecs::{Codecs, patiently};
use crate::keys::{KeyName, Keys};
use crate::{Made, Problem};
use serde::{Deserialize, Serialize};
use sidetone_audio::ogg_opus::packet_duration;
use sidetone_audio::shown;
use sidetone_host::{Candidate, Key, PoolError};
use sidetone_packet::{Header, MAX_PAYLOAD};
use sidetone_transcode::Watch;
use std::collections::HashMap;
use std::path::Path;

/// The keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResealOptions {
    /// What the archive is sealed with.
    pub from: KeyName,
    /// What it is to be sealed with.
    pub to: KeyName,
}

/// Datagrams at the pool at a time.
const AT_ONCE: usize = 32;

/// Highest sequence number whose blocks do not carry into the timestamp.
const HIGHEST: u32 = u32::MAX - (MAX_PAYLOAD / 16) as u32;

/// Shows that a key is right: so many of a hundred payloads must be Opus of one duration. Of random bytes 1.2 % are.
const PLAUSIBLE: u64 = 50;

pub(super) fn perform(
    codecs: &Codecs<'_>,
    keys: Option<&Keys>,
    options: &ResealOptions,
    (input, output): (&Path, &Path),
    watch: &dyn Watch,
) -> Result<Made, Problem> {
    let keys = keys.ok_or_else(|| Problem::give_back("this worker has no keys; start it with --keys FOLDER"))?;
    if options.from.id == options.to.id {
        return Err(Problem::bury("the old key and the new one are the same; make a new one"));
    }
    let (old, new) = (keys.named(&options.from)?, keys.named(&options.to)?);
    let sealed = reseal(codecs, (&old, &new), (input, output), watch);
    for key in [&old, &new] {
        // Where it fails, the instance that had the key is gone.
        drop(codecs.pool.forget(codecs.tenant, key).wait());
    }
    let (made, plausible) = sealed?;
    if plausible * 100 < made.packets * PLAUSIBLE {
        return Err(Problem::bury(format!(
            "the key {} does not open {}: of {} datagrams {plausible} hold Opus; name the right one with --from-key",
            shown::text(&options.from.name),
            shown::path(input),
            made.packets
        )));
    }
    Ok(made)
}

fn reseal(
    codecs: &Codecs<'_>,
    (old, new): (&Key, &Key),
    (input, output): (&Path, &Path),
    watch: &dyn Watch,
) -> Result<(Made, u64), Problem> {
    let size = std::fs::metadata(input).map_err(|error| Problem::io("read", input, &error))?.len();
    let mut reader = Reader::open(input)?;
    let mut writer = Writer::create(output)?;
    let mut made = Made::default();
    let mut durations: HashMap<u32, u64> = HashMap::new();
    let mut last = None;
    watch.begin("resealing", size / (AT_ONCE as u64 * 128));
    loop {
        let mut datagrams = Vec::with_capacity(AT_ONCE);
        while datagrams.len() < AT_ONCE
            && let Some((_, datagram)) = reader.read()?
        {
            datagrams.push(datagram);
        }
        if datagrams.is_empty() {
            break;
        }
        let opened = all(codecs, &datagrams, |datagram| codecs.pool.open_packet(codecs.tenant, old, datagram.clone()))?;
        let mut sealing = Vec::with_capacity(opened.len());
        for Candidate { header, payload } in opened {
            if let Ok(duration) = packet_duration(&payload) {
                *durations.entry(duration).or_default() += 1;
            }
            sealing.push((renewed(header, &mut last)?, payload));
        }
        let seal =
            |(header, payload): &(Header, Vec<u8>)| codecs.pool.seal(codecs.tenant, new, *header, payload.clone());
        for datagram in all(codecs, &sealing, seal)? {
            made.bytes += (2 + datagram.len()) as u64;
            made.packets += 1;
            writer.write(&datagram)?;
        }
        if !watch.step() {
            return Err(Problem::stopped());
        }
    }
    watch.end();
    if made.packets == 0 {
        return Err(Problem::bury(format!("{} holds no datagram", shown::path(input))));
    }
    writer.finish()?;
    let seconds = durations.iter().map(|(duration, count)| u64::from(*duration) * count).sum::<u64>();
    made.audio_seconds = seconds as f64 / 48_000.0;
    Ok((made, durations.values().copied().max().unwrap_or(0)))
}

/// The header under the new key: with a timestamp above the last.
fn renewed(header: Header, last: &mut Option<u32>) -> Result<Header, Problem> {
    let lowest = match *last {
        None => Some(0),
        Some(last) => last.checked_add(1),
    };
    let timestamp = lowest.map(|lowest| header.timestamp.max(lowest)).filter(|_| header.sequence <= HIGHEST);
    let timestamp = timestamp.ok_or_else(|| {
        let Header { sequence, timestamp, .. } = header;
        Problem::bury(format!("numbers run out at sequence {sequence}, timestamp {timestamp}; split the archive there"))
    })?;
    *last = Some(timestamp);
    Ok(Header { timestamp, ..header })
}

/// Asks for all at once, and again for what the quota refused.
fn all<I, T>(
    codecs: &Codecs<'_>,
    items: &[I],
    ask: impl Fn(&I) -> sidetone_host::pool::Reply<T>,
) -> Result<Vec<T>, Problem> {
    let asked: Vec<_> = items.iter().map(&ask).collect();
    let mut answers = Vec::with_capacity(items.len());
    for (reply, item) in asked.into_iter().zip(items) {
        answers.push(match reply.wait() {
            Err(PoolError::Refused(_) | PoolError::Busy { .. }) => patiently(codecs.stop, || ask(item)),
            answer => answer,
        });
    }
    codecs.stop.check()?;
    Ok(answers.into_iter().collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_datagrams_share_a_timestamp_under_the_new_key() {
        let mut last = None;
        let mut renew = |sequence, timestamp| {
            let header = Header { sequence, timestamp, ..Header::default() };
            renewed(header, &mut last).map(|header| (header.sequence, header.timestamp))
        };
        assert_eq!(renew(1, 0).unwrap(), (1, 0));
        assert_eq!(renew(2, 0).unwrap(), (2, 1));
        assert_eq!(renew(2, 0).unwrap(), (2, 2), "the same once more is another packet");
        assert_eq!(renew(3, 180).unwrap(), (3, 180));
        assert_eq!(renew(4, 60).unwrap(), (4, 181), "late");
        assert!(renew(u32::MAX - 63, 500).unwrap_err().reason.starts_with("numbers run out at sequence 4294967232"));
        assert_eq!(renew(5, u32::MAX).unwrap(), (5, u32::MAX));
        assert!(renew(6, 0).is_err());
    }
}
