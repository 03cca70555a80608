//! What all parts of a gateway have in common.

use crate::alerts::Alerts;
use crate::bridge::Bridge;
use crate::calls::Calls;
use crate::config::Config;
use crate::counters::Counters;
use crate::descriptors;
use crate::edge::{Edges, Shown, WebTransportInfo};
use crate::history::History;
use crate::link::Identity;
use crate::media::Table;
use crate::monitor::Monitor;
use crate::protect::Bucket;
use crate::registry::{Devices, Entered, Full};
use sidetone_host::Pool;
use sidetone_protocol::Time;
use sidetone_protocol::credential::SignatureKey;
use sidetone_protocol::topic::ClientId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// What a gateway is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Taking calls.
    Serving,
    /// Ending its calls.
    Draining,
}

/// The component that runs.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    /// Of its bytes.
    pub(crate) sha256: String,
    /// Of its core module, where it is the one built in.
    pub(crate) core_sha256: Option<&'static str>,
}

pub(crate) struct Shared {
    /// In force; replaced whole on a reload.
    config: RwLock<Arc<Config>>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) bridge: Box<dyn Bridge>,
    pub(crate) media: Arc<Table>,
    pub(crate) devices: Arc<Devices>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) history: History,
    pub(crate) alerts: Alerts,
    pub(crate) monitor: Monitor,
    pub(crate) phase: watch::Sender<Phase>,
    pub(crate) edges: Edges,
    pub(crate) component: Running,
    /// The certificate that TLS shows.
    pub(crate) tls: Shown,
    /// What devices' passwords are made with.
    pub(crate) signature_key: Option<SignatureKey>,
    /// Connections to the broker, and whether they stand.
    brokers: Mutex<BTreeMap<String, bool>>,
    /// Connections that the system has room for.
    room: usize,
    hellos: Mutex<Bucket>,
    epoch: Instant,
    web_transport: Mutex<Option<WebTransportInfo>>,
}

impl Shared {
    #[allow(clippy::too_many_arguments, reason = "called once, with all that was made")]
    pub(crate) fn new(
        config: Config,
        signature_key: Option<SignatureKey>,
        tls: Shown,
        pool: Arc<Pool>,
        component: Running,
        bridge: Box<dyn Bridge>,
        calls: Arc<Calls>,
        (history, alerts): (History, Alerts),
    ) -> Self {
        let counters = Arc::new(Counters::default());
        let rate = f64::from(config.limits.hellos_per_second);
        Self {
            media: Arc::new(Table::new(counters.clone())),
            devices: Arc::default(),
            calls,
            counters,
            history,
            alerts,
            monitor: Monitor::default(),
            phase: watch::Sender::new(Phase::Serving),
            signature_key,
            tls,
            brokers: Mutex::default(),
            room: descriptors::room(),
            hellos: Mutex::new(Bucket::new(rate, rate, Duration::ZERO)),
            epoch: Instant::now(),
            config: RwLock::new(Arc::new(config)),
            edges: Edges::default(),
            component,
            web_transport: Mutex::default(),
            pool,
            bridge,
        }
    }

    /// The configuration in force. Keep it for one piece of work, not longer.
    pub(crate) fn config(&self) -> Arc<Config> {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another configuration in force.
    pub(crate) fn set_config(&self, config: Config) {
        let rate = f64::from(config.limits.hellos_per_second);
        let mut current = self.config.write().unwrap_or_else(PoisonError::into_inner);
        if current.limits.hellos_per_second != config.limits.hellos_per_second {
            *self.hellos.lock().unwrap_or_else(PoisonError::into_inner) = Bucket::new(rate, rate, self.now());
        }
        *current = Arc::new(config);
    }

    /// Time since the gateway started.
    pub(crate) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// The same, for the protocol.
    pub(crate) fn time(&self) -> Time {
        Time::from_millis(self.now().as_millis() as u64)
    }

    /// When the gateway started.
    pub(crate) const fn epoch(&self) -> Instant {
        self.epoch
    }

    /// A time of the protocol, for the runtime's timers.
    pub(crate) fn instant(&self, time: Time) -> Instant {
        self.epoch + Duration::from_millis(time.as_millis())
    }

    /// Devices that may be connected: as configured, and as the system's limit of open files allows.
    pub(crate) fn most_devices(&self) -> usize {
        self.config().limits.devices.min(self.room)
    }

    /// A place for a device, where there is one.
    pub(crate) fn enter(&self, identity: &Identity) -> Result<Entered, Full> {
        let entered = self.devices.enter(identity, self.most_devices())?;
        self.counters.totals.connections.add(1);
        self.counters.totals.connections_replaced.add(entered.replaced.into());
        Ok(entered)
    }

    pub(crate) fn admits_hello(&self) -> bool {
        self.hellos.lock().unwrap_or_else(PoisonError::into_inner).take(self.now())
    }

    /// A connection to the broker stands, or does not.
    pub(crate) fn broker_is(&self, role: &str, up: bool) {
        metrics::gauge!("sidetone_broker_up", "connection" => role.to_owned()).set(f64::from(u8::from(up)));
        self.brokers.lock().unwrap_or_else(PoisonError::into_inner).insert(role.to_owned(), up);
    }

    /// Connections to the broker, and whether they stand.
    pub(crate) fn brokers(&self) -> BTreeMap<String, bool> {
        self.brokers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where WebTransport listens, and what certificate it shows from now on.
    pub(crate) fn set_web_transport(&self, info: WebTransportInfo) {
        *self.web_transport.lock().unwrap_or_else(PoisonError::into_inner) = Some(info);
    }

    /// Where WebTransport listens, if it does, and what certificate it shows now.
    pub(crate) fn web_transport(&self) -> Option<WebTransportInfo> {
        self.web_transport.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The host and port that a device is told to send its audio to.
    pub(crate) fn udp_endpoint(&self, identity: &Identity) -> (String, u16) {
        let config = self.config();
        let udp = &config.udp;
        let bound = self.edges.address("udp.listen");
        let port = udp.public_port.or(bound.map(|address| address.port())).unwrap_or_default();
        let bound = bound.map(|address| address.ip()).filter(|ip| !ip.is_unspecified());
        let host = udp.public_host.clone().or_else(|| bound.or(identity.local).map(|ip| ip.to_string()));
        (host.unwrap_or_else(|| "127.0.0.1".into()), port)
    }

    /// The tenant of a device: the group of its client id, where that names one.
    pub(crate) fn tenant_of(&self, device: &ClientId) -> String {
        let config = self.config();
        let named = device.group().filter(|group| config.tenants.contains_key(*group));
        named.unwrap_or(DEFAULT_TENANT).to_owned()
    }
}

/// The tenant of devices that belong to no other.
pub(crate) const DEFAULT_TENANT: &str = "default";
