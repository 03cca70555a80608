//! What every owner of something at a worker holds: its lane there. Dropping it closes the lane.

use super::PoolError;
use super::caller::Errand;
use super::reply::{Answer, Reply};
use super::session::Meta;
use super::work::Work;
use super::worker::Worker;
use std::fmt;
use std::sync::Arc;

pub(crate) struct Handle {
    pub(crate) meta: Arc<Meta>,
    pub(crate) worker: Arc<Worker>,
    closed: bool,
}

impl Handle {
    pub(crate) const fn new(meta: Arc<Meta>, worker: Arc<Worker>) -> Self {
        Self { meta, worker, closed: false }
    }

    /// Queues a frame, where the tenant's quota lets it in; the reply is what becomes of it.
    pub(crate) fn frame<T>(&self, work: impl FnOnce(Answer<T>) -> Work) -> Reply<T> {
        self.frames(1, work)
    }

    /// The same, of work that is so many frames.
    pub(crate) fn frames<T>(&self, count: u32, work: impl FnOnce(Answer<T>) -> Work) -> Reply<T> {
        // Before anything is made, queued or locked: what a tenant floods with costs nobody else.
        match self.admit(count) {
            Ok(()) => self.submit(work),
            Err(error) => Reply::known(Err(error)),
        }
    }

    /// A frame, done by this thread where nothing is ahead of it; blocks until it is done.
    pub(crate) fn call<T>(&self, work: impl FnOnce(Answer<T>) -> Work) -> Result<T, PoolError> {
        self.call_frames(1, work)
    }

    /// The same, of work that is so many frames.
    pub(crate) fn call_frames<T>(&self, count: u32, work: impl FnOnce(Answer<T>) -> Work) -> Result<T, PoolError> {
        let (errand, reply) = self.admit(count).map(|()| self.submit_or_do(work))?;
        if let Some(errand) = errand {
            errand.run();
        }
        reply.wait()
    }

    /// A frame of a tenant that was let in. What is handed back is for the caller to do.
    pub(crate) fn submit_or_do<T>(&self, work: impl FnOnce(Answer<T>) -> Work) -> (Option<Errand>, Reply<T>) {
        let (answer, reply) = Reply::pair();
        (self.worker.submit_or_do(&self.meta, work(answer)), reply)
    }

    fn admit(&self, frames: u32) -> Result<(), PoolError> {
        self.meta.tenant.admit(self.worker.shared.clock.now(), frames)
    }

    /// Queues work that no quota counts.
    pub(crate) fn submit<T>(&self, work: impl FnOnce(Answer<T>) -> Work) -> Reply<T> {
        let (answer, reply) = Reply::pair();
        self.worker.submit(&self.meta, work(answer));
        reply
    }

    /// Ends it once what is queued was done.
    pub(crate) fn close(mut self) -> Reply<()> {
        self.closed = true;
        self.submit(|answer| Work::Close(Some(answer)))
    }

    /// Lets go of a lane that its worker ends.
    pub(crate) fn give_up(mut self) {
        self.closed = true;
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if !self.closed {
            self.worker.submit(&self.meta, Work::Close(None));
        }
    }
}

/// Shown as what it is of: its number, tenant and worker.
pub(crate) fn show(f: &mut fmt::Formatter<'_>, name: &str, handle: &Handle) -> fmt::Result {
    f.debug_struct(name)
        .field("id", &handle.meta.id)
        .field("tenant", &handle.meta.tenant.name)
        .field("worker", &handle.worker.index)
        .finish_non_exhaustive()
}
