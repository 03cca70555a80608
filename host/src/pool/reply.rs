//! An answer that is on its way: a future for async code, a wait for threads.

use super::PoolError;
use futures_channel::oneshot;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// What a call will return. The work was queued when the call was made, in the order of the calls; dropping the reply
/// does not take it back.
///
/// Await it (no runtime is assumed), or [`wait`](Self::wait) for it on a thread that may block.
#[derive(Debug)]
#[must_use = "a reply does nothing unless awaited; the work is done all the same"]
pub struct Reply<T>(State<T>);

#[derive(Debug)]
enum State<T> {
    /// Known before it was queued.
    Known(Option<Result<T, PoolError>>),
    Waiting(oneshot::Receiver<Result<T, PoolError>>),
}

/// The other end of a [`Reply`].
pub(crate) type Answer<T> = oneshot::Sender<Result<T, PoolError>>;

impl<T> Reply<T> {
    pub(crate) fn pair() -> (Answer<T>, Self) {
        let (answer, reply) = oneshot::channel();
        (answer, Self(State::Waiting(reply)))
    }

    pub(crate) const fn known(result: Result<T, PoolError>) -> Self {
        Self(State::Known(Some(result)))
    }

    /// Blocks this thread until the answer is there: a queue's wait, and at most the deadline of the operation. Not for
    /// the threads of an async runtime.
    ///
    /// # Errors
    /// What the call says.
    pub fn wait(mut self) -> Result<T, PoolError> {
        if let State::Waiting(reply) = &mut self.0
            && let Ok(Some(result)) = reply.try_recv()
        {
            return result;
        }
        let mut reply = pin!(self);
        let waker = Waker::from(Arc::new(Parked(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match reply.as_mut().poll(&mut context) {
                Poll::Ready(result) => return result,
                Poll::Pending => thread::park(),
            }
        }
    }
}

impl<T> Unpin for Reply<T> {}

impl<T> Future for Reply<T> {
    type Output = Result<T, PoolError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            // Polled again after it was ready: the same as a worker that is gone.
            State::Known(result) => Poll::Ready(result.take().unwrap_or(Err(PoolError::Lost))),
            State::Waiting(reply) => Pin::new(reply).poll(context).map(|sent| sent.unwrap_or(Err(PoolError::Lost))),
        }
    }
}

struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
