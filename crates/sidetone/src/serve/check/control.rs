//! The device's control connection: MQTT, as devices have it.

use super::from_here;
use anyhow::{Context, Result, bail};
use sidetone_gateway::link::{Gone, Identity, Link, Said};
use sidetone_gateway::{Config, Gateway};
use sidetone_mqtt::client::Event;
use sidetone_mqtt::{Client, Options, Qos};
use sidetone_protocol::credential::SignatureKey;
use sidetone_protocol::message::{DeviceMessage, GatewayMessage};
use sidetone_protocol::topic::{ClientId, Dialect};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::sync::mpsc;

/// Messages that wait in either direction.
const WAITING: usize = 32;

/// Who calls: a MAC address that no device has.
const NAME: &str = "GID_selfcheck@@@02_00_00_00_00_01@@@self-check";

/// What the device says of itself: `{"ip":"127.0.0.1"}` in base64.
const USERNAME: &str = "eyJpcCI6IjEyNy4wLjAuMSJ9";

/// The device's end.
pub(super) enum Control {
    /// Through MQTT.
    Mqtt { client: Box<Client>, topic: String },
    /// Within this process, where the gateway has no MQTT port without TLS.
    Inside { say: mpsc::Sender<Said>, told: mpsc::Receiver<GatewayMessage> },
}

impl Control {
    /// What it is, in a report.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Mqtt { .. } => "MQTT and UDP",
            Self::Inside { .. } => "UDP; control within the process, since mqtt.listen is off",
        }
    }

    pub(super) async fn send(&mut self, message: DeviceMessage) -> Result<()> {
        match self {
            Self::Mqtt { client, topic } => {
                let text = message.to_json();
                client.publish(topic, text.as_bytes(), Qos::AtMostOnce).await.context("MQTT to the gateway")
            }
            Self::Inside { say, .. } => say.send(Said::Message(message)).await.ok().context("the gateway hung up"),
        }
    }

    /// The next message. Cancel-safe.
    pub(super) async fn receive(&mut self) -> Result<GatewayMessage> {
        match self {
            Self::Mqtt { client, .. } => match client.receive().await.context("MQTT from the gateway")? {
                Event::Publish { payload, .. } => GatewayMessage::parse(&payload).context("a message of the gateway"),
                Event::Disconnected { reason, .. } => bail!("the gateway hung up: {reason}"),
            },
            Self::Inside { told, .. } => told.recv().await.context("the gateway hung up"),
        }
    }
}

/// Connects a device.
pub(super) async fn connect(gateway: &mut Gateway, config: &Config) -> Result<Control> {
    let device: ClientId = NAME.parse().context("the device's name")?;
    match gateway.addresses().mqtt {
        Some(address) => by_mqtt(from_here(address), &device, config).await,
        None => Ok(inside(gateway, device)),
    }
}

async fn by_mqtt(address: SocketAddr, device: &ClientId, config: &Config) -> Result<Control> {
    let mut options = Options::new(&format!("mqtt://{address}"))?;
    options.client_id = NAME.to_owned();
    if let Some(key) = &config.mqtt.signature_key {
        let key = SignatureKey::new(key.expose().as_bytes()).context("mqtt.signature_key")?;
        options.username = Some(USERNAME.to_owned());
        options.password = Some(key.password(NAME, USERNAME).as_bytes().to_vec().into());
    }
    let client = sidetone_mqtt::connect(&options).await.with_context(|| format!("MQTT to {address}"))?;
    let topic = match config.mqtt.dialect.into() {
        Dialect::PerDevice => Dialect::PerDevice.uplink(device),
        _ => config.mqtt.shared_topic.clone(),
    };
    Ok(Control::Mqtt { client: Box::new(client), topic })
}

fn inside(gateway: &mut Gateway, device: ClientId) -> Control {
    let (say, said) = mpsc::channel(WAITING);
    let (tell, told) = mpsc::channel(WAITING);
    let local = Some(Ipv4Addr::LOCALHOST.into());
    let identity = Identity { device, tenant: "default".into(), peer: None, local };
    gateway.serve(identity, Inside { said, tell });
    Control::Inside { say, told }
}

/// The gateway's end.
struct Inside {
    said: mpsc::Receiver<Said>,
    tell: mpsc::Sender<GatewayMessage>,
}

impl Link for Inside {
    async fn receive(&mut self) -> Option<Said> {
        self.said.recv().await
    }

    async fn send(&mut self, message: &GatewayMessage) -> Result<(), Gone> {
        self.tell.try_send(message.clone()).map_err(|_| Gone)
    }

    async fn close(self) {}
}
