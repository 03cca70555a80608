//! A worker's end of the queue: takes jobs, does them, and gives back what it cannot do.

use super::access::Access;
use super::letters::DeadLetter;
use super::objects::{INPUT, Objects};
use super::streams::{ACK_WAIT, QueueName, Streams};
use crate::job::{Job, Place};
use crate::{Address, Event, Fate, Made, Problem, Scratch, Stop, Workshop};
use async_nats::jetstream::consumer::{Consumer, pull};
use async_nats::jetstream::{AckKind, Message};
use futures_util::StreamExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

/// How long one question for a job waits at the server. A worker that is told to end waits so long at most.
const ASK: Duration = Duration::from_secs(1);

/// Pause after a question that failed.
const PAUSE: Duration = Duration::from_millis(250);

/// How much later than its limit a job that does not come back (its storage hangs) is given back for it.
const HUNG: Duration = Duration::from_secs(60);

/// A worker of a queue.
#[derive(Debug)]
pub struct Worker {
    /// Its name, in reports.
    pub name: String,
    /// The queue.
    pub queue: QueueName,
    /// Jobs at a time.
    pub jobs: usize,
    /// How long a job may be silent before it is another worker's; changes that of the queue.
    pub ack_wait: Option<Duration>,
    /// How long a job may take.
    pub limit: Duration,
    /// How long jobs may go on when the worker is told to end.
    pub drain: Duration,
    /// Folder for files from the object store.
    pub scratch: PathBuf,
}

/// What a worker did.
#[derive(Debug, Default)]
pub struct Stats {
    /// Jobs done.
    pub done: AtomicU64,
    /// Jobs given back.
    pub given_back: AtomicU64,
    /// Dead letters.
    pub dead: AtomicU64,
}

impl Worker {
    /// Works until `end` is true.
    ///
    /// # Errors
    /// NATS cannot be reached, or has no JetStream.
    pub async fn work(
        self,
        access: &Access,
        workshop: Arc<Workshop>,
        end: watch::Receiver<bool>,
        ready: impl FnOnce(),
    ) -> Result<Arc<Stats>, Problem> {
        let client = access.connect(&format!("sidetone worker {}", self.name)).await?;
        let streams = Streams::open(client.clone(), &self.queue).await?;
        let consumer = streams.workers(self.ack_wait).await?;
        let silence = consumer.cached_info().config.ack_wait;
        let hand = Arc::new(Hand {
            beat: if silence.is_zero() { ACK_WAIT } else { silence } / 3,
            worker: self,
            streams,
            workshop,
            stats: Arc::default(),
            objects: Mutex::new(None),
        });
        ready();
        let mut hands = JoinSet::new();
        for _ in 0..hand.worker.jobs.max(1) {
            hands.spawn(hand.clone().serve(consumer.clone(), end.clone()));
        }
        while let Some(served) = hands.join_next().await {
            if let Err(error) = served {
                tracing::error!(%error, "a hand of the worker failed");
            }
        }
        // What was said last is on its way.
        if timeout(ASK, client.flush()).await.is_err() {
            tracing::warn!("NATS does not take the last words");
        }
        Ok(hand.stats.clone())
    }
}

/// What the hands of a worker share.
struct Hand {
    worker: Worker,
    streams: Streams,
    workshop: Arc<Workshop>,
    stats: Arc<Stats>,
    objects: Mutex<Option<Objects>>,
    /// Between two signs of life of a job.
    beat: Duration,
}

/// Where a job came from.
struct Delivery<'a> {
    message: &'a Message,
    run: String,
    attempt: u32,
}

