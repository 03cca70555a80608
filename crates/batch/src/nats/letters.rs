//! Messages that must arrive: sent again until the server has them on disk, for as long as that may take.

use super::streams::Streams;
use crate::{Event, Problem};
use async_nats::HeaderMap;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How long a server may be away before a message is given up.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

/// Pause before a message is sent again; it grows tenfold.
const PAUSE: Duration = Duration::from_millis(100);

/// A job that nobody does any more, with what it needs to be understood.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DeadLetter {
    pub(super) job: serde_json::Value,
    pub(super) worker: String,
    pub(super) attempts: u32,
    pub(super) reason: String,
}

impl Streams {
    /// Sends a message. The same `id` is stored once, however often it is sent.
    pub(super) async fn post(&self, subject: String, id: &str, payload: Vec<u8>) -> Result<(), Problem> {
        let until = Instant::now() + PATIENCE;
        let mut pause = PAUSE;
        loop {
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Msg-Id", id);
            let sent = self.context.publish_with_headers(subject.clone(), headers, payload.clone().into()).await;
            let stored = match sent {
                Ok(acknowledged) => acknowledged.await,
                Err(error) => Err(error),
            };
            match stored {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() >= until => {
                    return Err(Problem::give_back(format!("NATS does not take a message of {subject}: {error}")));
                }
                Err(error) => tracing::debug!(%error, subject, "sent again"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE * 10);
        }
    }

    /// Tells the batch of a run.
    pub(super) async fn tell(&self, run: &str, event: &Event) -> Result<(), Problem> {
        let (what, attempt) = match event {
            Event::Done { attempt, .. } => ("done", *attempt),
            Event::Failed { attempt, .. } => ("failed", *attempt),
            Event::Dead { attempts, .. } => ("dead", *attempts),
            Event::Started { .. } | Event::Progress { .. } => return self.mention(run, event).await,
        };
        let id = format!("{run}.{}.{what}.{attempt}", event.address());
        self.post(self.name.subject("event", run), &id, json(event)?).await
    }

    /// Tells what may be missed.
    async fn mention(&self, run: &str, event: &Event) -> Result<(), Problem> {
        let subject = self.name.subject("progress", run);
        // Where nobody can be told now, nobody needs to know later.
        if let Err(error) = self.context.client().publish(subject, json(event)?.into()).await {
            tracing::debug!(%error, "not mentioned");
        }
        Ok(())
    }

    /// Puts a job away for good, and tells the batch.
    pub(super) async fn bury(&self, run: &str, letter: &DeadLetter, event: &Event) -> Result<(), Problem> {
        let id = format!("{run}.{}", event.address());
        self.post(self.name.subject("dead", run), &id, json(letter)?).await?;
        self.tell(run, event).await
    }
}

pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value).map_err(|error| Problem::bury(format!("cannot be written as JSON: {error}")))
}
