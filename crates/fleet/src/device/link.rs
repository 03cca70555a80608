//! A device's MQTT connection.

use std::pin::Pin;
use std::time::Duration;

use sidetone_mqtt::client::Event;
use sidetone_mqtt::{Client, ConnectError, Options, Qos};
use tokio::time::timeout;

use crate::trouble;

/// How long saying anything may take. A connection that takes it no longer is dropped.
const SEND: Duration = Duration::from_secs(5);

type Connecting = Pin<Box<dyn Future<Output = Result<Client, ConnectError>> + Send>>;

/// The connection, whatever state it is in.
pub(super) enum Link {
    Off,
    Connecting(Connecting),
    Online(Box<Client>),
}

/// What the connection does.
#[derive(Debug)]
pub(super) enum LinkEvent {
    Connected,
    /// It was not made; with the kind of reason.
    Failed(String),
    /// It ended; with the kind of reason.
    Ended(String),
    /// A message came.
    Message(bytes::Bytes),
}

impl Link {
    /// Begins to connect; with `filter` it subscribes besides.
    pub(super) fn connect(&mut self, options: Options, filter: Option<String>) {
        *self = Self::Connecting(Box::pin(async move {
            let mut client = sidetone_mqtt::connect(&options).await?;
            if let Some(filter) = filter {
                let failed = |source| ConnectError::Connection { server: options.server(), source };
                client.subscribe(&[&filter], Qos::AtMostOnce).await.map_err(failed)?;
            }
            Ok(client)
        }));
    }

    /// What it does next; never, while there is none. May be cancelled.
    pub(super) async fn event(&mut self) -> LinkEvent {
        match self {
            Self::Off => std::future::pending().await,
            Self::Connecting(connecting) => match connecting.as_mut().await {
                Ok(client) => {
                    *self = Self::Online(Box::new(client));
                    LinkEvent::Connected
                }
                Err(error) => {
                    *self = Self::Off;
                    LinkEvent::Failed(kind(&error))
                }
            },
            Self::Online(client) => match client.receive().await {
                Ok(Event::Publish { payload, .. }) => LinkEvent::Message(payload),
                Ok(Event::Disconnected { reason, .. }) => {
                    *self = Self::Off;
                    LinkEvent::Ended(reason)
                }
                Err(error) => {
                    *self = Self::Off;
                    LinkEvent::Ended(error.to_string())
                }
            },
        }
    }

    /// Says something. `false`: the connection is gone, or was dropped because it took nothing.
    pub(super) async fn say(&mut self, topic: &str, text: &str) -> bool {
        let Self::Online(client) = self else { return false };
        let said = timeout(SEND, client.publish(topic, text.as_bytes(), Qos::AtMostOnce)).await;
        let said = matches!(said, Ok(Ok(())));
        if !said {
            *self = Self::Off;
        }
        said
    }

    /// Ends it, as well as it can be done.
    pub(super) async fn disconnect(&mut self) {
        if let Self::Online(client) = std::mem::replace(self, Self::Off) {
            // It is over either way.
            let _ = timeout(SEND, client.disconnect()).await;
        }
    }
}

/// The reason without what differs from device to device.
fn kind(error: &ConnectError) -> String {
    match error {
        ConnectError::Tcp { source, .. } => format!("TCP: {}", trouble(source)),
        ConnectError::Tls { source, .. } => format!("TLS: {source}"),
        ConnectError::Refused { code, why, .. } => format!("refused: {why} (code {code:#04x})"),
        ConnectError::Timeout { .. } => "timed out".into(),
        ConnectError::Connection { source, .. } => format!("MQTT: {source}"),
        other => other.to_string(),
    }
}
