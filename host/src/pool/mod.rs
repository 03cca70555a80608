//! Sessions of many tenants on worker threads, that survive anything a guest does.
//!
//! A [`Pool`] owns N workers; each owns the instances of its sessions. A session lives on one worker, in one instance, on
//! one codec: its frames stay in order. [`Pool::open`] puts it on the worker with the fewest sessions. All calls return a
//! [`Reply`], to be awaited (no runtime is assumed) or waited for. A thread that may block has it cheaper with
//! [`blocking_send`](PoolSession::blocking_send) and its kind: it does the frame itself where its worker is idle.
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
//! Besides sessions there are, with the same quotas, deadlines and restarts: encoders and decoders by themselves
//! ([`Pool::encoder`], [`Pool::decoder`]), and single packets ([`Pool::seal`], [`Pool::open_packet`]). The folder
//! `examples` has each of these; they run as they are.
//!
//! # What to do with an error
//! | [`PoolError`] | what happened | what to do |
//! |---|---|---|
//! | `Guest` | the guest refused a bad datagram or setting | drop it; many that are [implausible](crate::OpenError::is_implausible) in a row mean a wrong key |
//! | `Restarted`, `Lost` | the instance failed, and a fresh one goes on | go on: one frame is lost |
//! | `Shed`, `Refused` | too late, too much | go on: that frame is lost. `Refused` by [`Pool::open`]: no more sessions for this tenant |
//! | `BackingOff` | it fails again and again | go on, or close it |
//! | `Busy`, `Exhausted` | no slot, no memory | open it elsewhere, or later |
//! | `Closed` | it is over | open another one |
//!
//! # What a failure costs
//! | failure | who loses what |
//! |---|---|
//! | a trap, a deadline missed (endless loop), deep recursion, too much memory, a return value that is broken (lengths that lie, lists outside of the memory or of more than it, a nonce twice) | the session: the call that met it (one frame, with PCM that waited for the rest of its frame), and the codecs' memory of the frames before. Two in a row cost two. Others on that worker: nothing |
//! | a guest that takes long, until it is done or its deadline ends it | others on that worker wait 5 to 10 ms; then another thread serves them. At most three of a tenant's guests are at work on a worker at a time, and one thread more serves the others; where several tenants have four such guests on one worker, the rest wait for the first to end |
//! | a failure while opening; a start that hangs | its opener: the session it asked for. No slot |
//! | a failure at every restart | the session: what is asked while it waits to be opened again, then the session (see [`RestartPolicy`]) |
//! | a panic of the host on a worker | the session being served: as a trap. The others on that worker go on, on a new thread, as they are |
//! | more sessions than slots | those that are too many: `Busy`. The others: nothing |
//! | a full queue, a frame that is too old | that frame, of the tenant that has most of them waiting |
//! | a tenant over its quota | that tenant: the frame or session that is refused. Another tenant waits for at most a quantum of 1 ms and the frame in the guest |
//! | a clock that jumps | what waited in a queue then, where it jumps forward. (The machine's monotonic clock does not) |
//! | a bad component in [`Pool::swap`] | nothing |
//!
//! No nonce leaves twice: the host reads the header of each datagram that a guest returns, lets none out whose sequence
//! number (and downlink, timestamp) is not above all before it, and opens a fresh instance with that mark. Packets that
//! a dying call had sealed never left, so that their numbers are used by the next ones: the wire shows no gap.
//!
//! # Costs
//! A frame costs, besides the guest: one allocation (the reply), two locks of the worker's queue (each some ten
//! instructions), three readings of the clock, and a wake-up where the worker, or the one who waits, sleeps: together
//! 1 to 2 µs where nobody sleeps. What is left: the allocations that wasmtime makes of the lists a guest
//! returns, and the two hops between threads of one who sends a frame and waits for it, some 80 µs where both must be
//! woken. A `blocking_` call has neither hop; [`Builder::spin`] buys async callers out of one, with CPU. See
//! `cargo xtask bench pool`. A frame that a quota refuses costs its caller no lock of a worker.
//! The `metrics` facade costs an atomic operation a value once a recorder is installed. Two threads besides the workers
//! wake every 5 ms, for deadlines and for guests that take long.
//!
//! # Metrics
//! All metrics, with labels, units and help, are in [`metrics::ALL`](crate::metrics::ALL). They carry tenants and
//! workers, not sessions: a label a session would grow without a bound. A session's own counts are
//! [`PoolSession::stats`], the pool's [`Pool::stats`]. Failures and their guest backtraces are logged with `tracing`.
//!
//! # Hazards
//! - Do not [`wait`](Reply::wait), and call nothing that begins with `blocking_`, on the threads of an async runtime or
//!   in an event callback.
//! - A `blocking_` call runs the guest on its caller's stack, where that has 768 KiB left; elsewhere a worker does it.
//! - Time of guests is the time their calls take on the worker's thread; a machine with fewer processors than busy
//!   threads makes that more than their CPU time, and quotas and the ladder act on it.
//! - A swap to another component compiles on the caller's thread and needs a free slot.

