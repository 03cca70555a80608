//! Watches the gateway: reads its numbers every second, hands them to alerts, and every ten seconds to history.

mod recent;
mod sample;
mod series;
mod window;

pub(crate) use recent::{BOUNDS, Recent, bounds_ms};
pub(crate) use sample::{Sample, Stage};
pub use series::reference;
pub(crate) use series::{COUNT_COUNT, COUNTS, GAUGE_COUNT, GAUGES, Series, all, loss, named};

use crate::alerts::Moment;
use crate::history::FINEST;
use crate::shared::Shared;
use sample::Standing;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{MissedTickBehavior, interval};
use window::Window;

/// How often the numbers are read.
const EVERY: Duration = Duration::from_secs(1);

/// What was read last.
#[derive(Debug, Default)]
pub(crate) struct Monitor(Mutex<Arc<Recent>>);

impl Monitor {
    /// The last minute.
    pub(crate) fn recent(&self) -> Arc<Recent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, recent: Recent) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(recent);
    }
}

/// Milliseconds of Unix time.
pub(crate) fn unix_millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}

/// Watches until it is dropped. What was not handed to history then is lost with it.
pub(crate) async fn watch(shared: Arc<Shared>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watch = Watch::new(&shared);
    loop {
        ticks.tick().await;
        watch.look(&shared);
    }
}

/// What watching goes by.
struct Watch {
    last: Standing,
    window: Window,
    /// What history is to be given, and the second it begins at.
    pending: (u64, Sample),
}

impl Watch {
    fn new(shared: &Shared) -> Self {
        Self {
            last: Standing::start(shared.now()),
            window: Window::default(),
            pending: (slot(unix_millis()), Sample::default()),
        }
    }

    fn look(&mut self, shared: &Shared) {
        let (now, unix) = (standing(shared), unix_millis());
        let sample = now.since(&self.last);
        self.last = now;
        let slot = slot(unix);
        if slot != self.pending.0 {
            let (at, whole) = std::mem::replace(&mut self.pending, (slot, Sample::default()));
            if whole.seconds > 0.0 {
                shared.history.sample(at, whole);
            }
        }
        self.pending.1.merge(&sample);
        self.window.push(sample);
        let minute = self.window.minute();
        shared.calls.look();
        shared.alerts.evaluate(shared, Moment { since_start: shared.now(), unix }, &minute);
        shared.monitor.set(Recent(minute));
    }
}

/// The second that a sample of history begins at.
const fn slot(unix: u64) -> u64 {
    let seconds = unix / 1000;
    seconds - seconds % FINEST
}

fn standing(shared: &Shared) -> Standing {
    let reading = shared.pool.reading();
    let gauges = std::array::from_fn(|at| (GAUGES[at].read)(shared, &reading));
    let counts = std::array::from_fn(|at| (COUNTS[at].read)(shared, &reading));
    Standing { at: shared.now(), gauges, counts, latency: [reading.queue, reading.guest, reading.total] }
}
