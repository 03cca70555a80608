//! How a session does its work.

use super::event::Event;
use super::occupant::Stream;
use super::seat::{Seat, disbelieved};
use super::seated::answer_with;
use super::shared::Shared;
use super::work::{Datagrams, StreamWork};
use super::{PoolError, SessionStats};
use crate::{Error, Session, metrics};
use sidetone_session::Quality;
use std::sync::atomic::Ordering::Relaxed;

/// Datagrams after which a session's guest is asked how many of them shared keystream.
const LOOK_EVERY: u32 = 32;

/// Frames that are lost if the guest dies of this work.
pub(crate) fn stake(seat: &Seat<Stream>, work: &StreamWork) -> u32 {
    let at_stake = |samples| seat.occupant.mirror.at_stake(samples);
    match work {
        StreamWork::Send(pcm, ..) => at_stake(pcm.len()),
        StreamWork::Receive(..) | StreamWork::SendPayload(..) => 1 + at_stake(0),
        _ => at_stake(0),
    }
}

pub(crate) fn serve(seat: &mut Seat<Stream>, shared: &Shared, level: Quality, lost: u32, work: StreamWork) {
    match work {
        StreamWork::Receive(datagram, answer) => {
            let (result, shares_keystream) = match receive(seat, shared, lost, &datagram) {
                Ok((received, overlaps)) => (Ok(received), overlaps),
                Err(error) => (Err(error), 0),
            };
            if let Ok(received) = &result {
                seat.meta.tenant.concealed.add(received.concealed.into());
                seat.meta.concealed.fetch_add(received.concealed.into(), Relaxed);
            }
            count_overlaps(seat, shares_keystream);
            answer_with(seat, answer, result);
        }
        StreamWork::Send(pcm, timestamp, answer) => {
            let result = follow(seat, shared, level).and_then(|()| {
                seat.call(shared, lost, |session, stream| {
                    let sent = session.send(&pcm, timestamp).inspect_err(|error| stream.mirror.failed(error))?;
                    stream.mirror.sent(pcm.len(), &sent).map_err(disbelieved)?;
                    Ok(sent)
                })
            });
            answer_with(seat, answer, result);
        }
        StreamWork::SendPayload(payload, timestamp, answer) => {
            let result = seat.call(shared, lost, |session, stream| {
                let sent = session.send_payload(&payload, timestamp)?;
                stream.mirror.leaves(&sent).map_err(disbelieved)?;
                Ok(sent)
            });
            answer_with(seat, answer, result);
        }
        StreamWork::Flush(timestamp, answer) => {
            let result: Result<Datagrams, _> = seat.call(shared, lost, |session, stream| {
                let sent = session.flush(timestamp).inspect_err(|error| stream.mirror.failed(error))?;
                stream.mirror.sent(0, &sent).map_err(disbelieved)?;
                stream.mirror.emptied();
                Ok(sent)
            });
            answer_with(seat, answer, result);
        }
        StreamWork::Discard(answer) => {
            let result = seat.call(shared, 0, |session, stream| {
                session.discard()?;
                stream.mirror.emptied();
                Ok(())
            });
            drop(answer.send(result));
        }
        StreamWork::Pin(pin, answer) => {
            seat.meta.set_pin(pin);
            drop(answer.send(follow(seat, shared, level)));
        }
        StreamWork::Stats(answer) => drop(answer.send(stats(seat, shared, lost))),
        StreamWork::State(answer) => drop(answer.send(Ok(seat.occupant.mirror.state()))),
    }
}

/// Takes a datagram in; with what came of it, how many packets are newly known to share keystream.
fn receive(
    seat: &mut Seat<Stream>,
    shared: &Shared,
    lost: u32,
    datagram: &[u8],
) -> Result<(crate::Received, u64), PoolError> {
    seat.call(shared, lost, |session, stream| {
        let received = session.receive(datagram)?;
        stream.mirror.received(datagram, &received).map_err(disbelieved)?;
        stream.since_seen += 1;
        let overlaps = if stream.since_seen < LOOK_EVERY { 0 } else { new_overlaps(session, stream)? };
        Ok((received, overlaps))
    })
}

fn new_overlaps(session: &mut Session, stream: &mut Stream) -> Result<u64, Error> {
    let seen = session.stats()?.keystream_overlap;
    // No more than came: a guest may say anything.
    let most = u64::from(std::mem::take(&mut stream.since_seen));
    Ok(seen.saturating_sub(std::mem::replace(&mut stream.overlaps_seen, seen)).min(most))
}

fn count_overlaps(seat: &Seat<Stream>, overlaps: u64) {
    seat.meta.tenant.overlaps.add(overlaps);
    seat.meta.overlaps.fetch_add(overlaps, Relaxed);
}

fn stats(seat: &mut Seat<Stream>, shared: &Shared, lost: u32) -> Result<SessionStats, PoolError> {
    let (guest, overlaps) = seat.call(shared, lost, |session, stream| {
        let overlaps = new_overlaps(session, stream)?;
        Ok((session.stats()?, overlaps))
    })?;
    count_overlaps(seat, overlaps);
    seat.note_memory();
    Ok(SessionStats { guest, counts: seat.meta.counts(), quality: seat.occupant.quality })
}

/// The quality that the next frame is coded at, with the worker at `level`.
fn follow(seat: &mut Seat<Stream>, shared: &Shared, level: Quality) -> Result<(), PoolError> {
    let configured = seat.occupant.mirror.config().quality;
    let pin = seat.meta.pin().or(seat.meta.tenant.quota.pin);
    let (from, to) = (seat.occupant.quality, pin.unwrap_or_else(|| configured.min(level)));
    if from == to {
        return Ok(());
    }
    seat.call(shared, 1, |session, _| session.set_quality(to))?;
    seat.occupant.quality = to;
    let tenant = seat.meta.tenant.name.clone();
    metrics::QUALITY_CHANGES.counter(&[&tenant, word(from), word(to)]).increment(1);
    shared.sink.tell(&Event::Quality { session: seat.meta.id, tenant, from, to });
    Ok(())
}

/// A word for a quality, for metrics.
pub(crate) const fn word(quality: Quality) -> &'static str {
    match quality {
        Quality::Minimal => "minimal",
        Quality::Medium => "medium",
        Quality::Full => "full",
    }
}

/// Ends the session for its owner.
pub(crate) fn leave(seat: &mut Seat<Stream>, shared: &Shared) {
    let Some(mut session) = seat.leave(shared) else { return };
    if let Ok(overlaps) = new_overlaps(&mut session, &mut seat.occupant) {
        count_overlaps(seat, overlaps);
    }
    drop(session.close());
}