mod backoff;
mod builder;
mod caller;
mod clock;
mod codec;
mod codec_work;
mod error;
mod event;
mod hand;
mod handle;
mod histogram;
mod ladder;
mod latency_counts;
mod meter;
mod meters;
mod mirror;
mod occupant;
mod packet_work;
mod packets;
mod place;
mod probe;
mod queue;
mod quota;
mod reading;
mod relief;
mod reply;
mod seat;
mod seated;
mod session;
mod shared;
mod shift;
mod stateless;
mod stats;
mod stream_work;
mod tenant;
mod work;
mod worker;

pub use backoff::RestartPolicy;
pub use builder::Builder;
pub use clock::{Clock, Jitter};
pub use codec::{PoolDecoder, PoolEncoder};
pub use error::{CloseReason, PoolError, Refusal, RestartCause, Shed};
pub use event::Event;
pub use histogram::Latency;
pub use ladder::LadderConfig;
pub use latency_counts::LatencyCounts;
pub use probe::Room;
pub use quota::Quota;
pub use reading::Reading;
pub use reply::Reply;
pub use session::{PoolSession, SessionCounts, SessionId, SessionMeters, SessionStats};
pub use stats::{Performance, PoolStats, WorkerStats};
pub use tenant::TenantStats;

use crate::ticker::Ticker;
use crate::{Engine, Key, Limits, metrics as table};
use handle::Handle;
use packets::Entry;
use place::Places;
use reply::Answer;
use session::{Meta, Shape};
use shared::Shared;
use sidetone_session::Config;
use std::collections::HashMap;
use std::fmt;
use std::hash::RandomState;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tenant::Tenant;
use work::{Opening, Work};
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
    tenants: RwLock<HashMap<String, Arc<Entry>>>,
    next_session: AtomicU64,
    places: Arc<Places>,
    turn: AtomicUsize,
    started: Duration,
    /// Which worker has a key's schedules.
    spread: RandomState,
    _watch: Ticker,
}

