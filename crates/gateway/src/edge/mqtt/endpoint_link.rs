//! A device on the gateway's own endpoint.

use super::read;
use crate::link::{Gone, Link, Said};
use crate::protect::Seldom;
use sidetone_mqtt::{Connection, ConnectionError, Event};
use sidetone_protocol::message::GatewayMessage;
use sidetone_protocol::topic::{ClientId, Dialect, Uplink};

static FOR_ANOTHER: Seldom = Seldom::new();

/// One connection. What is said to the device goes out on it whether the device subscribed or not, under the topic that
/// its dialect has. Nothing of it reaches another connection, whatever that one subscribes to.
pub(crate) struct EndpointLink {
    connection: Connection,
    device: ClientId,
    shared_topic: String,
    dialect: Dialect,
    topic: String,
}

impl EndpointLink {
    pub(crate) fn new(connection: Connection, device: ClientId, shared_topic: String, dialect: Dialect) -> Self {
        let topic = dialect.downlink(&device);
        Self { connection, device, shared_topic, dialect, topic }
    }

    /// The topic to answer under: one that the device subscribed to, where there is one; else its dialect's.
    fn settle(&mut self, published: &Uplink<'_>) -> String {
        let dialect = Dialect::of(published, self.dialect);
        let known = [dialect, Dialect::Mac, Dialect::ClientId].map(|dialect| dialect.downlink(&self.device));
        let subscribed = known.iter().find(|topic| self.connection.is_subscribed(topic));
        subscribed.unwrap_or(&known[0]).clone()
    }
}

impl Link for EndpointLink {
    async fn receive(&mut self) -> Option<Said> {
        loop {
            let event = self.connection.receive().await;
            match event {
                Ok(Event::Publish { topic, payload, .. }) => match Uplink::parse(&topic, &self.shared_topic) {
                    Ok(uplink) if uplink.belongs_to(&self.device) => {
                        self.topic = self.settle(&uplink);
                        return Some(read(&payload));
                    }
                    Ok(_) => {
                        if let Some(times) = FOR_ANOTHER.times() {
                            tracing::warn!(device = %self.device, topic, times, "a device spoke for another one");
                        }
                    }
                    Err(error) => tracing::debug!(device = %self.device, topic, %error, "a message to nobody"),
                },
                Ok(Event::Subscribed { .. } | Event::Unsubscribed { .. }) => {}
                Ok(Event::Disconnected { .. }) => return None,
                Err(error) => {
                    tracing::debug!(device = %self.device, %error, "a connection failed");
                    return None;
                }
            }
        }
    }

    async fn send(&mut self, message: &GatewayMessage) -> Result<(), Gone> {
        let json = message.to_json();
        match self.connection.publish(&self.topic, json.as_bytes()).await {
            Err(ConnectionError::TooLarge(_)) => {
                tracing::warn!(device = %self.device, bytes = json.len(), "a message is too large for the device");
                Ok(())
            }
            sent => sent.map_err(|_| Gone),
        }
    }

    async fn close(self) {
        self.connection.close().await;
    }
}
