//! What every owner of something at a worker holds: its lane there. Dropping it closes the lane.

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

    /// Queues work; the reply is what becomes of it.
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
