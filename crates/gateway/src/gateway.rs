//! A running gateway.

use crate::alerts::{Alerts, Moment};
use crate::bridge::{self, Bridge};
use crate::calls::Calls;
use crate::config::{Change, Config, ConfigError, Listen, Problem};
use crate::device;
use crate::edge::mqtt::broker::Broker;
use crate::edge::mqtt::endpoint;
use crate::edge::{ServerTls, Shown, Udp, WebTransportInfo};
use crate::error::StartError;
use crate::history::History;
use crate::http::{Http, Serving};
use crate::link::{Identity, Link};
use crate::listeners::{Addresses, LoopbackMqtt, bind_mqtt, listen_mqtt, listen_web, server_tls};
use crate::monitor::{self, unix_millis};
use crate::prometheus;
use crate::shared::{DEFAULT_TENANT, Phase, Running, Shared};
use sha2::{Digest, Sha256};
use sidetone_host::{EngineConfig, Pool, Quota};
use sidetone_mqtt::Transport;
use sidetone_protocol::credential::SignatureKey;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

/// Slots of the pool beside those of calls: for a trial of a new component.
const SPARE_SLOTS: u32 = 2;

/// What of the time for the end is kept for what comes after the goodbyes: listeners, and the pool.
const REST: Duration = Duration::from_secs(1);

/// A gateway that serves devices until it is shut down. Dropping it ends everything at once, without a goodbye.
pub struct Gateway {
    shared: Arc<Shared>,
    edges: JoinSet<()>,
    http: Option<Serving>,
    addresses: Addresses,
}

impl Gateway {
    /// Starts a gateway on the component that is built in. Compiles it first: some 0.4 s on the caller's thread.
    ///
    /// # Errors
    /// [`StartError`], which names the setting at fault.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        config.check()?;
        // Before the bridge counts anything.
        prometheus::install();
        let bridge = bridge::from_config(&config.bridge)?;
        Self::start_with(config, bridge).await
    }

    /// Starts a gateway on a bridge of one's own; `[bridge]` has no say then.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with(config: Config, bridge: Box<dyn Bridge>) -> Result<Self, StartError> {
        config.check()?;
        // Before anything is counted.
        let recorder = prometheus::install();
        let calls = Arc::new(Calls::default());
        let (pool, component) = pool(&config, &calls, bridge.instances())?;
        let pool = Arc::new(pool);
        let key = config.mqtt.signature_key.as_ref().map(|key| SignatureKey::new(key.expose().as_bytes())).transpose();
        let key = key.map_err(|error| StartError::Setting { name: "mqtt.signature_key", why: error.to_string() })?;
        let tls = Shown::new(ServerTls::load(&config)?);
        let operators = (history(&config)?, alerts(&config)?);
        let shared = Arc::new(Shared::new(config, key, tls, pool, component, bridge, calls, operators));
        let config = shared.config();
        let (mut edges, mut addresses) = (JoinSet::new(), Addresses::default());
        if let Some(recorder) = recorder {
            edges.spawn(prometheus::keep_up(recorder));
        }
        if let Some(address) = config.udp.listen.address() {
            let bind = |error| StartError::Listen { what: "udp.listen", address, error };
            let udp = Udp::bind(address, config.udp.receive_buffer).map_err(bind)?;
            let bound = udp.local_addr().map_err(bind)?;
            addresses.udp = Some(bound);
            let listening = shared.edges.listening("udp.listen", bound);
            edges.spawn(listening.while_serving(udp.serve(shared.media.clone())));
        }
        addresses.mqtt = listen_mqtt(&shared, &mut edges, "mqtt.listen", config.mqtt.listen, None).await?;
        if config.mqtt.tls_listen != Listen::OFF {
            let (tls, listen) = (Some(server_tls(&shared)?.config), config.mqtt.tls_listen);
            addresses.mqtt_tls = listen_mqtt(&shared, &mut edges, "mqtt.tls_listen", listen, tls).await?;
        }
        listen_web(&shared, &mut edges, &mut addresses).await?;
        if let Some(broker) = Broker::new(shared.clone())? {
            edges.spawn(broker.serve());
        }
        edges.spawn(monitor::watch(shared.clone()));
        edges.spawn(crate::alerts::deliver(shared.clone()));
        // Last: who asks finds everything else in place.
        let mut http = None;
        if let Some(address) = config.http.listen.address() {
            let bind = |error| StartError::Listen { what: "http.listen", address, error };
            let server = Http::bind(address).await.map_err(bind)?;
            addresses.http = Some(server.local_addr().map_err(bind)?);
            http = Some(server.start(shared.clone()));
        }
        Ok(Self { shared, edges, http, addresses })
    }

    /// Takes a new configuration on, as far as that goes while calls are live: see [`Applies`](crate::config::Applies).
    /// Certificates are read anew too, and shown to whoever connects from then on.
    /// A configuration that does not go changes nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn reload(&self, new: &Config) -> Result<Change, ConfigError> {
        new.check()?;
        let shared = &self.shared;
        let old = shared.config();
        let room = shared.pool.slots().saturating_sub(SPARE_SLOTS) / shared.bridge.instances().saturating_add(1);
        let (effective, mut change) = old.adopt(new, room);
        // Read before anything is changed. The files may be others though their names are not.
        let tls = ServerTls::load(&effective)
            .map_err(|error| ConfigError::from(Problem::new("mqtt.certificate", error.to_string())))?;
        // Only what changed: a new quota begins with new counts.
        for (name, tenant) in &effective.tenants {
            if change.applied.iter().any(|changed| changed.strip_prefix("tenants.") == Some(name)) {
                shared.pool.set_quota(name, tenant.into());
            }
        }
        shared.history.set_bounds(effective.history.bounds());
        shared.alerts.reload(shared, &effective.alerts);
        shared.set_config(effective);
        if shared.tls.show(tls) && !change.applied.iter().any(|name| name == "mqtt.certificate") {
            change.applied.push("mqtt.certificate".into());
        }
        Ok(change)
    }

    /// Where it listens.
    #[must_use]
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Where WebTransport listens, and what a page must know of its certificate now. `None`: it does not listen.
    #[must_use]
    pub fn web_transport(&self) -> Option<WebTransportInfo> {
        self.shared.web_transport()
    }

    /// Opens a port on loopback that speaks MQTT without TLS, for as long as the answer is kept: for a check from within
    /// the process where all other ports want certificates. Credentials are asked for as everywhere.
    ///
    /// # Errors
    /// [`StartError::Listen`].
    pub async fn loopback_mqtt(&self) -> Result<LoopbackMqtt, StartError> {
        let mut task = JoinSet::new();
        let listener = bind_mqtt("mqtt.listen", (Ipv4Addr::LOCALHOST, 0).into(), Transport::Tcp).await?;
        let address = listener.local_addr();
        task.spawn(endpoint::serve(self.shared.clone(), listener));
        Ok(LoopbackMqtt { address, _task: task })
    }

    /// Serves a device on a link of one's own, until link or gateway end.
    pub fn serve(&mut self, identity: Identity, link: impl Link + 'static) {
        self.edges.spawn(device::serve(self.shared.clone(), identity, link));
    }

    /// Calls that are live.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.shared.calls.len()
    }

    /// The connections to the external broker, by what they are for, and whether they stand.
    #[must_use]
    pub fn brokers(&self) -> BTreeMap<String, bool> {
        self.shared.brokers()
    }

    /// What was counted since the start, by name: datagrams, what was dropped and why, calls, messages.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.shared.counters.all()
    }

    /// Takes no more calls, says goodbye to all devices, and ends within `[session] drain`. `false`: something was still
    /// busy then, and was dropped.
    pub async fn shut_down(mut self) -> bool {
        let drain = Duration::from_secs(self.shared.config().session.drain);
        let end = Instant::now() + drain;
        let rest = (drain / 4).min(REST);
        self.shared.phase.send_replace(Phase::Draining);
        let devices = self.shared.devices.clone();
        let left = async {
            while devices.len() > 0 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let drained = timeout_at(end - rest, left).await.is_ok();
        if !drained {
            tracing::warn!(devices = devices.len(), "some devices did not take their goodbye in time");
        }
        let http = self.http.take();
        let listeners = async {
            let answered = async {
                if let Some(http) = http {
                    http.shut_down().await;
                }
            };
            tokio::join!(self.edges.shutdown(), answered)
        };
        let closed = timeout_at(end - rest / 2, listeners).await.is_ok();
        let shared = self.shared.clone();
        let left = end.saturating_duration_since(Instant::now());
        let ended = tokio::task::spawn_blocking(move || {
            shared.history.close();
            shared.pool.shutdown(left)
        });
        let ended = timeout_at(end, ended).await.is_ok_and(|ended| ended.unwrap_or(false));
        drained && closed && ended
    }
}

