//! What a thread has in its hands, and how it does one piece of work.

use super::queue::Next;
use super::seated::Seated;
use super::work::Work;
use super::worker::Worker;
use super::{PoolError, Shed};
use sidetone_session::Quality;
use std::time::Duration;

/// What a thread has in its hands: on the table of the queue again before it takes the next.
pub(super) struct Hand {
    /// Its number: it serves as long as the queue has the same one.
    pub(super) shift: u64,
    pub(super) holds: Option<Held>,
}

pub(super) struct Held {
    pub(super) lane: usize,
    pub(super) tenant: usize,
    pub(super) seat: Option<Box<Seated>>,
    /// Frames that a panic would lose.
    pub(super) at_stake: u32,
    pub(super) done: Option<Done>,
}

/// A piece of work that was done, or given up.
pub(super) struct Done {
    pub(super) at: Duration,
    pub(super) took: Duration,
    /// Of audio: with the time in the queue.
    pub(super) latency: Option<Duration>,
}

impl Worker {
    /// Does what was taken, and answers it. The seat stays in the hand, unless it is gone.
    pub(super) fn do_one(&self, hand: &mut Hand, next: Next<Work>, level: Quality) {
        let Some(held) = &mut hand.holds else { return };
        let Next { lane, since, job, .. } = next;
        let start = self.shared.clock.now();
        let waited = start.saturating_sub(since);
        let (audio, mut served) = (job.is_audio(), true);
        match job {
            Work::Close(answer) => {
                if let Some(mut seat) = hand.holds.take().and_then(|held| held.seat) {
                    seat.leave(&self.shared);
                }
                self.end_lane(lane, start);
                // Told when there is room again.
                drop(answer.map(|answer| answer.send(Ok(()))));
                return;
            }
            Work::Open(opening) => match Seated::open(&self.shared, opening) {
                Ok(seat) => held.seat = Some(Box::new(seat)),
                Err(tell) => {
                    hand.holds = None;
                    self.end_lane(lane, start);
                    // As above.
                    tell();
                    return;
                }
            },
            work => match &mut held.seat {
                None => {
                    served = false;
                    work.refuse(PoolError::Lost);
                }
                Some(seat) if audio && waited > seat.meta().shape.worth[usize::from(!work.is_incoming())] => {
                    served = false;
                    seat.meta().shed(work, waited, Shed::Stale);
                }
                Some(seat) => {
                    held.at_stake = seat.stake(&work);
                    seat.serve(&self.shared, level, held.at_stake, work);
                }
            },
        }
        let at = self.shared.clock.now();
        let took = at.saturating_sub(start);
        let latency = (audio && served).then_some(waited + took);
        // Its share of the worker pays for what was only given up, too: to shed a flood takes time.
        held.done = Some(Done { at, took, latency });
        let Some(seat) = held.seat.as_ref().filter(|_| served) else { return };
        let meta = seat.meta();
        meta.tenant.charge(at, took);
        if let Some(latency) = latency {
            self.meters.record(waited, took);
            meta.tenant.record(latency);
            meta.record(latency);
        }
    }

    /// The host panicked. The session that was being served is opened again; the others were not touched.
    pub(super) fn survive_panic(&self, hand: &mut Hand) {
        if let Some(Held { seat: Some(seat), at_stake, .. }) = &mut hand.holds {
            seat.survive_panic(&self.shared, *at_stake);
        }
    }
}
