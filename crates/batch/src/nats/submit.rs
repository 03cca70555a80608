//! A batch's end of the queue: hands jobs in, hears what becomes of them.

use super::access::Access;
use super::letters::json;
use super::objects::Objects;
use super::streams::{QueueName, Streams};
use crate::job::{Job, Place};
use crate::plan::Plan;
use crate::{Address, Event, Made, Problem, Queue, Scratch};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Words that wait to be heard.
const EVENTS: usize = 1024;

/// Jobs that are handed in at a time.
const AT_ONCE: usize = 64;

/// How long one question for words waits at the server.
const LISTEN: Duration = Duration::from_secs(1);

/// After so long a consumer that nobody asks is gone.
const FORGOTTEN: Duration = Duration::from_secs(300);

/// How long taking jobs back may take.
const WITHDRAWAL: Duration = Duration::from_secs(5);

/// Jobs that were handed to a queue.
pub struct Submitted {
    runtime: Runtime,
    events: Receiver<Result<Event, Problem>>,
    streams: Streams,
    run: String,
}

impl Submitted {
    /// Connects, and hands in the jobs of a plan in the background.
    ///
    /// # Errors
    /// NATS cannot be reached, or has no JetStream.
    pub fn start(access: &Access, queue: &QueueName, plan: &Plan) -> Result<Self, Problem> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|error| Problem::give_back(format!("no random numbers: {error}")))?;
        let run = format!("{:016x}", u64::from_be_bytes(bytes));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| Problem::give_back(format!("the system gives no threads: {error}")))?;
        let (sender, events) = channel(EVENTS);
        let streams = runtime.block_on(async {
            let client = access.connect("sidetone batch").await?;
            Streams::open(client, queue).await
        })?;
        let objects = if plan.jobs.iter().any(|job| job.input.place == Place::Objects) {
            Some(runtime.block_on(Objects::open(&streams))?)
        } else {
            None
        };
        // Before the first job is handed in, so that no word is missed.
        let consumer = runtime.block_on(listener(&streams, &run, None))?;
        let ears = Ears {
            streams: streams.clone(),
            run: run.clone(),
            sender: sender.clone(),
            outputs: plan.jobs.iter().map(|job| (job.address.clone(), job.output.clone())).collect(),
            objects: objects.clone(),
            out: plan.out.clone(),
        };
        runtime.block_on(ears.mentions())?;
        runtime.spawn(ears.listen(consumer));
        let inputs = plan.items.iter().map(|item| (item.address.clone(), item.input.clone())).collect();
        let hand = Hand { streams: streams.clone(), run: run.clone(), jobs: plan.jobs.clone(), objects, inputs };
        runtime.spawn(hand.submit(sender));
        Ok(Self { runtime, events, streams, run })
    }

    /// The number of this run, which messages carry.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }
}

impl std::fmt::Debug for Submitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submitted").field("run", &self.run).finish_non_exhaustive()
    }
}

impl Queue for Submitted {
    fn next(&mut self, wait: Duration) -> Result<Option<Event>, Problem> {
        let received = self.runtime.block_on(async { tokio::time::timeout(wait, self.events.recv()).await });
        match received {
            Ok(Some(event)) => event.map(Some),
            Ok(None) => Err(Problem::give_back("nothing listens to NATS any more")),
            Err(_) => Ok(None),
        }
    }

    fn withdraw(&mut self) {
        // The task that hands jobs in ends when it finds that nobody listens.
        self.events.close();
        let (streams, subject) = (&self.streams, self.streams.name.subject("job", &self.run));
        let purged = self.runtime.block_on(async {
            tokio::time::timeout(WITHDRAWAL, streams.jobs.purge().filter(subject).into_future()).await
        });
        match purged {
            Ok(Ok(purged)) => tracing::info!(jobs = purged.purged, "taken back"),
            Ok(Err(error)) => tracing::warn!(%error, "the jobs stay in the queue"),
            Err(_) => tracing::warn!("NATS does not answer; the jobs stay in the queue"),
        }
    }
}

/// What is handed in.
struct Hand {
    streams: Streams,
    run: String,
    jobs: Vec<Job>,
    objects: Option<Objects>,
    /// The file of each job.
    inputs: HashMap<Address, PathBuf>,
}

impl Hand {
    /// Hands in all jobs, some at a time. Where the queue is full it waits for room.
    async fn submit(self, sender: Sender<Result<Event, Problem>>) {
        let hand = Arc::new(self);
        let all = futures_util::stream::iter(0..hand.jobs.len());
        let mut handing = all
            .map(|place| {
                let hand = hand.clone();
                async move { hand.post(place).await }
            })
            .buffer_unordered(AT_ONCE);
        while let Some(handed) = handing.next().await {
            if sender.is_closed() {
                return;
            }
            if let Err(problem) = handed {
                // Whoever does not listen any more has ended the batch.
                drop(sender.send(Err(problem)).await);
                return;
            }
        }
    }

