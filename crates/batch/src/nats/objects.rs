//! Inputs and outputs in NATS's object store, for machines that share no storage.

use super::letters::PATIENCE;
use super::streams::Streams;
use crate::Problem;
use crate::job::Job;
use crate::scratch::Scratch;
use async_nats::jetstream::object_store::{Config, GetErrorKind, ObjectStore};
use async_nats::jetstream::stream::StorageType;
use sidetone_audio::shown;
use std::path::Path;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

/// How long a file stays.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// The bucket of a queue.
#[derive(Clone)]
pub(super) struct Objects(ObjectStore);

impl Objects {
    pub(super) async fn open(streams: &Streams) -> Result<Self, Problem> {
        let bucket = streams.name.stream("files");
        if let Ok(store) = streams.context.get_object_store(&bucket).await {
            return Ok(Self(store));
        }
        let config = Config { bucket: bucket.clone(), max_age: KEPT, storage: StorageType::File, ..Config::default() };
        match streams.context.create_object_store(config).await {
            Ok(store) => Ok(Self(store)),
            Err(error) => Err(Problem::give_back(format!(
                "NATS gives no bucket {bucket}: {error}; does its account allow it, is its disk full?"
            ))),
        }
    }

    /// Puts a batch's input there, if it is not there yet.
    pub(super) async fn lend(&self, job: &Job, input: &Path) -> Result<(), Problem> {
        if self.has(&job.input.path).await { Ok(()) } else { self.put(&job.input.path, input).await }
    }

    pub(super) async fn has(&self, name: &str) -> bool {
        self.0.info(name).await.is_ok_and(|info| !info.deleted)
    }

    pub(super) async fn put(&self, name: &str, from: &Path) -> Result<(), Problem> {
        let mut file = File::open(from).await.map_err(|error| Problem::io("open", from, &error))?;
        let put = tokio::time::timeout(PATIENCE, self.0.put(name, &mut file)).await;
        let why = match put {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("it took more than {PATIENCE:?}"),
        };
        let from = shown::path(from);
        Err(Problem::give_back(format!("cannot put {from} into the object store: {why}; is the disk of NATS full?")))
    }

    /// Gets an object into a file of a scratch folder.
    pub(super) async fn get(&self, name: &str, scratch: &Scratch, file: &str) -> Result<std::path::PathBuf, Problem> {
        let to = scratch.file(file);
        match tokio::time::timeout(PATIENCE, self.fetch(name, &to)).await {
            Ok(result) => result.map(|()| to),
            Err(_) => {
                Err(Problem::give_back(format!("{name} did not come out of the object store within {PATIENCE:?}")))
            }
        }
    }

    async fn fetch(&self, name: &str, to: &Path) -> Result<(), Problem> {
        let mut object = self.0.get(name).await.map_err(|error| match error.kind() {
            GetErrorKind::NotFound => Problem::give_back(format!(
                "{} is not in the object store (it is kept for a day); run the batch again",
                shown::text(name)
            )),
            _ => Problem::give_back(format!("cannot get {} from the object store: {error}", shown::text(name))),
        })?;
        let problem = |error: std::io::Error| Problem::io("write", to, &error);
        let mut file = File::create_new(to).await.map_err(problem)?;
        // The store's own hash is checked at the end of the object.
        tokio::io::copy(&mut object, &mut file).await.map_err(problem)?;
        file.flush().await.map_err(problem)
    }
}

/// Name of a fetched input, before its ending: which tells what it is, where its content does not.
pub(super) const INPUT: &str = "input";