impl Hand {
    /// Takes one job after the other.
    async fn serve(self: Arc<Self>, mut consumer: Consumer<pull::Config>, mut end: watch::Receiver<bool>) {
        while !*end.borrow() {
            match next(&consumer).await {
                Ok(Some(message)) if *end.borrow() => give_back(&message, Duration::ZERO).await,
                Ok(Some(message)) => self.take(&message, &mut end).await,
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(error, "no job is to be had");
                    sleep(PAUSE).await;
                    // The consumer may be gone with the server's disk.
                    if let Ok(anew) = self.streams.workers(self.worker.ack_wait).await {
                        consumer = anew;
                    }
                }
            }
        }
    }

    async fn take(&self, message: &Message, end: &mut watch::Receiver<bool>) {
        let Ok(info) = message.info() else {
            tracing::warn!(subject = %message.subject, "a message that is no delivery");
            return;
        };
        let attempt = u32::try_from(info.delivered).unwrap_or(u32::MAX);
        let run = message.subject.rsplit('.').next().unwrap_or_default().to_owned();
        let delivery = Delivery { message, run, attempt };
        let outcome = match Job::parse(&message.payload) {
            Ok(job) if attempt > job.attempts => {
                let reason = format!(
                    "it was delivered {} times and no worker came to an end with it; does it end its workers?",
                    attempt - 1
                );
                self.bury(&delivery, &job.address, attempt - 1, reason).await
            }
            Ok(job) => self.attempt(&delivery, &job, end).await,
            Err(problem) => self.refuse(&delivery, problem).await,
        };
        // The message stays unacknowledged, and comes again.
        if let Err(problem) = outcome {
            tracing::warn!(%problem, "a job's end could not be told; it will come again");
        }
    }

    /// Does a job, and tells what came of it.
    async fn attempt(
        &self,
        delivery: &Delivery<'_>,
        job: &Job,
        end: &mut watch::Receiver<bool>,
    ) -> Result<(), Problem> {
        let (address, worker, attempt) = (job.address.clone(), self.worker.name.clone(), delivery.attempt);
        let started = Event::Started { address: address.clone(), worker: worker.clone(), attempt };
        self.streams.tell(&delivery.run, &started).await?;
        match self.perform(delivery, job, end).await {
            Ok(made) => {
                let seconds = made.seconds;
                self.streams.tell(&delivery.run, &Event::Done { address, worker, attempt, made }).await?;
                self.stats.done.fetch_add(1, Ordering::Relaxed);
                tracing::info!(job = job.address.short(), input = job.input.path, seconds, "done");
                confirm(delivery.message, AckKind::Ack).await
            }
            Err(problem) if problem.fate == Fate::Bury => {
                self.bury(delivery, &job.address, attempt, problem.reason).await
            }
            Err(problem) if problem.fate == Fate::GiveBack && attempt >= job.attempts => {
                self.bury(delivery, &job.address, attempt, problem.reason).await
            }
            Err(problem) => {
                let pause = if problem.fate == Fate::Return { Duration::ZERO } else { job.retry_in(attempt) };
                self.fail(delivery, address, problem.reason, pause).await
            }
        }
    }

    async fn fail(
        &self,
        delivery: &Delivery<'_>,
        address: Address,
        reason: String,
        pause: Duration,
    ) -> Result<(), Problem> {
        self.stats.given_back.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(job = address.short(), attempt = delivery.attempt, reason, "given back");
        let worker = self.worker.name.clone();
        let failed = Event::Failed { address, worker, attempt: delivery.attempt, reason };
        self.streams.tell(&delivery.run, &failed).await?;
        give_back(delivery.message, pause).await;
        Ok(())
    }

    async fn bury(
        &self,
        delivery: &Delivery<'_>,
        address: &Address,
        attempts: u32,
        reason: String,
    ) -> Result<(), Problem> {
        self.stats.dead.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(job = address.short(), attempts, reason, "a dead letter");
        let worker = self.worker.name.clone();
        let job = serde_json::from_slice(&delivery.message.payload).unwrap_or_else(|_| {
            serde_json::Value::String(String::from_utf8_lossy(&delivery.message.payload).into_owned())
        });
        let letter = DeadLetter { job, worker: worker.clone(), attempts, reason: reason.clone() };
        let event = Event::Dead { address: address.clone(), worker, attempts, reason };
        self.streams.bury(&delivery.run, &letter, &event).await?;
        confirm(delivery.message, AckKind::Term).await
    }

    /// A message that this worker cannot read as a job.
    async fn refuse(&self, delivery: &Delivery<'_>, problem: Problem) -> Result<(), Problem> {
        /// Of the job, where it can be read.
        #[derive(serde::Deserialize)]
        struct Known {
            address: Option<Address>,
            attempts: Option<u32>,
            retry_ms: Option<u64>,
        }
        let known: Known = serde_json::from_slice(&delivery.message.payload).unwrap_or(Known {
            address: None,
            attempts: None,
            retry_ms: None,
        });
        let address = known.address.unwrap_or_else(|| Address::of(&delivery.message.payload));
        let last = known.attempts.unwrap_or(1).min(super::MOST_DELIVERIES);
        if problem.fate == Fate::Bury || delivery.attempt >= last {
            return self.bury(delivery, &address, delivery.attempt, problem.reason).await;
        }
        let pause = Duration::from_millis(known.retry_ms.unwrap_or(1000).min(60_000));
        self.fail(delivery, address, problem.reason, pause).await
    }

    /// Does a job, giving signs of life. Told to end, it lets the job go on for a while, and then ends it.
    async fn perform(
        &self,
        delivery: &Delivery<'_>,
        job: &Job,
        end: &mut watch::Receiver<bool>,
    ) -> Result<Made, Problem> {
        let ending = Arc::new(AtomicBool::new(false));
        let stop = Stop::new(ending.clone(), self.worker.limit);
        let (parts, mut heard) = channel(16);
        let mut working = std::pin::pin!(self.make(job, delivery.attempt > 1, stop, parts));
        let mut beat = interval(self.beat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let hung = sleep_until(Instant::now() + self.worker.limit + HUNG);
        let mut hung = std::pin::pin!(hung);
        let mut until: Option<Instant> = None;
        loop {
            tokio::select! {
                made = &mut working => return made,
                _ = beat.tick() => {
                    if let Err(error) = delivery.message.ack_with(AckKind::Progress).await {
                        tracing::debug!(error, "no sign of life");
                    }
                }
                Some(part) = heard.recv() => {
                    let (address, worker) = (job.address.clone(), self.worker.name.clone());
                    self.streams.tell(&delivery.run, &Event::Progress { address, worker, part }).await?;
                }
                _ = end.changed(), if until.is_none() => until = Some(Instant::now() + self.worker.drain),
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    ending.store(true, Ordering::Relaxed);
                    // It ends at its next step.
                    until = Some(Instant::now() + HUNG);
                }
                () = &mut hung => {
                    ending.store(true, Ordering::Relaxed);
                    return Err(Problem::give_back(format!(
                        "it did not come to an end within {:?}; does the storage hang?", self.worker.limit + HUNG
                    )));
                }
            }
        }
    }

    /// Does the work on a thread that may block. `again`: another worker may have died of it.
    async fn make(&self, job: &Job, again: bool, stop: Stop, parts: Sender<f32>) -> Result<Made, Problem> {
        let so_far = move |part| {
            // What nobody has time to hear can be missed.
            let _ = parts.try_send(part);
        };
        let (workshop, job) = (self.workshop.clone(), job.clone());
        if job.input.place == Place::Shared {
            return blocking(move || {
                if again {
                    workshop.sweep_beside(&job);
                }
                workshop.perform(&job, &stop, &so_far)
            })
            .await;
        }
        workshop.check(&job)?;
        let objects = self.objects().await?;
        if objects.has(&job.output).await {
            return Ok(Made { existed: true, ..Made::default() });
        }
        let scratch = Scratch::new(&self.worker.scratch)?;
        let plain: String = job.input.ending.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("{INPUT}.{plain}");
        let input = objects.get(&job.input.path, &scratch, &name).await?;
        let output = job.output.clone();
        let (made, scratch) = blocking(move || {
            let made = workshop.make(&job, &input, &scratch, &stop, &so_far)?;
            Ok((made, scratch))
        })
        .await?;
        objects.put(&output, &Workshop::made(&scratch)).await?;
        Ok(made)
    }

    async fn objects(&self) -> Result<Objects, Problem> {
        let mut place = self.objects.lock().await;
        match &*place {
            Some(objects) => Ok(objects.clone()),
            None => Ok(place.insert(Objects::open(&self.streams).await?).clone()),
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Problem::give_back(format!("the worker failed at it: {error}"))),
    }
}

/// The next job, if there is one soon.
async fn next(consumer: &Consumer<pull::Config>) -> Result<Option<Message>, String> {
    let mut messages = consumer.batch().max_messages(1).expires(ASK).messages().await.map_err(|e| e.to_string())?;
    // Not at once: the server may be away, and its answer comes never.
    match timeout(ASK * 3, messages.next()).await {
        Ok(Some(Ok(message))) => Ok(Some(message)),
        Ok(Some(Err(error))) => Err(error.to_string()),
        Ok(None) => Ok(None),
        Err(_) => Err("no answer".to_owned()),
    }
}

/// Lets another worker have it, after a pause.
async fn give_back(message: &Message, pause: Duration) {
    let pause = (!pause.is_zero()).then_some(pause);
    // Where that does not arrive, the job comes again when its time of silence is over.
    if let Err(error) = message.ack_with(AckKind::Nak(pause)).await {
        tracing::debug!(error, "not given back");
    }
}

/// Ends a delivery, for certain.
async fn confirm(message: &Message, kind: AckKind) -> Result<(), Problem> {
    let confirmed = message.double_ack_with(kind).await;
    confirmed.map_err(|error| Problem::give_back(format!("NATS does not confirm: {error}")))
}
