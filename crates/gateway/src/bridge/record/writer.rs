//! The thread that writes, and the queue to it. Bounded: what a slow disk leaves behind is lost, and counted.

use super::files::Files;
use super::{events, name};
use crate::bridge::{Call, Form};
use crate::config::BridgeConfig;
use crate::counters::RecordCounts;
use crate::error::StartError;
use serde_json::Value;
use sidetone_opus::SampleRate;
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel};
use std::time::{Duration, Instant, SystemTime};

/// Pieces and events of all sessions that wait for the disk: some 4 s of 1,000 calls, 8 MB.
const QUEUE: usize = 4_096;

/// How long the end of a recorder waits for its files.
const FINISHING: Duration = Duration::from_secs(2);

/// Audio of one direction.
#[derive(Debug)]
pub(super) enum Piece {
    Pcm(Vec<i16>),
    Packet(Vec<u8>),
}

/// What audio of a session is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) uplink: (u32, u8),
    pub(super) downlink: (u32, u8),
}

/// For the thread; `session` in each names the session.
enum Job {
    Open { session: u64, files: Box<Files> },
    Uplink { session: u64, piece: Piece, position: Option<u64> },
    Downlink { session: u64, piece: Piece },
    Event { session: u64, millis: u64, event: Value },
    Close { session: u64, millis: u64, lost: u64 },
}

/// The way to the thread.
pub(super) struct Writer {
    /// `None` once it ends.
    jobs: Option<SyncSender<Job>>,
    /// Says when the thread is through.
    finished: std::sync::Mutex<Receiver<()>>,
    counts: Arc<RecordCounts>,
    directory: PathBuf,
    most_bytes: u64,
    next: AtomicU64,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn start(config: &BridgeConfig) -> Result<Self, StartError> {
        let directory = config.directory.clone();
        let file = |error| StartError::File { setting: "bridge.directory", path: directory.clone(), error };
        std::fs::create_dir_all(&directory).map_err(file)?;
        let probe = directory.join(".sidetone.part");
        std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)).map_err(file)?;
        let counts = Arc::new(RecordCounts::default());
        let (jobs, waiting) = sync_channel(QUEUE);
        let (done, finished) = channel();
        let own = counts.clone();
        let thread = std::thread::Builder::new().name("sidetone-record".into());
        let run = move || {
            write(&waiting, &own);
            // Nobody may wait for it any more.
            let _ = done.send(());
        };
        thread.spawn(run).map_err(file)?;
        Ok(Self {
            jobs: Some(jobs),
            finished: finished.into(),
            counts,
            directory,
            most_bytes: config.most_bytes,
            next: AtomicU64::new(0),
        })
    }

    pub(super) fn counts(&self) -> Arc<RecordCounts> {
        self.counts.clone()
    }

    /// Begins a session's files.
    pub(super) fn open(&self, call: &Call, uplink: Form, rate: SampleRate) -> Session {
        let now = SystemTime::now();
        let heard = if let Form::Pcm(rate) = uplink { rate.hz() } else { call.hello.audio_params.sample_rate };
        let shape = Shape {
            uplink: (heard, call.uplink_channels().count() as u8),
            downlink: (rate.hz(), call.downlink_channels().count() as u8),
        };
        let failed = Arc::new(AtomicBool::new(false));
        let stem = name::stem(now, &call.device, &call.session_id);
        let path = self.directory.join(stem);
        let files = Files::new(path, shape, self.most_bytes, self.counts.clone(), failed.clone());
        let number = self.next.fetch_add(1, Relaxed);
        let mut session = Session {
            jobs: self.jobs.clone(),
            number,
            started: Instant::now(),
            lost: 0,
            failed,
            counts: self.counts.clone(),
        };
        session.put(Job::Open { session: number, files: Box::new(files) });
        session.event(events::opened(call, &name::time(now)));
        session
    }
}

impl Drop for Writer {
    /// Waits a little for files to be completed. (Calls hold the queue too, until they have ended.)
    fn drop(&mut self) {
        self.jobs = None;
        let finished = self.finished.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        if finished.recv_timeout(FINISHING) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("recordings were left incomplete, as .part");
        }
    }
}

/// A session's way to the thread.
pub(super) struct Session {
    jobs: Option<SyncSender<Job>>,
    number: u64,
    started: Instant,
    lost: u64,
    failed: Arc<AtomicBool>,
    counts: Arc<RecordCounts>,
}

impl Session {
    pub(super) fn uplink(&mut self, piece: Piece, position: Option<u64>) {
        self.put(Job::Uplink { session: self.number, piece, position });
    }

    pub(super) fn downlink(&mut self, piece: Piece) {
        self.put(Job::Downlink { session: self.number, piece });
    }

    pub(super) fn event(&mut self, event: Value) {
        let millis = self.millis();
        self.put(Job::Event { session: self.number, millis, event });
    }

    /// Whether no more of it is written.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    pub(super) fn counts(&self) -> &RecordCounts {
        &self.counts
    }

    /// Completes the files. The one thing that is not lost where the queue is full.
    pub(super) fn close(mut self) {
        let Some(jobs) = self.jobs.take() else { return };
        let job = Job::Close { session: self.number, millis: self.millis(), lost: self.lost };
        if let Err(TrySendError::Full(job)) = jobs.try_send(job) {
            tokio::task::spawn_blocking(move || jobs.send(job));
        }
    }

    fn put(&mut self, job: Job) {
        if let Some(jobs) = &self.jobs
            && jobs.try_send(job).is_err()
        {
            self.lost += 1;
            self.counts.lost.add(1);
        }
    }

    fn millis(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

impl Drop for Session {
    /// A call that was cut off leaves complete files too, where there is room to say so.
    fn drop(&mut self) {
        if let Some(jobs) = self.jobs.take() {
            let job = Job::Close { session: self.number, millis: self.millis(), lost: self.lost };
            drop(jobs.try_send(job));
        }
    }
}

fn write(jobs: &Receiver<Job>, counts: &RecordCounts) {
    let mut sessions: HashMap<u64, Box<Files>> = HashMap::new();
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Open { session, files } => drop(sessions.insert(session, files)),
            Job::Uplink { session, piece, position } => {
                if let Some(files) = sessions.get_mut(&session) {
                    files.uplink(&piece, position);
                }
            }
            Job::Downlink { session, piece } => {
                if let Some(files) = sessions.get_mut(&session) {
                    files.downlink(&piece);
                }
            }
            Job::Event { session, millis, event } => {
                if let Some(files) = sessions.get_mut(&session) {
                    files.event(millis, event);
                }
            }
            Job::Close { session, millis, lost } => {
                if let Some(files) = sessions.remove(&session) {
                    counts.files.add(files.close(millis, lost));
                }
            }
        }
    }
    for files in sessions.into_values() {
        counts.files.add(files.close(0, 0));
    }
}
