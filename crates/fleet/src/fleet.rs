//! The fleet: starts the devices and the attackers, watches over them, ends them, and reports.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use sidetone_mqtt::{Options, tls};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until, timeout};

use crate::device::{Hubs, VirtualDevice};
use crate::hostile::{self, Mode};
use crate::report::Report;
use crate::speech::Speech;
use crate::stats::{Counts, Stats, Timeline};
use crate::{Config, Error, Pattern};

/// How often progress is told.
const PROGRESS: Duration = Duration::from_millis(500);
/// How long goodbyes may take.
const GOODBYES: Duration = Duration::from_secs(10);
/// Packets that an attacker has overheard, at most.
const OVERHEARD: usize = 64;

/// A datagram, and the server it went to.
type Overheard = (SocketAddr, Vec<u8>);

/// What all tasks of a fleet share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) options: Options,
    pub(crate) speech: Speech,
    pub(crate) stats: Stats,
    pub(crate) start: Instant,
    /// Ports that calls share, where they do.
    pub(crate) hubs: Hubs,
    server: OnceLock<SocketAddr>,
    /// Packets of devices, for attackers; `None` where there are none.
    overheard: Option<Mutex<Vec<Overheard>>>,
}

impl Shared {
    /// Time since the start.
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// A hello reply named this server.
    pub(crate) fn saw_server(&self, server: SocketAddr) {
        // The first one is as good as any.
        let _ = self.server.set(server);
    }

    /// A server that a hello reply named.
    pub(crate) fn server(&self) -> Option<SocketAddr> {
        self.server.get().copied()
    }

    /// A device sent this: whoever listens may keep it.
    pub(crate) fn overheard(&self, server: SocketAddr, datagram: &[u8]) {
        let Some(overheard) = &self.overheard else { return };
        // One in so many is enough, and does not hold the devices up.
        if datagram.get(15).is_some_and(|sequence| sequence.is_multiple_of(8)) {
            let mut overheard = overheard.lock().unwrap_or_else(PoisonError::into_inner);
            if overheard.len() < OVERHEARD {
                overheard.push((server, datagram.to_vec()));
            } else {
                let place = usize::from(datagram[7]) % OVERHEARD;
                overheard[place] = (server, datagram.to_vec());
            }
        }
    }

    /// One of the packets overheard lately.
    pub(crate) fn overhear(&self, random: u64) -> Option<Overheard> {
        let overheard = self.overheard.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let place = random as usize % overheard.len().max(1);
        overheard.get(place).cloned()
    }
}

/// How far a run has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Since the start.
    pub elapsed: Duration,
    /// How long it is to last.
    pub duration: Duration,
    /// Devices of the fleet.
    pub devices: u32,
    /// Counts so far.
    pub counts: Counts,
    /// The latest figure for mouth to ear, of all marks so far: median and the worst hundredth.
    pub mouth_to_ear: Option<(Duration, Duration)>,
    /// Devices are saying goodbye.
    pub ending: bool,
}

/// Virtual devices, ready to run.
///
/// ```no_run
/// # async fn example() -> Result<(), sidetone_fleet::Error> {
/// use sidetone_fleet::{Config, Fleet};
///
/// let config = Config { devices: 200, gateway: "mqtt://127.0.0.1:1883".into(), ..Config::default() };
/// let report = Fleet::new(config)?.run(|_| (), std::future::pending()).await;
/// assert_eq!(report.counts.calls_lost, 0);
/// # Ok(())
/// # }
/// ```
pub struct Fleet {
    config: Config,
    options: Options,
    speech: Speech,
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fleet").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Fleet {
    /// Checks the configuration, reads and encodes the speech (a second of CPU a minute of speech).
    ///
    /// # Errors
    /// [`Error`]: a setting that cannot be, speech or certificates that cannot be read.
    pub fn new(config: Config) -> Result<Self, Error> {
        config.check()?;
        let mut options = Options::new(&config.gateway).map_err(|error| Error::Config(error.to_string()))?;
        let secure = ["mqtts://", "wss://"].iter().any(|scheme| config.gateway.starts_with(scheme));
        if secure {
            let trusted = tls::client(config.certificates.as_deref(), None);
            options.tls = Some(trusted.map_err(|error| Error::Config(error.to_string()))?);
        }
        let speech = Speech::load(&config.speech)?;
        Ok(Self { config, options, speech })
    }

