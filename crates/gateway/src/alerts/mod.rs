//! Alerts: rules that compare the last minute with thresholds, who is told, and silences by hand.
//!
//! [`Board`] decides and takes time as an argument; this carries out what it decides.

mod board;
mod defaults;
mod outbox;
mod payload;
mod rule;
mod state;
mod webhook;

pub(crate) use board::{AlertView, FiredView, Moment, Totals};
pub(crate) use defaults::defaults;
pub(crate) use rule::{Comparison, Rule, Severity};
pub(crate) use webhook::parse as parse_webhook;

use crate::calls::CallEvent;
use crate::config;
use crate::history::{Fired, Silence};
use crate::monitor::{Sample, unix_millis};
use crate::retry::random;
use crate::shared::Shared;
use board::{Board, Outcome};
use outbox::Outbox;
use serde::Serialize;
use sidetone_protocol::device::Reconnect;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;
use webhook::{Refused, Target};

/// Waits between attempts to deliver.
const RETRY: Reconnect = Reconnect { first: Duration::from_secs(1), most: Duration::from_secs(300), jitter: true };

/// How often what waits is looked at, where nothing new comes.
const LOOK: Duration = Duration::from_secs(5);

/// Alerts of a gateway.
#[derive(Default)]
pub(crate) struct Alerts {
    board: Mutex<Board>,
    outbox: Mutex<Outbox>,
    target: Mutex<Option<Arc<Target>>>,
    instance: Mutex<String>,
    /// Something new waits, or the target is another.
    wake: Notify,
    delivery: Delivery,
}

/// How deliveries go.
#[derive(Debug, Default)]
struct Delivery {
    failing: AtomicBool,
    why: Mutex<Option<String>>,
    sent: AtomicU64,
    failed: AtomicU64,
}