    async fn post(&self, place: usize) -> Result<(), Problem> {
        let job = &self.jobs[place];
        if let (Some(objects), Some(input)) = (&self.objects, self.inputs.get(&job.address)) {
            objects.lend(job, input).await?;
        }
        let id = format!("{}.{}", self.run, job.address);
        self.streams.post(self.streams.name.subject("job", &self.run), &id, json(job)?).await
    }
}

/// A consumer of the words of a run, from `after` on.
async fn listener(streams: &Streams, run: &str, after: Option<u64>) -> Result<Consumer<pull::Config>, Problem> {
    let config = pull::Config {
        deliver_policy: match after {
            None => DeliverPolicy::All,
            Some(sequence) => DeliverPolicy::ByStartSequence { start_sequence: sequence + 1 },
        },
        ack_policy: AckPolicy::None,
        filter_subject: streams.name.subject("event", run),
        inactive_threshold: FORGOTTEN,
        memory_storage: true,
        ..pull::Config::default()
    };
    let made = streams.events.create_consumer(config).await;
    made.map_err(|error| Problem::give_back(format!("NATS gives no consumer of the events of this batch: {error}")))
}

/// Who listens.
struct Ears {
    streams: Streams,
    run: String,
    sender: Sender<Result<Event, Problem>>,
    outputs: HashMap<Address, String>,
    objects: Option<Objects>,
    out: PathBuf,
}

impl Ears {
    /// Listens to what may be missed.
    async fn mentions(&self) -> Result<(), Problem> {
        let subject = self.streams.name.subject("progress", &self.run);
        let subscribed = self.streams.context.client().subscribe(subject).await;
        let mut heard = subscribed.map_err(|error| Problem::give_back(format!("NATS lets us not listen: {error}")))?;
        let sender = self.sender.clone();
        tokio::spawn(async move {
            while let Some(message) = heard.next().await {
                match serde_json::from_slice(&message.payload) {
                    // Where many wait, this is what can be missed.
                    Ok(event) => drop(sender.try_send(Ok(event))),
                    Err(error) => tracing::debug!(%error, "not understood"),
                }
                if sender.is_closed() {
                    return;
                }
            }
        });
        Ok(())
    }

    /// Listens to what counts. A consumer that is gone (the server was started again) is made anew, from where it stood.
    async fn listen(self, mut consumer: Consumer<pull::Config>) {
        let mut last = None;
        loop {
            let mut whole = true;
            match consumer.batch().max_messages(100).expires(LISTEN).messages().await {
                Ok(mut messages) => loop {
                    match tokio::time::timeout(LISTEN * 2, messages.next()).await {
                        Ok(Some(Ok(message))) => {
                            last = message.info().map(|info| info.stream_sequence).ok().or(last);
                            let event = match serde_json::from_slice(&message.payload) {
                                Ok(event) => self.fetched(event).await,
                                Err(error) => {
                                    tracing::warn!(%error, "a word of a worker is not understood");
                                    continue;
                                }
                            };
                            if self.sender.send(Ok(event)).await.is_err() {
                                return;
                            }
                        }
                        Ok(None) => break,
                        Ok(Some(Err(_))) | Err(_) => {
                            whole = false;
                            break;
                        }
                    }
                },
                Err(_) => whole = false,
            }
            if self.sender.is_closed() {
                return;
            }
            if !whole {
                tokio::time::sleep(Duration::from_millis(200)).await;
                match listener(&self.streams, &self.run, last).await {
                    Ok(anew) => consumer = anew,
                    Err(problem) => tracing::debug!(%problem, "listening again"),
                }
            }
        }
    }

    /// Where outputs are in the object store, a job is done when its output is here.
    async fn fetched(&self, event: Event) -> Event {
        let (Some(objects), Event::Done { address, worker, attempt, made }) = (&self.objects, &event) else {
            return event;
        };
        match self.fetch(objects, address).await {
            Ok(bytes) => Event::Done {
                address: address.clone(),
                worker: worker.clone(),
                attempt: *attempt,
                made: Made { bytes, ..made.clone() },
            },
            Err(problem) => Event::Dead {
                address: address.clone(),
                worker: worker.clone(),
                attempts: *attempt,
                reason: problem.reason,
            },
        }
    }

    async fn fetch(&self, objects: &Objects, address: &Address) -> Result<u64, Problem> {
        let Some(output) = self.outputs.get(address) else { return Ok(0) };
        let name = output.rsplit('/').next().unwrap_or(output);
        let scratch = Scratch::new(&self.out)?;
        objects.get(output, &scratch, name).await?;
        scratch.publish(name, &self.out.join(name))
    }
}