    /// Runs until the configured duration is over or `cancel` completes, then lets every device say goodbye. `progress`
    /// is called twice a second. To be called inside a tokio runtime with its I/O and time drivers on.
    ///
    /// What goes wrong with devices ends nothing: it is in the report.
    pub async fn run(self, mut progress: impl FnMut(&Progress), cancel: impl Future<Output = ()>) -> Report {
        let Self { config, options, speech } = self;
        let spoofs = config.hostile.iter().any(|hostile| hostile.mode == Mode::Spoof);
        let shared = Arc::new(Shared {
            config,
            options,
            speech,
            stats: Stats::default(),
            start: Instant::now(),
            hubs: Hubs::default(),
            server: OnceLock::new(),
            overheard: spoofs.then(Mutex::default),
        });
        let (end, ending) = watch::channel(false);
        let mut tasks = JoinSet::new();
        start(&shared, &ending, &mut tasks);

        let mut timeline = Timeline::new(&shared.stats);
        let mut ticks = interval(PROGRESS);
        tokio::pin!(cancel);
        let over = sleep_until(shared.start + shared.config.duration);
        tokio::pin!(over);
        let mut cancelled = false;
        loop {
            tokio::select! {
                biased;
                () = &mut cancel => {
                    cancelled = true;
                    break;
                }
                () = &mut over => break,
                _ = ticks.tick() => {
                    timeline.sample(shared.now(), &shared.stats);
                    progress(&state(&shared, false));
                    if is_done(&shared, &tasks) {
                        break;
                    }
                }
            }
        }
        let elapsed = shared.now();
        let timeline = timeline.finish(elapsed, &shared.stats);
        progress(&state(&shared, true));
        // Nobody listens where all devices are gone already.
        let _ = end.send(true);
        let goodbyes = async { while tasks.join_next().await.is_some() {} };
        if timeout(GOODBYES, goodbyes).await.is_err() {
            shared.stats.cause("goodbyes took too long");
            tasks.abort_all();
        }
        Report::new(&shared.config, &shared.stats, &shared.speech, timeline, elapsed, cancelled)
    }
}

fn start(shared: &Arc<Shared>, ending: &watch::Receiver<bool>, tasks: &mut JoinSet<()>) {
    for index in 0..shared.config.devices {
        match VirtualDevice::new(shared, index) {
            Ok(device) => drop(tasks.spawn(device.live(ending.clone()))),
            Err(error) => shared.stats.cause(&error.to_string()),
        }
    }
    let last = shared.config.first + shared.config.devices;
    for (number, hostile) in (last..).zip(shared.config.hostile.iter()) {
        tasks.spawn(hostile::attack(Arc::clone(shared), *hostile, number, ending.clone()));
    }
}

/// Whether every device has made all the calls it should.
fn is_done(shared: &Shared, tasks: &JoinSet<()>) -> bool {
    let (Some(calls), Pattern::Calls(_)) = (shared.config.calls, shared.config.pattern) else {
        return tasks.is_empty();
    };
    let counts = shared.stats.counters.snapshot();
    let wanted = u64::from(calls) * u64::from(shared.config.devices);
    let over = counts.calls_completed + counts.calls_failed + counts.calls_lost;
    shared.config.devices > 0 && counts.in_call == 0 && over >= wanted
}

fn state(shared: &Shared, ending: bool) -> Progress {
    let heard = shared.stats.mouth_to_ear.snapshot();
    Progress {
        elapsed: shared.now(),
        duration: shared.config.duration,
        devices: shared.config.devices,
        counts: shared.stats.counters.snapshot(),
        mouth_to_ear: heard.percentile(50.0).zip(heard.percentile(99.0)),
        ending,
    }
}
