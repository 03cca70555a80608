//! How a pool is set up.

use super::backoff::RestartPolicy;
use super::clock::{Clock, Jitter};
use super::event::{Event, Sink};
use super::ladder::LadderConfig;
use super::probe::{self, Room};
use super::queue::Bounds;
use super::relief::watch;
use super::shared::Shared;
use super::worker::Worker;
use super::{Pool, PoolError, Quota};
use crate::{Component, EngineConfig};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Settings of a pool. Every one has a default.
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    workers: usize,
    engine: EngineConfig,
    tenants: Vec<(String, Quota)>,
    session_queue: usize,
    worker_queue: usize,
    max_wait: Option<Duration>,
    restart: RestartPolicy,
    ladder: LadderConfig,
    spin: Duration,
    room: Option<Room>,
    clock: Clock,
    jitter: Jitter,
    sink: Sink,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            workers: thread::available_parallelism().map_or(1, usize::from),
            engine: EngineConfig::default(),
            tenants: Vec::new(),
            session_queue: 40,
            worker_queue: 4096,
            max_wait: None,
            restart: RestartPolicy::default(),
            ladder: LadderConfig::default(),
            spin: Duration::ZERO,
            room: None,
            clock: Clock::monotonic(),
            jitter: Jitter::random(),
            sink: Sink(Arc::new(|_| {})),
        }
    }
}

impl Builder {
    /// Worker threads, at least one; by default as many as this process has processors. More than that gain nothing: a
    /// guest never waits for anything. A worker whose guests take long has up to three threads more for that time.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Slots, memory and deadlines; by default 1,000 slots of 8 MiB, 50 ms an operation, 500 ms an opening. A slot costs
    /// 8 GiB of address space, and memory (some 200 KiB) only while a session is in it. Fewer slots are made, with
    /// a warning, where the machine does not hold so many; see [`Pool::slots`].
    pub fn engine(mut self, engine: EngineConfig) -> Self {
        self.engine = engine;
        self
    }

    /// A tenant and its quota; by default there is none, and nobody can open anything. The last quota of a name counts.
    /// A tenant costs some 6 KiB. One without bounds may take all slots: see [`Quota`].
    pub fn tenant(mut self, name: impl Into<String>, quota: Quota) -> Self {
        self.tenants.push((name.into(), quota));
        self
    }

    /// Most frames that wait: of one session (40 by default, 2.4 s of 60 ms frames), and of one worker (4,096). Where
    /// there is one more, the oldest goes: of that session, or of the tenant that has most of them waiting. As many
    /// sessions as frames may wait at a worker to be opened. A longer queue makes frames late, not more of them.
    pub fn queues(mut self, session: usize, worker: usize) -> Self {
        (self.session_queue, self.worker_queue) = (session.max(1), worker.max(1));
        self
    }

    /// How long a frame may wait before it is given up; by default as long as the frame itself lasts. Much longer, and
    /// a device hears what was said long ago, instead of a gap.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = Some(wait);
        self
    }

    /// How often a session may fail; by default it is closed at the eighth failure within 10 s. A restart costs
    /// its worker as much as an opening.
    pub fn restart(mut self, policy: RestartPolicy) -> Self {
        self.restart = policy;
        self
    }

    /// When workers change the quality; by default down above 15 and 25 ms, up below 5 and 10 ms after 5 s. Marks close
    /// together make it swing; a tenant's or session's pin overrules it.
    pub fn ladder(mut self, ladder: LadderConfig) -> Self {
        self.ladder = ladder;
        self
    }

    /// How long an idle worker looks for work before it sleeps; by default not at all. A sleeping thread takes 5 to
    /// 50 µs to wake. Costs up to a core a worker while sessions talk.
    pub fn spin(mut self, spin: Duration) -> Self {
        self.spin = spin;
        self
    }

    /// What the machine allows; by default it is asked. Where it allows less than is said here, openings fail later, with
    /// [`PoolError::Exhausted`].
    pub fn room(mut self, room: Room) -> Self {
        self.room = Some(room);
        self
    }

    /// Another clock than the machine's monotonic one, for tests. Queues, quotas, back-off and ladder go by it; the
    /// guests' deadlines do not. It is read three times a frame.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Other jitter than random, for tests. With the same for all, sessions that failed together come back together.
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Told of every [`Event`]; by default nobody is. On the thread that met it, a worker's or a blocking caller's: that
    /// worker waits meanwhile, so return at once, and do not wait for the pool. A panic costs the frame.
    pub fn on_event(mut self, sink: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.sink = Sink(Arc::new(sink));
        self
    }

    /// Reserves the slots, compiles the component (0.3-0.4 s) and starts the workers.
    ///
    /// Install a `metrics` recorder before: handles are made here.
    ///
    /// # Errors
    /// [`PoolError::Start`] where the machine cannot run it or gives no thread; [`PoolError::Guest`] where the bytes are
    /// no Sidetone component.
    pub fn build(self, component: &[u8]) -> Result<Pool, PoolError> {
        let room = self.room.unwrap_or_else(Room::here);
        let engine = probe::engine(&self.engine, &room).map_err(|error| PoolError::Start(error.to_string()))?;
        tracing::info!(instances = engine.config().instances, workers = self.workers, ?room, "the pool's size");
        let component = engine.compile(component)?;
        self.build_on(component)
    }

    /// A pool on a component that is compiled already; its slots are shared with whoever else uses its engine.
    /// [`engine`](Self::engine) and [`room`](Self::room) have no say then.
    ///
    /// # Errors
    /// [`PoolError::Start`] where the machine gives no thread.
    pub fn build_on(self, component: Component) -> Result<Pool, PoolError> {
        let engine = component.engine().clone();
        let bounds = Bounds { session: self.session_queue, worker: self.worker_queue };
        let shared = Arc::new(Shared::new(
            component,
            self.clock,
            self.jitter,
            self.sink,
            self.restart,
            self.ladder,
            bounds,
            (self.spin, self.max_wait),
        ));
        let mut workers = Vec::new();
        for index in 0..self.workers {
            match Worker::start(index, shared.clone()) {
                Ok(worker) => workers.push(worker),
                Err(error) => {
                    workers.iter().for_each(|worker| worker.close(Duration::ZERO));
                    return Err(error);
                }
            }
        }
        let watch = watch(&workers).map_err(|error| {
            workers.iter().for_each(|worker| worker.close(Duration::ZERO));
            PoolError::Start(format!("no thread to watch the workers: {error}"))
        })?;
        let pool = Pool::new(engine, shared, workers, watch);
        for (name, quota) in &self.tenants {
            pool.set_quota(name, *quota);
        }
        Ok(pool)
    }
}