impl Pool {
    /// Settings, all at their defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn new(engine: Engine, shared: Arc<Shared>, workers: Vec<Arc<Worker>>, watch: Ticker) -> Self {
        table::describe();
        table::SLOTS.gauge(&[]).set(f64::from(engine.config().instances));
        Self {
            engine,
            started: shared.clock.now(),
            shared,
            workers,
            tenants: RwLock::default(),
            next_session: AtomicU64::new(1),
            places: Arc::default(),
            turn: AtomicUsize::new(0),
            spread: RandomState::new(),
            _watch: watch,
        }
    }

    /// Opens a session of a tenant, in an instance of its own: some 70 µs on its worker. Dropping the reply closes it
    /// again.
    ///
    /// The reply's errors: [`PoolError::UnknownTenant`]; [`PoolError::Refused`] over the tenant's quota;
    /// [`PoolError::Busy`] where no slot is free; [`PoolError::Guest`] where the guest refuses the configuration, or
    /// fails.
    pub fn open(&self, tenant: &str, key: &Key, config: Config) -> Reply<PoolSession> {
        self.enter(tenant, Shape::of(&config), |handle, answer| Opening::Session {
            key: key.clone(),
            config,
            session: PoolSession(handle),
            answer,
        })
    }

    /// Opens something of a tenant on the least loaded worker.
    fn enter<T>(&self, tenant: &str, shape: Shape, opening: impl FnOnce(Handle, Answer<T>) -> Opening) -> Reply<T> {
        let (answer, reply) = Reply::pair();
        let entered = self.tenant(tenant).and_then(|entry| {
            self.place(&entry.tenant, self.least_loaded(), shape, |handle| (Work::Open(opening(handle, answer)), ()))
        });
        match entered {
            Ok(()) => reply,
            Err(error) => Reply::known(Err(error)),
        }
    }

    /// A lane of a tenant on a worker, and its first work, made of the handle.
    fn place<T>(
        &self,
        tenant: &Arc<Tenant>,
        worker: &Arc<Worker>,
        mut shape: Shape,
        work: impl FnOnce(Handle) -> (Work, T),
    ) -> Result<T, PoolError> {
        tenant.enter(self.shared.clock.now())?;
        let id = SessionId(self.next_session.fetch_add(1, Relaxed));
        shape.worth = shape.worth.map(|worth| self.shared.max_wait.unwrap_or(worth));
        let meta = |lane| Meta::new(id, tenant.clone(), lane, shape);
        let opened = worker.open(tenant.place.index(), meta, |meta| work(Handle::new(meta, worker.clone())));
        opened.inspect_err(|_| tenant.leave())
    }

    fn tenant(&self, name: &str) -> Result<Arc<Entry>, PoolError> {
        let entry = self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        entry.ok_or_else(|| PoolError::UnknownTenant(name.to_owned()))
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
        let limits = Limits::of(self.engine.config());
        let tenant = Arc::new(Tenant::new(self.places.take(), name, quota, limits));
        let entry = Arc::new(Entry::new(tenant, self.workers.len()));
        let before = self.tenants.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), entry);
        // Its packet instances end here, outside the lock.
        drop(before);
    }

    /// Compiles a new component beside the running one, checks it (no imports; the same world, or one that has more),
    /// and opens new sessions on it, once a session opens on it by way of trial: one slot must be free. Takes 0.3-0.4 s
    /// on the caller's thread; frames go on meanwhile.
    ///
    /// # Errors
    /// [`PoolError::Guest`] with [`Error::Compile`](crate::Error::Compile), [`Error::Imports`](crate::Error::Imports) or
    /// [`Error::World`](crate::Error::World), which lists what is missing, new and of another type, or what the trial
    /// met: nothing has changed.
    pub fn swap(&self, component: &[u8], how: Swap) -> Result<(), PoolError> {
        let result = self.try_swap(component, how);
        let word = if result.is_ok() { "swapped" } else { "refused" };
        table::SWAPS.counter(&[word]).increment(1);
        result.inspect_err(|error| tracing::warn!(%error, "a component was refused; the one that runs stays"))
    }

    fn try_swap(&self, component: &[u8], how: Swap) -> Result<(), PoolError> {
        let (_, running) = self.shared.component();
        let component = running.successor(component)?;
        // A component that cannot even open a session is found out here, not by the sessions there are.
        drop(component.open(&Key::new([0; 16]), &Config::gateway(0))?);
        let difference = running.difference(&component);
        if !difference.is_none() {
            tracing::info!(%difference, "the new component has a larger world");
        }
        self.shared.swap(component, how);
        tracing::info!(?how, "another component runs");
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

    /// Takes no more work, finishes what is queued within `bound`, and ends all sessions. Blocks. `false`: a worker was
    /// still busy after `bound` and the deadline of an operation; it ends by itself.
    ///
    /// Sessions and replies that are still held answer [`CloseReason::ShutDown`] from then on.
    pub fn shutdown(&self, bound: Duration) -> bool {
        let until = self.shared.clock.now().saturating_add(bound);
        self.workers.iter().for_each(|worker| worker.close(until));
        let config = self.engine.config();
        let patience = bound.saturating_add(config.deadline.max(config.init_deadline)).saturating_add(config.tick * 2);
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