/// The pool; `extra`: instances that a call may take beside its own.
fn pool(config: &Config, calls: &Arc<Calls>, extra: u32) -> Result<(Pool, Running), StartError> {
    let instances = config.limits.calls.saturating_mul(extra.saturating_add(1)).saturating_add(SPARE_SLOTS);
    let usual = EngineConfig::default();
    let deadline = Duration::from_millis(config.pool.deadline);
    // Who is patient with a frame is so with an opening.
    let engine = EngineConfig { instances, deadline, init_deadline: usual.init_deadline.max(deadline), ..usual };
    let mut builder = Pool::builder().engine(engine).tenant(DEFAULT_TENANT, Quota::UNLIMITED);
    builder = builder.tenant(bridge::TENANT, Quota::UNLIMITED);
    if let Some(workers) = config.pool.workers {
        builder = builder.workers(workers);
    }
    if let Some(wait) = config.pool.wait {
        builder = builder.max_wait(Duration::from_millis(wait));
    }
    for (name, tenant) in &config.tenants {
        builder = builder.tenant(name, tenant.into());
    }
    let calls = calls.clone();
    builder = builder.on_event(move |event| calls.pool_event(event));
    let Some(path) = &config.pool.component else {
        let running = Running {
            sha256: sidetone_artifact::COMPONENT_SHA256.into(),
            core_sha256: Some(sidetone_artifact::CORE_SHA256),
        };
        return Ok((builder.build(sidetone_artifact::COMPONENT)?, running));
    };
    let own = std::fs::read(path).map_err(|error| StartError::File {
        setting: "pool.component",
        path: path.clone(),
        error,
    })?;
    let sha256 = Sha256::digest(&own).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((builder.build(&own)?, Running { sha256, core_sha256: None }))
}

/// Begins to keep history.
fn history(config: &Config) -> Result<History, StartError> {
    let started = History::start(config.history.place(), config.history.bounds());
    started.map_err(|error| StartError::Setting { name: "history.file", why: format!("no thread for it: {error}") })
}

fn alerts(config: &Config) -> Result<Alerts, StartError> {
    let at = Moment { since_start: Duration::ZERO, unix: unix_millis() };
    Alerts::new(&config.alerts, at).map_err(|(name, why)| StartError::Setting { name, why })
}
