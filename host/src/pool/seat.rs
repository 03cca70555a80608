//! A session, codec or packet cache at its worker: the instance, and what survives the instance.

use super::backoff::{Backoff, Verdict};
use super::event::Event;
use super::occupant::Occupant;
use super::session::Meta;
use super::shared::Shared;
use super::{CloseReason, PoolError, RestartCause};
use crate::{Cause, Error, Failure};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

pub(crate) struct Seat<O: Occupant> {
    pub(crate) meta: Arc<Meta>,
    pub(crate) occupant: O,
    guest: Option<O::Guest>,
    /// Of the component that `guest` is an instance of.
    generation: u64,
    backoff: Backoff,
    not_before: Duration,
    closed: Option<CloseReason>,
    /// Linear memory of the instance, as it was last told.
    memory: u64,
}

impl<O: Occupant> Seat<O> {
    /// A seat whose first call opens its instance.
    pub(crate) fn new(meta: Arc<Meta>, occupant: O) -> Self {
        Self {
            meta,
            occupant,
            guest: None,
            generation: 0,
            backoff: Backoff::default(),
            not_before: Duration::ZERO,
            closed: None,
            memory: 0,
        }
    }

    /// A seat with an instance.
    pub(crate) fn open(meta: Arc<Meta>, occupant: O, shared: &Shared) -> Result<Self, PoolError> {
        let mut seat = Self::new(meta, occupant);
        match seat.instantiate(shared) {
            Ok(()) => Ok(seat),
            Err(error) => Err(busy(error).unwrap_or_else(PoolError::from)),
        }
    }

    /// A fresh instance that goes on where the occupant stands.
    fn instantiate(&mut self, shared: &Shared) -> Result<(), Error> {
        // The slot of the old one is free before a new one is asked for.
        self.vacate(shared);
        let (generation, component) = shared.component();
        let instance = component.instantiate_within(self.meta.tenant.limits)?;
        self.guest = Some(self.occupant.open(instance)?);
        shared.slots.taken();
        self.generation = generation;
        self.note_memory();
        Ok(())
    }

    /// Ends the instance, if there is one.
    fn vacate(&mut self, shared: &Shared) -> Option<O::Guest> {
        let guest = self.guest.take();
        if guest.is_some() {
            shared.slots.freed();
        }
        self.note_memory();
        guest
    }

    /// One call of the guest. `lost` frames are gone if it fails.
    pub(crate) fn call<T>(
        &mut self,
        shared: &Shared,
        lost: u32,
        call: impl FnOnce(&mut O::Guest, &mut O) -> Result<T, Error>,
    ) -> Result<T, PoolError> {
        self.make_ready(shared, lost)?;
        let Some(guest) = &mut self.guest else { return Err(PoolError::Lost) };
        match call(guest, &mut self.occupant) {
            Ok(value) => Ok(value),
            Err(Error::Failed(failure)) => Err(self.failed(shared, failure, lost)),
            Err(error) => Err(error.into()),
        }
    }

    /// Sees to it that there is an instance, of the component that is current.
    fn make_ready(&mut self, shared: &Shared, lost: u32) -> Result<(), PoolError> {
        if let Some(reason) = &self.closed {
            return Err(PoolError::Closed(reason.clone()));
        }
        let moves = self.guest.is_some() && shared.moves_from(self.generation) && self.occupant.may_move();
        if self.guest.is_some() && !moves {
            return Ok(());
        }
        let now = shared.clock.now();
        if now < self.not_before {
            self.lose(lost);
            return Err(PoolError::BackingOff { retry_in: self.not_before - now });
        }
        match self.instantiate(shared) {
            Ok(()) => Ok(()),
            Err(Error::Failed(failure)) => Err(self.failed(shared, failure, lost)),
            Err(error) => match busy(error) {
                Ok(busy) => {
                    self.lose(lost);
                    Err(busy)
                }
                Err(error) => Err(PoolError::Closed(self.close(shared, CloseReason::Refused(error)))),
            },
        }
    }

