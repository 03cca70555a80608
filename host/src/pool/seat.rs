//! A session at its worker: the instance, and what of it survives the instance.

use super::backoff::{Backoff, Verdict};
use super::event::Event;
use super::mirror::Mirror;
use super::session::Meta;
use super::shared::Shared;
use super::{CloseReason, PoolError, RestartCause};
use crate::{Cause, Error, Failure, Key, Session};
use sidetone_session::{Config, Quality, State};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

pub(crate) struct Seat {
    pub(crate) meta: Arc<Meta>,
    key: Key,
    pub(crate) mirror: Mirror,
    session: Option<Session>,
    /// Of the component that `session` is an instance of.
    generation: u64,
    backoff: Backoff,
    not_before: Duration,
    /// In force in the guest.
    quality: Quality,
    closed: Option<CloseReason>,
}

impl Seat {
    /// Opens the session for the first time.
    pub(crate) fn open(meta: Arc<Meta>, key: Key, config: Config, shared: &Shared) -> Result<Self, PoolError> {
        let mut seat = Self {
            meta,
            key,
            mirror: Mirror::new(config),
            session: None,
            generation: 0,
            backoff: Backoff::default(),
            not_before: Duration::ZERO,
            quality: config.quality,
            closed: None,
        };
        match seat.instantiate(shared) {
            Ok(()) => Ok(seat),
            Err(error) => Err(busy(error).unwrap_or_else(PoolError::from)),
        }
    }

    /// A fresh instance that goes on where the mirror stands.
    fn instantiate(&mut self, shared: &Shared) -> Result<(), Error> {
        // The slot of the old one is free before a new one is asked for.
        self.session = None;
        let (generation, component) = shared.component();
        let config = Config { quality: self.quality, ..*self.mirror.config() };
        let instance = component.instantiate_within(self.meta.tenant.limits)?;
        self.session = Some(Session::open(instance, &self.key, &config)?);
        self.generation = generation;
        self.note_memory();
        Ok(())
    }

    /// One call of the guest. `lost` frames are gone if it fails.
    pub(crate) fn call<T>(
        &mut self,
        shared: &Shared,
        lost: u32,
        call: impl FnOnce(&mut Session, &mut Mirror) -> Result<T, Error>,
    ) -> Result<T, PoolError> {
        self.make_ready(shared, lost)?;
        let Some(session) = &mut self.session else { return Err(PoolError::Lost) };
        match call(session, &mut self.mirror) {
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
        let moves = self.session.is_some() && shared.moves_from(self.generation) && self.mirror.between_frames();
        if self.session.is_some() && !moves {
            return Ok(());
        }
        let now = shared.clock.now();
        if now < self.not_before {
            self.meta.tenant.lost.add(lost.into());
            return Err(PoolError::BackingOff { retry_in: self.not_before - now });
        }
        match self.instantiate(shared) {
            Ok(()) => Ok(()),
            Err(Error::Failed(failure)) => Err(self.failed(shared, failure, lost)),
            Err(error) => match busy(error) {
                Ok(busy) => Err(busy),
                Err(error) => Err(PoolError::Closed(self.close(shared, CloseReason::Refused(error)))),
            },
        }
    }

    /// The instance failed: a fresh one, at once or later, or the end.
    fn failed(&mut self, shared: &Shared, failure: Failure, lost: u32) -> PoolError {
        tracing::warn!(
            session = self.meta.id.0,
            tenant = &*self.meta.tenant.name,
            cause = %failure.cause,
            backtrace = failure.backtrace,
            "a guest failed"
        );
        self.restart(shared, failure.cause.into(), lost)
    }

    pub(crate) fn restart(&mut self, shared: &Shared, cause: RestartCause, lost: u32) -> PoolError {
        self.session = None;
        self.mirror.died();
        let tenant = &self.meta.tenant;
        tenant.restarts.add(1);
        tenant.lost.add(lost.into());
        self.meta.restarts.fetch_add(1, Relaxed);
        self.meta.lost_frames.fetch_add(lost.into(), Relaxed);
        shared.count_restart(&cause);
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
                    return self.failed(shared, failure, lost.min(1));
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

    /// The quality that the next frame is coded at, with the worker at `level`.
    pub(crate) fn follow(&mut self, shared: &Shared, level: Quality) -> Result<(), PoolError> {
        let configured = self.mirror.config().quality;
        let pin = self.meta.pin().or(self.meta.tenant.quota.pin);
        let wanted = pin.unwrap_or_else(|| configured.min(level));
        if wanted == self.quality {
            return Ok(());
        }
        let from = self.quality;
        self.call(shared, 1, |session, _| session.set_quality(wanted))?;
        self.quality = wanted;
        shared.sink.tell(&Event::Quality {
            session: self.meta.id,
            tenant: self.meta.tenant.name.clone(),
            from,
            to: wanted,
        });
        Ok(())
    }

    pub(crate) const fn quality(&self) -> Quality {
        self.quality
    }

    /// What would survive if the instance failed now.
    pub(crate) const fn state(&self) -> State {
        self.mirror.state()
    }

    /// Ends the session for a reason that is not its owner's.
    fn close(&mut self, shared: &Shared, reason: CloseReason) -> CloseReason {
        self.session = None;
        self.note_memory();
        tracing::warn!(session = self.meta.id.0, tenant = &*self.meta.tenant.name, %reason, "a session was closed");
        self.closed = Some(reason.clone());
        let (session, tenant) = (self.meta.id, self.meta.tenant.name.clone());
        shared.sink.tell(&Event::Closed { session, tenant, reason: reason.clone() });
        reason
    }

    /// Ends the session for its owner: the guest zeroises its keys, the slot is free.
    pub(crate) fn leave(mut self) {
        if let Some(mut session) = self.session.take() {
            if let Ok(stats) = session.stats() {
                self.meta.tenant.overlaps.add(stats.keystream_overlap);
            }
            // One that fails here is gone all the same, and its slot is zeroed before it is used again.
            drop(session.close());
        }
        self.note_memory();
    }

    pub(crate) fn note_memory(&self) {
        let memory = self.session.as_ref().map_or(0, |session| session.instance().memory());
        let before = self.meta.memory.swap(memory as u64, Relaxed);
        self.meta.tenant.memory.fetch_add((memory as u64).wrapping_sub(before), Relaxed);
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

/// A value that the mirror does not believe ends the instance like a trap.
pub(crate) fn disbelieved(cause: Cause) -> Error {
    Error::Failed(Failure { cause, backtrace: String::new() })
}
