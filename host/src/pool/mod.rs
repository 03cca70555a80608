//! Sessions of many tenants on worker threads, that survive anything a guest does.
//!
//! A [`Pool`] owns N worker threads; each owns the instances of its sessions. A session lives on one worker, in one
//! instance, on one codec: its frames stay in order. [`Pool::open`] puts it on the worker with the fewest sessions.
//! All calls return a [`Reply`], to be awaited (no runtime is assumed) or waited for.
//!
//! ```no_run
//! use sidetone_host::{EngineConfig, Key, Pool, Quota};
//! use sidetone_session::Config;
//!
//! let pool = Pool::builder()
//!     .engine(EngineConfig { instances: 100, ..EngineConfig::default() })
//!     .tenant("toys", Quota { sessions: Some(50), ..Quota::UNLIMITED })
//!     .build(sidetone_artifact::COMPONENT)?;
//!
//! let key = Key::new([7; 16]);
//! let gateway = pool.open("toys", &key, Config::gateway(1)).wait()?;
//! let device = pool.open("toys", &key, Config::device(1)).wait()?;
//! for datagram in device.send(vec![0; 960], 0).wait()? {
//!     assert_eq!(gateway.receive(datagram).wait()?.samples.len(), 960);
//! }
//! # Ok::<(), sidetone_host::PoolError>(())
//! ```
//!
//! # What a failure costs
//! | failure | who loses what |
//! |---|---|
//! | trap, deadline, memory, stack, broken return value | the session: the call that met it (one frame, with PCM that waited for the rest of its frame), the codecs' memory of the frames before |
//! | the same again and again | the session: what is asked while it waits to be opened again, then the session |
//! | a panic of the host on a worker | the session being served: as a trap. The others on that worker move to a new thread as they are |
//! | a full queue, a frame that is too old | that frame, of the tenant that has most of them waiting |
//! | a tenant over its quota | that tenant: the frame or session that is refused |
//!
//! No nonce leaves twice: the host reads the header of each datagram that a guest returns, lets none out whose sequence
//! number (and downlink, timestamp) is not above all before it, and opens a fresh instance with that mark. Packets that
//! a dying call had sealed never left, so that their numbers are used by the next ones: the wire shows no gap.
//!
//! # Costs
//! A frame costs, besides the guest: one allocation (the reply), two locks of the worker's queue (each some ten
//! instructions), two readings of the clock, and a wake-up where the worker, or the one who waits, sleeps. See
//! `cargo xtask bench pool`. The `metrics` facade costs an atomic operation a value once a recorder is installed.
//!
//! # Hazards
//! - Do not [`wait`](Reply::wait) on the threads of an async runtime, nor in an event callback.
//! - Time of guests is the time their calls take on the worker's thread; a machine with fewer processors than busy
//!   threads makes that more than their CPU time, and quotas and the ladder act on it.
//! - Metrics carry tenants and workers, not sessions: a label a session would grow without a bound. A session's own
//!   counts are [`PoolSession::stats`].

mod backoff;
mod builder;
mod clock;
mod error;
mod event;
mod histogram;
mod ladder;
mod mirror;
mod probe;
mod queue;
mod quota;
mod reply;
mod seat;
mod seats;
mod session;
mod shared;
mod stats;
mod tenant;
mod work;
mod worker;

pub use backoff::RestartPolicy;
pub use builder::Builder;
pub use clock::{Clock, Jitter};
pub use error::{CloseReason, PoolError, Refusal, RestartCause, Shed};
pub use event::Event;
pub use histogram::Latency;
pub use ladder::LadderConfig;
pub use probe::Room;
pub use quota::Quota;
pub use reply::Reply;
pub use session::{PoolSession, SessionId, SessionStats};
pub use stats::{Performance, PoolStats, WorkerStats};
pub use tenant::TenantStats;

use crate::{Engine, Key, Limits};
use histogram::Histogram;
use session::Meta;
use shared::Shared;
use sidetone_session::Config;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tenant::Tenant;
use work::Work;
use worker::Worker;

/// How long dropping a pool lets it finish what is queued.
const DROP_BOUND: Duration = Duration::from_millis(500);