    /// Frames that will not be done.
    fn lose(&self, frames: u32) {
        self.meta.tenant.lost.add(frames.into());
        self.meta.lost_frames.fetch_add(frames.into(), Relaxed);
    }

    /// The instance failed: a fresh one, at once or later, or the end.
    fn failed(&mut self, shared: &Shared, failure: Failure, lost: u32) -> PoolError {
        self.log(&failure);
        self.restart(shared, failure.cause.into(), lost)
    }

    fn log(&self, failure: &Failure) {
        tracing::warn!(
            session = self.meta.id.0,
            tenant = &*self.meta.tenant.name,
            cause = %failure.cause,
            backtrace = failure.backtrace,
            "a guest failed"
        );
    }

    pub(crate) fn restart(&mut self, shared: &Shared, cause: RestartCause, lost: u32) -> PoolError {
        self.lose(lost);
        self.replace(shared, cause, lost)
    }

    /// Opens a fresh instance, now or later, or never; `lost` frames are counted already.
    fn replace(&mut self, shared: &Shared, cause: RestartCause, lost: u32) -> PoolError {
        drop(self.vacate(shared));
        self.occupant.died();
        self.meta.tenant.restarts.add(cause.label());
        self.meta.restarts.fetch_add(1, Relaxed);
        match self.backoff.failed(&shared.restart, shared.clock.now(), shared.jitter.next()) {
            Verdict::GiveUp { restarts } => {
                let reason = CloseReason::Storm { cause, restarts };
                return PoolError::Closed(self.close(shared, reason));
            }
            Verdict::At(time) => self.not_before = time,
            // Where this one fails or finds no slot, the next call sees to it.
            Verdict::Now => {
                self.not_before = Duration::ZERO;
                if let Err(Error::Failed(failure)) = self.instantiate(shared) {
                    self.log(&failure);
                    return self.replace(shared, failure.cause.into(), lost);
                }
            }
        }
        shared.sink.tell(&Event::Restarted {
            session: self.meta.id,
            tenant: self.meta.tenant.name.clone(),
            cause: cause.clone(),
            lost_frames: lost,
        });
        PoolError::Restarted { cause, lost_frames: lost }
    }

    /// Ends it for a reason that is not its owner's.
    fn close(&mut self, shared: &Shared, reason: CloseReason) -> CloseReason {
        drop(self.vacate(shared));
        self.meta.ended.store(true, Relaxed);
        self.meta.tenant.closed.add(reason.label());
        tracing::warn!(session = self.meta.id.0, tenant = &*self.meta.tenant.name, %reason, "a session was closed");
        self.closed = Some(reason.clone());
        let (session, tenant) = (self.meta.id, self.meta.tenant.name.clone());
        shared.sink.tell(&Event::Closed { session, tenant, reason: reason.clone() });
        reason
    }

    /// Ends it for its owner: the slot is free when what this returns was dropped.
    pub(crate) fn leave(&mut self, shared: &Shared) -> Option<O::Guest> {
        self.vacate(shared)
    }

    pub(crate) fn note_memory(&mut self) {
        let memory = self.guest.as_ref().map_or(0, |guest| O::instance(guest).memory() as u64);
        if memory != self.memory {
            self.meta.memory.store(memory, Relaxed);
            self.meta.tenant.memory_moved(self.memory, memory);
            self.memory = memory;
        }
    }
}

/// Whether an error only says that there is no room now.
fn busy(error: Error) -> Result<PoolError, Error> {
    match error {
        Error::Busy { instances } => Ok(PoolError::Busy { instances }),
        Error::Exhausted { why } => Ok(PoolError::Exhausted { why }),
        error => Err(error),
    }
}

/// A value that the host does not believe ends the instance like a trap.
pub(crate) fn disbelieved(cause: Cause) -> Error {
    Error::Failed(Failure { cause, backtrace: String::new() })
}

/// The same, for what is said of a codec or packet.
pub(crate) fn broken(what: String) -> Error {
    disbelieved(Cause::BrokenReturn(what))
}
