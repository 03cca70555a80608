//! The sessions of one worker, and how each kind of work is done.

use super::seat::{Seat, disbelieved};
use super::session::SessionStats;
use super::shared::Shared;
use super::work::{Datagrams, Work};
use super::worker::Worker;
use super::{PoolError, RestartCause, Shed};
use crate::Error;
use sidetone_session::Quality;
use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

#[derive(Default)]
pub(crate) struct Seats {
    by_lane: HashMap<usize, Seat>,
    /// Step of the worker's ladder.
    pub(crate) level: Quality,
    /// A tenant, and the guest time it still owes the queue.
    pub(crate) owed: Option<(usize, Duration)>,
    /// Being served, and the frames at stake: what a panic loses.
    serving: Option<(usize, u32)>,
}

impl Seats {
    /// Does one piece of work and answers it. `false`: it was too old.
    pub(crate) fn serve(&mut self, worker: &Worker, lane: usize, waited: Duration, work: Work) -> bool {
        let shared = &*worker.shared;
        let work = match work {
            Work::Open { key, config, session, answer } => {
                let opened = Seat::open(session.meta.clone(), key, config, shared);
                let result = opened.map(|seat| {
                    self.by_lane.insert(lane, seat);
                    session
                });
                // Where nobody waits any more, dropping the session closes it.
                drop(answer.send(result));
                return true;
            }
            work => work,
        };
        let Some(seat) = self.by_lane.get_mut(&lane) else {
            work.refuse(PoolError::Lost);
            return true;
        };
        if work.is_audio() && waited > seat.meta.worth[usize::from(!matches!(work, Work::Receive(..)))] {
            let meta = seat.meta.clone();
            meta.shed(work, waited, Shed::Stale);
            return false;
        }
        self.serving = Some((lane, stake(seat, &work)));
        serve_seat(seat, shared, self.level, work);
        self.serving = None;
        true
    }

    /// Charges a session's tenant, in its quota and in the queue, for guest time.
    pub(crate) fn charge(&mut self, lane: usize, tenant: usize, took: Duration) {
        if let Some(seat) = self.by_lane.get(&lane) {
            seat.meta.tenant.charge(took);
        }
        self.owed = Some((tenant, took));
    }

    /// The owner closed the session, if it was ever open.
    pub(crate) fn close(&mut self, lane: usize) {
        if let Some(seat) = self.by_lane.remove(&lane) {
            seat.leave();
        }
    }

    /// The thread panicked. The session that was being served is opened again; the others were not touched.
    pub(crate) fn survive_panic(&mut self, shared: &Shared) {
        let Some((lane, lost)) = self.serving.take() else { return };
        if let Some(seat) = self.by_lane.get_mut(&lane) {
            seat.restart(shared, RestartCause::HostPanic, lost);
        }
    }

    /// The pool is shut down.
    pub(crate) fn leave_all(&mut self) {
        self.by_lane.drain().for_each(|(_, seat)| seat.leave());
    }
}

/// Frames that are lost if the guest dies of this work.
fn stake(seat: &Seat, work: &Work) -> u32 {
    match work {
        Work::Send(pcm, ..) => seat.mirror.at_stake(pcm.len()),
        Work::Receive(..) | Work::SendPayload(..) => 1 + seat.mirror.at_stake(0),
        _ => seat.mirror.at_stake(0),
    }
}

fn serve_seat(seat: &mut Seat, shared: &Shared, level: Quality, work: Work) {
    let lost = stake(seat, &work);
    match work {
        Work::Receive(datagram, answer) => {
            let result = seat.call(shared, lost, |session, mirror| {
                let received = session.receive(&datagram)?;
                mirror.received(&datagram, &received).map_err(disbelieved)?;
                Ok(received)
            });
            if let Ok(received) = &result {
                seat.meta.tenant.concealed.add(received.concealed.into());
            }
            answer_with(seat, answer, result);
        }
        Work::Send(pcm, timestamp, answer) => {
            let result = seat.follow(shared, level).and_then(|()| {
                seat.call(shared, lost, |session, mirror| {
                    let sent = session.send(&pcm, timestamp)?;
                    mirror.sent(pcm.len(), &sent).map_err(disbelieved)?;
                    Ok(sent)
                })
            });
            answer_with(seat, answer, result);
        }
        Work::SendPayload(payload, timestamp, answer) => {
            let result = seat.call(shared, lost, |session, mirror| {
                let sent = session.send_payload(&payload, timestamp)?;
                mirror.leaves(&sent).map_err(disbelieved)?;
                Ok(sent)
            });
            answer_with(seat, answer, result);
        }
        Work::Flush(timestamp, answer) => {
            let result: Result<Datagrams, _> = seat.call(shared, lost, |session, mirror| {
                let sent = session.flush(timestamp)?;
                mirror.sent(0, &sent).map_err(disbelieved)?;
                mirror.emptied();
                Ok(sent)
            });
            answer_with(seat, answer, result);
        }
        Work::Discard(answer) => {
            let result = seat.call(shared, 0, |session, mirror| {
                session.discard()?;
                mirror.emptied();
                Ok(())
            });
            drop(answer.send(result));
        }
        Work::Pin(pin, answer) => {
            seat.meta.set_pin(pin);
            drop(answer.send(seat.follow(shared, level)));
        }
        Work::Stats(answer) => {
            let guest = seat.call(shared, lost, |session, _| session.stats());
            seat.note_memory();
            let meta = &seat.meta;
            let result = guest.map(|guest| SessionStats {
                guest,
                restarts: meta.restarts.load(Relaxed),
                lost_frames: meta.lost_frames.load(Relaxed),
                shed: meta.shed.load(Relaxed),
                memory: meta.memory.load(Relaxed),
                quality: seat.quality(),
            });
            drop(answer.send(result));
        }
        Work::State(answer) => drop(answer.send(Ok(seat.state()))),
        // Done by the caller.
        work @ (Work::Open { .. } | Work::Close(_)) => work.refuse(PoolError::Lost),
    }
}

/// Counts and answers.
fn answer_with<T>(seat: &Seat, answer: super::reply::Answer<T>, result: Result<T, PoolError>) {
    match &result {
        Ok(_) => seat.meta.tenant.frames.add(1),
        Err(PoolError::Guest(error)) if !matches!(error, Error::Failed(_)) => seat.meta.tenant.errors.add(1),
        Err(_) => {}
    }
    seat.note_memory();
    drop(answer.send(result));
}
