//! The queues between a call and its back end. Each is bounded.

use super::{Form, ToBackEnd, ToDevice};
use sidetone_opus::SampleRate;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;
use tokio::sync::{Notify, mpsc};

/// Pieces of audio that wait for a back end: at 60 ms each, 3 s. The oldest go first.
const AUDIO: usize = 50;

/// Messages that wait for a back end. One that leaves more unread is taken for dead.
const MESSAGES: usize = 256;

/// What a leg may have on its way to the device before it must wait: of speech in 60 ms packets a second, which is also
/// as long as a message can be held up by the speech before it.
const AHEAD: usize = 16;

/// A call's end of a leg.
#[derive(Debug)]
pub struct Leg {
    /// The form in which it takes the device's audio.
    pub uplink: Form,
    /// The rate of the PCM it sends.
    pub rate: SampleRate,
    pub(crate) to: Uplink,
    pub(crate) from: mpsc::Receiver<ToDevice>,
}

/// The back end's end of a leg. Dropping it ends the call's leg as [`ToDevice::Closed`] would.
#[derive(Debug)]
pub struct LegEnd {
    queue: Arc<Queue>,
    to_device: mpsc::Sender<ToDevice>,
}

/// The call is over: nobody is left to be told anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the call is over")]
pub struct Over;

/// Room for one thing more on its way to the device.
#[derive(Debug)]
pub struct Room<'l>(mpsc::Permit<'l, ToDevice>);

impl Room<'_> {
    /// Sends it.
    pub fn send(self, what: impl Into<ToDevice>) {
        self.0.send(what.into());
    }
}

/// Both ends of a new leg.
#[must_use]
pub fn leg(uplink: Form, rate: SampleRate) -> (Leg, LegEnd) {
    let queue = Arc::new(Queue::default());
    let (to_device, from) = mpsc::channel(AHEAD);
    let to = Uplink(queue.clone());
    (Leg { uplink, rate, to, from }, LegEnd { queue, to_device })
}

/// Puts things into the queue to the back end. Dropping it tells the back end that the call is over.
#[derive(Debug)]
pub(crate) struct Uplink(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    items: VecDeque<ToBackEnd>,
    audio: usize,
    over: bool,
}

/// What became of something put into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    Taken,
    /// The oldest audio gave way.
    DroppedOldest,
    /// The back end has not read for too long.
    Overflow,
}

impl Queue {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Uplink {
    pub(crate) fn put(&self, item: ToBackEnd) -> Put {
        let mut waiting = self.0.lock();
        let mut put = Put::Taken;
        if is_audio(&item) {
            if waiting.audio >= AUDIO
                && let Some(oldest) = waiting.items.iter().position(is_audio)
            {
                waiting.items.remove(oldest);
                waiting.audio -= 1;
                put = Put::DroppedOldest;
            }
            waiting.audio += 1;
        } else if waiting.items.len() - waiting.audio >= MESSAGES {
            return Put::Overflow;
        }
        waiting.items.push_back(item);
        drop(waiting);
        self.0.news.notify_one();
        put
    }
}

impl Drop for Uplink {
    fn drop(&mut self) {
        self.0.lock().over = true;
        self.0.news.notify_one();
    }
}

impl LegEnd {
    /// The next thing from the call; `None` when the call is over and everything was read. Cancel-safe.
    pub async fn receive(&self) -> Option<ToBackEnd> {
        loop {
            {
                let mut waiting = self.queue.lock();
                if let Some(item) = waiting.items.pop_front() {
                    waiting.audio -= usize::from(is_audio(&item));
                    return Some(item);
                }
                if waiting.over {
                    return None;
                }
            }
            self.queue.news.notified().await;
        }
    }

    /// Sends something to the device, behind all that was sent before: waits while there is enough on its way.
    ///
    /// # Errors
    /// [`Over`], as of all that follows.
    pub async fn send(&self, what: impl Into<ToDevice>) -> Result<(), Over> {
        self.to_device.send(what.into()).await.map_err(|_| Over)
    }

    /// Waits until there is room for one thing more. Cancel-safe.
    ///
    /// # Errors
    /// [`Over`].
    pub async fn room(&self) -> Result<Room<'_>, Over> {
        self.to_device.reserve().await.map(Room).map_err(|_| Over)
    }

    /// Room for one thing more, where there is some now: for a back end that does not wait for a device, as a room does
    /// not. `None`: what it has must go, or be kept by it.
    ///
    /// # Errors
    /// [`Over`].
    pub fn try_room(&self) -> Result<Option<Room<'_>>, Over> {
        match self.to_device.try_reserve() {
            Ok(permit) => Ok(Some(Room(permit))),
            Err(mpsc::error::TrySendError::Full(())) => Ok(None),
            Err(mpsc::error::TrySendError::Closed(())) => Err(Over),
        }
    }

    /// Waits until everything that was sent has been taken.
    ///
    /// # Errors
    /// [`Over`].
    pub async fn taken(&self) -> Result<(), Over> {
        let all = self.to_device.max_capacity();
        self.to_device.reserve_many(all).await.map(drop).map_err(|_| Over)
    }

    /// Waits until the call is over, with what is still unread. Cancel-safe. Not together with
    /// [`receive`](Self::receive): one of them waits at a time.
    pub async fn over(&self) {
        while !self.is_over() {
            self.queue.news.notified().await;
        }
    }

    /// Whether the call is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.queue.lock().over
    }
}

fn is_audio(item: &ToBackEnd) -> bool {
    matches!(item, ToBackEnd::Audio(_))
}

#[cfg(test)]
mod tests {
    use super::super::Heard;
    use super::*;

    fn audio(position: u64) -> ToBackEnd {
        ToBackEnd::Audio(Heard::Pcm { samples: Vec::new(), position })
    }

    #[tokio::test]
    async fn a_slow_back_end_loses_the_oldest_audio_and_no_message() {
        let (call, end) = leg(Form::Pcm(SampleRate::Hz16000), SampleRate::Hz24000);
        assert_eq!(call.to.put(ToBackEnd::StopCapture), Put::Taken);
        let puts: Vec<_> = (0..AUDIO as u64 + 2).map(|position| call.to.put(audio(position))).collect();
        assert_eq!(puts.iter().filter(|put| **put == Put::DroppedOldest).count(), 2);
        assert_eq!(end.receive().await, Some(ToBackEnd::StopCapture));
        assert_eq!(end.receive().await, Some(audio(2)));
        drop(call);
        let mut rest = 0;
        while end.receive().await.is_some() {
            rest += 1;
        }
        assert_eq!(rest, AUDIO - 1);
    }

    #[test]
    fn a_back_end_that_reads_nothing_overflows() {
        let (call, _end) = leg(Form::Packets, SampleRate::Hz24000);
        assert!((0..MESSAGES).all(|_| call.to.put(ToBackEnd::StopCapture) == Put::Taken));
        assert_eq!(call.to.put(ToBackEnd::StopCapture), Put::Overflow);
    }
}