/// The webhook, as the API has it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookView {
    to: String,
    working: bool,
    why: Option<String>,
    waiting: usize,
    sent: u64,
    failed: u64,
    given_up: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Alerts {
    /// Alerts by a configuration.
    ///
    /// # Errors
    /// The setting at fault, and what is wrong with it.
    pub(crate) fn new(config: &config::Alerts, at: Moment) -> Result<Self, (&'static str, String)> {
        let alerts = Self::default();
        *lock(&alerts.target) = Target::new(config)?.map(Arc::new);
        *lock(&alerts.instance) = instance(config);
        lock(&alerts.board).set_rules(config.rules(), at);
        Ok(alerts)
    }

    /// Takes another configuration on. A webhook that cannot be made of it leaves the old one, and is logged.
    pub(crate) fn reload(&self, shared: &Shared, config: &config::Alerts) {
        let same = lock(&self.target).as_ref().map_or(config.webhook.is_none(), |target| target.is(config));
        // An authority's file may have been replaced under its name.
        if !same || config.webhook_ca.is_some() {
            match Target::new(config) {
                Ok(target) => {
                    *lock(&self.target) = target.map(Arc::new);
                    if !same {
                        self.delivery.failing.store(false, Relaxed);
                        *lock(&self.delivery.why) = None;
                    }
                }
                Err((name, why)) => tracing::error!(setting = name, why, "the webhook stays as it was"),
            }
        }
        *lock(&self.instance) = instance(config);
        let at = Moment { since_start: shared.now(), unix: unix_millis() };
        let outcome = lock(&self.board).set_rules(config.rules(), at);
        self.carry_out(shared, at, outcome);
        self.wake.notify_one();
    }

    /// Takes in the last minute.
    pub(crate) fn evaluate(&self, shared: &Shared, at: Moment, minute: &Sample) {
        if let Some((silences, fired)) = shared.history.restored() {
            let fired = fired.iter().filter_map(|Fired(view)| serde_json::from_str(view).ok());
            let mut board = lock(&self.board);
            board.restore(silences, fired.collect());
            // Those set meanwhile took the place of all that were there.
            shared.history.silences(board.silences());
        }
        let outcome = lock(&self.board).evaluate(at, minute);
        self.carry_out(shared, at, outcome);
    }

    fn carry_out(&self, shared: &Shared, at: Moment, outcome: Outcome) {
        for alert in outcome.changed {
            shared.calls.tell(&CallEvent::Alert { at: at.unix, alert });
        }
        for fired in outcome.fired {
            tracing::warn!(alert = fired.id(), value = fired.value(), "an alert is {}", fired.state());
            match serde_json::to_string(&fired) {
                Ok(view) => shared.history.fired(Fired(view)),
                Err(error) => tracing::error!(%error, "an alert cannot be written down"),
            }
        }
        if outcome.silences {
            shared.history.silences(lock(&self.board).silences());
        }
        if !outcome.notices.is_empty() && lock(&self.target).is_some() {
            let mut outbox = lock(&self.outbox);
            outcome.notices.into_iter().for_each(|notice| outbox.put(notice, at.since_start));
            drop(outbox);
            self.wake.notify_one();
        }
    }

    /// Silences an alert for some seconds. `None`: there is no such alert.
    pub(crate) fn silence(&self, shared: &Shared, id: &str, seconds: u64, why: Option<String>) -> Option<AlertView> {
        let until = unix_millis() + seconds * 1000;
        let alert = lock(&self.board).silence(Silence { id: id.to_owned(), until, why })?;
        Some(self.silenced(shared, alert))
    }

    /// Lifts a silence.
    pub(crate) fn lift(&self, shared: &Shared, id: &str) -> Option<AlertView> {
        let alert = lock(&self.board).lift(id)?;
        Some(self.silenced(shared, alert))
    }

    fn silenced(&self, shared: &Shared, alert: AlertView) -> AlertView {
        shared.history.silences(lock(&self.board).silences());
        shared.calls.tell(&CallEvent::Alert { at: unix_millis(), alert: alert.clone() });
        alert
    }

    pub(crate) fn list(&self) -> (Vec<AlertView>, Vec<FiredView>) {
        let board = lock(&self.board);
        (board.list(), board.recent())
    }

    /// Names of all alerts.
    pub(crate) fn ids(&self) -> Vec<String> {
        lock(&self.board).ids().map(str::to_owned).collect()
    }

    pub(crate) fn totals(&self) -> Totals {
        lock(&self.board).totals()
    }

    pub(crate) fn is_webhook_failing(&self) -> bool {
        self.delivery.failing.load(Relaxed)
    }

    pub(crate) fn webhook(&self) -> Option<WebhookView> {
        let to = lock(&self.target).as_ref()?.shown();
        let outbox = lock(&self.outbox);
        Some(WebhookView {
            to,
            working: !self.is_webhook_failing(),
            why: lock(&self.delivery.why).clone(),
            waiting: outbox.waiting(),
            sent: self.delivery.sent.load(Relaxed),
            failed: self.delivery.failed.load(Relaxed),
            given_up: outbox.given_up(),
        })
    }

    /// Delivers one batch of what waits. How long to wait before the next.
    async fn deliver(&self, shared: &Shared, failures: &mut u32) -> Duration {
        let due = {
            let mut outbox = lock(&self.outbox);
            outbox.expire(shared.now());
            outbox.due(shared.now())
        };
        let target = lock(&self.target).clone();
        let (Some(target), false) = (target, due.is_empty()) else { return LOOK };
        let body = payload::payload(&due, &lock(&self.instance)).to_string();
        match target.post(body).await {
            Ok(()) => {
                if self.delivery.failing.swap(false, Relaxed) {
                    tracing::info!(to = target.shown(), "the webhook takes alerts again");
                }
                *lock(&self.delivery.why) = None;
                self.delivery.sent.fetch_add(due.len() as u64, Relaxed);
                lock(&self.outbox).delivered(&due);
                *failures = 0;
                return Duration::ZERO;
            }
            Err(Refused::Lasting(why)) => {
                lock(&self.outbox).refused(&due);
                self.failed(why);
                *failures = 0;
            }
            Err(Refused::Passing(why)) => {
                *failures = failures.saturating_add(1);
                self.failed(why);
                return RETRY.delay(*failures, random());
            }
        }
        LOOK
    }

    fn failed(&self, why: String) {
        self.delivery.failed.fetch_add(1, Relaxed);
        if !self.delivery.failing.swap(true, Relaxed) {
            tracing::error!(why, "alerts cannot be delivered");
        }
        *lock(&self.delivery.why) = Some(why);
    }
}

/// Delivers alerts to the webhook until it is dropped.
pub(crate) async fn deliver(shared: Arc<Shared>) {
    let (alerts, mut failures) = (&shared.alerts, 0);
    loop {
        let wait = alerts.deliver(&shared, &mut failures).await;
        if failures > 0 {
            // Another target may take it; what is new meanwhile waits along with the rest.
            let before = lock(&alerts.target).clone();
            let until = tokio::time::Instant::now() + wait;
            while tokio::time::timeout_at(until, alerts.wake.notified()).await.is_ok() {
                let now = lock(&alerts.target).clone();
                if before.as_ref().map(Arc::as_ptr) != now.as_ref().map(Arc::as_ptr) {
                    break;
                }
            }
        } else if !wait.is_zero() {
            // Whether something new came or it is time to look: both are a reason to look.
            drop(timeout(wait, alerts.wake.notified()).await);
        }
    }
}

/// Which gateway speaks.
fn instance(config: &config::Alerts) -> String {
    let named = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = config.instance.clone().or_else(named).unwrap_or_default();
    if name.trim().is_empty() { "sidetone".into() } else { name.trim().to_owned() }
}

impl std::fmt::Debug for Alerts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alerts").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}
