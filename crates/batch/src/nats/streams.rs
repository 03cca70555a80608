//! The streams of a queue: made by whoever comes first.

use crate::Problem;
use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, pull};
use async_nats::jetstream::context::{ContextBuilder, RequestErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream};
use std::fmt;
use std::time::Duration;

/// Most deliveries of a job that the server makes. A worker gives up before, at the job's own number of attempts.
pub const MOST_DELIVERIES: u32 = 25;

/// Jobs that may wait; a batch that has more waits for room.
const MOST_JOBS: i64 = 100_000;

/// Words that are kept.
const MOST_EVENTS: i64 = 2_000_000;

/// Jobs that may be in work at a time, all workers together.
const MOST_IN_WORK: i64 = 10_000;

/// How long a message may wait for the server's word.
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// How long a message may wait to be stored before it is sent again.
const STORED: Duration = Duration::from_secs(2);

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Name of the consumer that all workers share.
const WORKERS: &str = "workers";

/// How long a job may be silent before it is given to another worker, where nobody says otherwise.
pub(super) const ACK_WAIT: Duration = Duration::from_secs(30);

/// The name of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueName(String);

impl QueueName {
    /// A name, if it is one.
    ///
    /// # Errors
    /// What is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if (1..=32).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a queue's name is 1 to 32 letters, digits, dashes and underscores".to_owned())
        }
    }

    pub(super) fn stream(&self, what: &str) -> String {
        format!("{self}-{what}")
    }

    pub(super) fn subject(&self, what: &str, run: &str) -> String {
        format!("{self}.{what}.{run}")
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The streams, ready for use.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    pub(super) name: QueueName,
    pub(super) context: Context,
    pub(super) jobs: Stream,
    pub(super) events: Stream,
}

impl Streams {
    /// Finds them, or makes them.
    pub(super) async fn open(client: async_nats::Client, name: &QueueName) -> Result<Self, Problem> {
        let context = ContextBuilder::new().timeout(ANSWER).ack_timeout(STORED).build(client);
        // Read by hand: servers differ in what else they say.
        let account: Result<serde_json::Value, _> = context.request("INFO", &()).await;
        let why = match account {
            Ok(account) => {
                account.pointer("/error/description").map(|why| why.as_str().unwrap_or("an error").to_owned())
            }
            Err(error) if error.kind() == RequestErrorKind::TimedOut => {
                return Err(Problem::give_back(format!("NATS does not answer within {ANSWER:?}; is it overloaded?")));
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = why {
            return Err(Problem::give_back(format!(
                "NATS has no JetStream for us ({why}); start it with nats-server -js -sd FOLDER"
            )));
        }
        let jobs = Config {
            retention: RetentionPolicy::WorkQueue,
            max_messages: MOST_JOBS,
            discard: DiscardPolicy::New,
            max_age: 7 * DAY,
            duplicate_window: Duration::from_secs(120),
            ..config(name, "jobs", "job")
        };
        let events = Config {
            max_messages: MOST_EVENTS,
            discard: DiscardPolicy::Old,
            max_age: DAY,
            duplicate_window: Duration::from_secs(120),
            ..config(name, "events", "event")
        };
        let dead = Config { max_age: 30 * DAY, ..config(name, "dead", "dead") };
        make(&context, dead).await?;
        let (jobs, events) = (make(&context, jobs).await?, make(&context, events).await?);
        Ok(Self { name: name.clone(), context, jobs, events })
    }

    /// The consumer that workers share. `ack_wait` changes it, where it is given.
    pub(super) async fn workers(&self, ack_wait: Option<Duration>) -> Result<Consumer<pull::Config>, Problem> {
        let config = pull::Config {
            durable_name: Some(WORKERS.to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ack_wait.unwrap_or(ACK_WAIT),
            max_deliver: MOST_DELIVERIES.into(),
            max_ack_pending: MOST_IN_WORK,
            filter_subject: self.name.subject("job", ">"),
            ..pull::Config::default()
        };
        let problem = |error: &dyn fmt::Display| {
            Problem::give_back(format!(
                "NATS gives no consumer {WORKERS:?} of stream {}: {error}",
                self.name.stream("jobs")
            ))
        };
        match ack_wait {
            // Of an existing one this changes the time.
            Some(_) => self.jobs.create_consumer(config).await.map_err(|error| problem(&error)),
            None => self.jobs.get_or_create_consumer(WORKERS, config).await.map_err(|error| problem(&error)),
        }
    }
}

fn config(name: &QueueName, what: &str, subject: &str) -> Config {
    Config {
        name: name.stream(what),
        subjects: vec![name.subject(subject, ">")],
        storage: StorageType::File,
        ..Config::default()
    }
}

async fn make(context: &Context, config: Config) -> Result<Stream, Problem> {
    let name = config.name.clone();
    let made = context.get_or_create_stream(config).await;
    made.map_err(|error| {
        Problem::give_back(format!(
            "NATS gives no stream {name}: {error}; does its account allow it, is its disk full?"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_has_a_plain_name() {
        assert_eq!(QueueName::parse("night-1").unwrap().subject("job", "7f"), "night-1.job.7f");
        for bad in ["", "a.b", "a>", "*", "ä", &"a".repeat(33)] {
            assert!(QueueName::parse(bad).is_err(), "{bad}");
        }
    }
}
