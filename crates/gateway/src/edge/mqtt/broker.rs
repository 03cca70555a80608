//! The gateway as a client of an external broker, alone or as one of a group that shares the devices.
//!
//! | connection | subscribes to | takes from it |
//! |---|---|---|
//! | one | `$share/<group>/…` of all devices | hellos: each comes to one gateway of the group |
//! | one, where there is an envelope topic | that topic | what is no hello, of the devices whose call is here |
//! | one a call ([`call_link`](super::call_link)) | the device's own topic | what the device says; its last will is goodbye |

use super::call_link::CallLink;
use super::{keep_alive, read};
use crate::config::BrokerProtocol;
use crate::device;
use crate::error::StartError;
use crate::link::{Identity, Said};
use crate::retry::Retry;
use crate::shared::{Phase, Shared};
use sidetone_mqtt::client::{Client, Event, connect};
use sidetone_mqtt::{Options, Qos, Version, tls};
use sidetone_protocol::message::{DeviceBody, DeviceMessage};
use sidetone_protocol::topic::{ClientId, Dialect, Envelope, PER_DEVICE_FILTER, Uplink};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// Messages of a device behind an envelope that wait.
const WAITING: usize = 32;

/// A broker that is to be reached.
pub(crate) struct Broker {
    shared: Arc<Shared>,
    options: Options,
    /// Devices behind the envelope whose call is here.
    routes: Mutex<HashMap<ClientId, mpsc::Sender<Said>>>,
}

impl Broker {
    /// Checks the settings. `None`: there is no broker.
    pub(crate) fn new(shared: Arc<Shared>) -> Result<Option<Arc<Self>>, StartError> {
        let config = shared.config();
        let config = &config.broker;
        let Some(url) = &config.url else { return Ok(None) };
        let setting = |name, why: String| StartError::Setting { name, why };
        let mut options = Options::new(url).map_err(|error| setting("broker.url", error.to_string()))?;
        options.version = match config.protocol {
            BrokerProtocol::V311 => Version::V311,
            BrokerProtocol::V5 => Version::V5,
        };
        options.username.clone_from(&config.username);
        let password = config.password.as_ref().map(|secret| secret.expose().as_bytes().to_vec());
        options.password = password.map(Zeroizing::new);
        let identity = match (&config.certificate, &config.key) {
            (Some(certificate), Some(key)) => {
                Some(tls::Identity { certificate: certificate.clone(), key: key.clone() })
            }
            (None, None) => None,
            _ => return Err(setting("broker.certificate", "a certificate needs broker.key, and a key it".into())),
        };
        let tls = tls::client(config.ca.as_deref(), identity.as_ref());
        options.tls = Some(tls.map_err(|error| setting("broker.ca", error.to_string()))?);
        let broker = Self { shared, options, routes: Mutex::default() };
        Ok(Some(Arc::new(broker)))
    }

    /// Takes hellos in, without an end.
    pub(crate) async fn serve(self: Arc<Self>) {
        let config = self.shared.config();
        let config = &config.broker;
        let share = |topic: &str| match config.group.as_str() {
            "" => topic.to_owned(),
            group => format!("$share/{group}/{topic}"),
        };
        let envelope = config.envelope_topic.clone();
        let hellos = [Some(share(PER_DEVICE_FILTER)), envelope.as_deref().map(share)];
        let hellos: Vec<String> = hellos.into_iter().flatten().collect();
        let rest: Vec<String> = envelope.into_iter().collect();
        let following = async {
            if rest.is_empty() {
                std::future::pending::<()>().await;
            }
            self.listen("rest", &rest, |message| self.said(message)).await;
        };
        tokio::join!(self.listen("hellos", &hellos, |message| self.hello(message)), following);
    }