/// What becomes of open sessions when the component is swapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swap {
    /// They stay on the component they were opened with.
    Drain,
    /// Each moves to the new one before its next frame, as after a restart, but with nothing lost: never while PCM
    /// waits for the rest of its frame. The codecs start anew.
    Move,
}

/// Sessions on worker threads. Share it by reference or `Arc`; dropping it ends its sessions, after what is queued was
/// done (at most half a second).
pub struct Pool {
    engine: Engine,
    shared: Arc<Shared>,
    workers: Vec<Arc<Worker>>,
    tenants: RwLock<HashMap<String, Arc<Tenant>>>,
    next_session: AtomicU64,
    next_tenant: AtomicUsize,
    turn: AtomicUsize,
    started: Duration,
}

impl Pool {
    /// Settings, all at their defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn new(engine: Engine, shared: Arc<Shared>) -> Self {
        Self {
            engine,
            started: shared.clock.now(),
            shared,
            workers: Vec::new(),
            tenants: RwLock::default(),
            next_session: AtomicU64::new(1),
            next_tenant: AtomicUsize::new(0),
            turn: AtomicUsize::new(0),
        }
    }

    fn add(&mut self, worker: Arc<Worker>) {
        self.workers.push(worker);
    }

    /// Opens a session of a tenant, in an instance of its own: some 70 µs on its worker. Dropping the reply closes it
    /// again.
    ///
    /// The reply's errors: [`PoolError::UnknownTenant`]; [`PoolError::Refused`] over the tenant's quota;
    /// [`PoolError::Busy`] where no slot is free; [`PoolError::Guest`] where the guest refuses the configuration, or
    /// fails.
    pub fn open(&self, tenant: &str, key: &Key, config: Config) -> Reply<PoolSession> {
        match self.enter(tenant, key, config) {
            Ok(reply) => reply,
            Err(error) => Reply::refused(error),
        }
    }

    fn enter(&self, tenant: &str, key: &Key, config: Config) -> Result<Reply<PoolSession>, PoolError> {
        let tenant = self.tenant(tenant).ok_or_else(|| PoolError::UnknownTenant(tenant.to_owned()))?;
        tenant.enter()?;
        let worker = self.least_loaded();
        let id = SessionId(self.next_session.fetch_add(1, Relaxed));
        let (answer, reply) = Reply::pair();
        let wait = self.shared.max_wait;
        let opened = worker.open(
            tenant.index,
            |lane| Meta::new(id, tenant.clone(), lane, &config, wait),
            |session| Work::Open { key: key.clone(), config, session, answer },
        );
        opened.inspect_err(|_| tenant.leave())?;
        Ok(reply)
    }

    fn tenant(&self, name: &str) -> Option<Arc<Tenant>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The worker with the fewest sessions; among equals, in turn.
    fn least_loaded(&self) -> &Arc<Worker> {
        let (count, first) = (self.workers.len(), self.turn.fetch_add(1, Relaxed));
        let in_turn = (0..count).map(|offset| &self.workers[first.wrapping_add(offset) % count]);
        // `min_by_key` takes the first of equals. A pool has a worker.
        in_turn.min_by_key(|worker| worker.sessions.load(Relaxed)).unwrap_or(&self.workers[0])
    }

    /// Names a tenant, or gives it another quota. Sessions that are open stay under the one they were opened with, and
    /// do not count against the new one.
    pub fn set_quota(&self, name: &str, quota: Quota) {
        let index = self.next_tenant.fetch_add(1, Relaxed);
        let limits = Limits::of(self.engine.config());
        let tenant = Arc::new(Tenant::new(index, name, quota, limits, self.shared.clock.now()));
        self.tenants.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), tenant);
    }

    /// Compiles a new component beside the running one, checks it (the same world, no imports), and opens new sessions
    /// on it, once a session opens on it by way of trial: one slot must be free. Takes 0.3-0.4 s on the caller's thread;
    /// frames go on meanwhile.
    ///
    /// # Errors
    /// [`PoolError::Guest`] with [`Error::Compile`](crate::Error::Compile), [`Error::Imports`](crate::Error::Imports) or
    /// [`Error::World`](crate::Error::World), or what the trial met: nothing has changed.
    pub fn swap(&self, component: &[u8], how: Swap) -> Result<(), PoolError> {
        let component = self.engine.compile(component)?;
        // A component that cannot even open a session is found out here, not by the sessions there are.
        drop(component.open(&Key::new([0; 16]), &Config::gateway(0))?);
        self.shared.swap(component, how);
        Ok(())
    }

    /// Instances that the pool has room for: what was asked for, or what the machine allows.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.engine.config().instances
    }

    /// Whether the last frames took longer, on average over the workers, than the ladder's `advise` (10 ms): the sign
    /// for a gateway to take no more calls.
    #[must_use]
    pub fn should_downgrade(&self) -> bool {
        let sum: u64 = self.workers.iter().map(|worker| worker.meters.average_nanos.load(Relaxed)).sum();
        Duration::from_nanos(sum / self.workers.len().max(1) as u64) > self.shared.ladder.advise
    }

    /// Counts since the start. Walks all histograms: some 20 µs a worker.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let tenants: Vec<_> = self.tenants.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let tenants = tenants.iter().map(|tenant| (tenant.name.to_string(), tenant.stats())).collect();
        let all =
            |which: fn(&Worker) -> &Histogram| Histogram::summary(self.workers.iter().map(|worker| which(worker)));
        let (queue, guest, total) = (all(|w| &w.meters.queue), all(|w| &w.meters.guest), all(|w| &w.meters.total));
        let sum = |count: fn(&Worker) -> u64| self.workers.iter().map(|worker| count(worker)).sum::<u64>();
        let runtime = self.shared.clock.now().saturating_sub(self.started).as_secs_f64();
        let per_second = if runtime > 0.0 { total.count as f64 / runtime } else { 0.0 };
        let depth = sum(|w| w.meters.depth.load(Relaxed)) as f64;
        let errors = |tenants: &std::collections::BTreeMap<String, TenantStats>| {
            tenants.values().map(|tenant| tenant.errors + tenant.restarts).sum()
        };
        PoolStats {
            workers: self.workers.len(),
            active_workers: self.workers.iter().filter(|worker| worker.sessions.load(Relaxed) > 0).count(),
            pending_requests: self.workers.iter().map(|worker| worker.queued()).sum(),
            performance: Performance {
                frames_processed: total.count,
                errors: errors(&tenants),
                avg_latency: total.avg,
                max_latency: total.max,
                avg_queue_size: if total.count == 0 { 0.0 } else { depth / total.count as f64 },
                runtime,
                frames_per_second: per_second,
                p50: total.p50,
                p95: total.p95,
                p99: total.p99,
            },
            sessions: self.workers.iter().map(|worker| worker.sessions.load(Relaxed)).sum(),
            slots: self.slots(),
            queue,
            guest,
            total,
            restarts: self.shared.restarts(),
            workers_replaced: sum(|w| w.meters.replaced.get()),
            tenants,
        }
    }

    /// Each worker by itself.
    #[must_use]
    pub fn worker_stats(&self) -> Vec<WorkerStats> {
        let one = |worker: &Arc<Worker>| WorkerStats {
            worker: worker.index,
            sessions: worker.sessions.load(Relaxed),
            queued: worker.queued(),
            recent_ms: worker.meters.average_nanos.load(Relaxed) as f64 / 1e6,
            total: Histogram::summary([&worker.meters.total].into_iter()),
        };
        self.workers.iter().map(one).collect()
    }

    /// Takes no more work, finishes what is queued within `bound`, and ends all sessions. Blocks. `false`: a worker was
    /// still busy after `bound` and the deadline of an operation; it ends by itself.
    ///
    /// Sessions and replies that are still held answer [`CloseReason::ShutDown`] from then on.
    pub fn shutdown(&self, bound: Duration) -> bool {
        let until = self.shared.clock.now().saturating_add(bound);
        self.workers.iter().for_each(|worker| worker.close(until));
        let config = self.engine.config();
        let patience = bound + config.deadline.max(config.init_deadline) + config.tick * 2;
        self.workers.iter().all(|worker| worker.join(patience))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shutdown(DROP_BOUND);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("workers", &self.workers.len())
            .field("slots", &self.slots())
            .finish_non_exhaustive()
    }
}