    /// Keeps one connection up, and hands on what comes.
    async fn listen(&self, role: &str, filters: &[String], take: impl Fn((String, Vec<u8>))) {
        let mut retry = Retry::SOON;
        let mut options = self.options.clone();
        options.keep_alive = keep_alive::HELLOS;
        options.client_id = match &self.shared.config().broker.client_id {
            Some(id) => format!("{id}-{role}"),
            None => String::new(),
        };
        self.shared.broker_is(role, false);
        loop {
            match self.subscribed(&options, filters).await {
                Ok(mut client) => {
                    tracing::info!(broker = options.server(), role, "connected to the broker");
                    self.shared.broker_is(role, true);
                    retry = Retry::SOON;
                    while let Ok(Event::Publish { topic, payload, .. }) = client.receive().await {
                        take((topic, payload.to_vec()));
                    }
                    self.shared.broker_is(role, false);
                    tracing::warn!(broker = options.server(), role, "the broker is gone");
                }
                Err(error) => tracing::warn!(broker = options.server(), role, %error, "the broker is not reached"),
            }
            retry.wait().await;
        }
    }

    async fn subscribed(
        &self,
        options: &Options,
        filters: &[String],
    ) -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
        let mut client = connect(options).await?;
        let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
        for granted in client.subscribe(&filters, Qos::AtMostOnce).await? {
            granted?;
        }
        Ok(client)
    }

    /// Something from the topics that gateways share: only hellos are for whoever gets them.
    fn hello(self: &Arc<Self>, (topic, payload): (String, Vec<u8>)) {
        let Some((device, dialect, message)) = self.sender(&topic, &payload) else { return };
        if !matches!(message.body, DeviceBody::Hello(_)) || *self.shared.phase.borrow() != Phase::Serving {
            return;
        }
        let (route, said) = mpsc::channel(WAITING);
        // Room is there: nothing was sent yet.
        let _ = route.try_send(Said::Message(message));
        let own_topic = dialect == Dialect::PerDevice;
        if !own_topic {
            self.routes().insert(device.clone(), route);
        }
        let uplink = own_topic.then_some(topic);
        let downlink = dialect.downlink(&device);
        let link = CallLink::new(device.clone(), self.options.clone(), uplink, downlink, said);
        let tenant = self.shared.tenant_of(&device);
        let identity = Identity { device: device.clone(), tenant, peer: None, local: None };
        let broker = self.clone();
        tokio::spawn(async move {
            device::serve(broker.shared.clone(), identity, link).await;
            broker.forget(&device);
        });
    }

    /// Something from the envelope's topic that every gateway hears: for the one that has the call.
    fn said(&self, (topic, payload): (String, Vec<u8>)) {
        let Some((device, _, message)) = self.sender(&topic, &payload) else { return };
        if matches!(message.body, DeviceBody::Hello(_)) {
            return;
        }
        if let Some(route) = self.routes().get(&device)
            && route.try_send(Said::Message(message)).is_err()
        {
            self.shared.counters.totals.messages_limited.add(1);
        }
    }

    /// Who said what.
    fn sender(&self, topic: &str, payload: &[u8]) -> Option<(ClientId, Dialect, DeviceMessage)> {
        let config = self.shared.config();
        if config.broker.envelope_topic.as_deref() == Some(topic) {
            let envelope = Envelope::parse(payload);
            let dialect = config.mqtt.dialect.into();
            return envelope
                .map(|envelope| (envelope.sender, dialect, envelope.message))
                .ok()
                .or_else(|| self.nonsense());
        }
        let Ok(Uplink::PerDevice { client }) = Uplink::parse(topic, "") else { return self.nonsense() };
        match (client.parse(), read(payload)) {
            (Ok(device), Said::Message(message)) => Some((device, Dialect::PerDevice, message)),
            _ => self.nonsense(),
        }
    }

    fn nonsense<T>(&self) -> Option<T> {
        self.shared.counters.totals.messages_malformed.add(1);
        None
    }

    /// A device's call is over, unless another one has begun.
    fn forget(&self, device: &ClientId) {
        let mut routes = self.routes();
        if routes.get(device).is_some_and(mpsc::Sender::is_closed) {
            routes.remove(device);
        }
    }

    fn routes(&self) -> std::sync::MutexGuard<'_, HashMap<ClientId, mpsc::Sender<Said>>> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
