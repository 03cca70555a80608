//! A device behind an external broker, from its hello on.
//!
//! Each has an MQTT connection of ours of its own, whose last will is the device's goodbye: if this gateway dies, the
//! broker itself tells the device, which then says hello anew, to whichever gateway is left. So nothing of ours keeps
//! state that gateways share.

use super::{keep_alive, read};
use crate::link::{Gone, Link, Said};
use crate::retry::Retry;
use sidetone_mqtt::client::{Client, Event, connect};
use sidetone_mqtt::{LastWill, Options, Qos};
use sidetone_protocol::message::{DeviceBody, DeviceMessage, GatewayBody, GatewayMessage};
use sidetone_protocol::topic::ClientId;
use std::collections::VecDeque;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// Messages kept for a device while the broker is away. The oldest go first.
const KEPT: usize = 32;

/// What a device says comes through its own topic, or, from behind an envelope, through a channel.
pub(super) struct CallLink {
    device: ClientId,
    options: Options,
    /// Where the device publishes, where that is a topic of its own.
    uplink: Option<String>,
    downlink: String,
    said: mpsc::Receiver<Said>,
    state: State,
    kept: VecDeque<Zeroizing<String>>,
}

enum State {
    Online(Box<Client>),
    Connecting(JoinHandle<Option<Client>>),
}

impl CallLink {
    pub(super) fn new(
        device: ClientId,
        mut options: Options,
        uplink: Option<String>,
        downlink: String,
        said: mpsc::Receiver<Said>,
    ) -> Self {
        let goodbye = GatewayMessage::without_session(GatewayBody::Goodbye).to_json();
        options.last_will = Some(LastWill {
            topic: downlink.clone(),
            payload: goodbye.as_bytes().to_vec(),
            qos: Qos::AtMostOnce,
            retain: false,
        });
        options.keep_alive = keep_alive::CALL;
        let state = State::Connecting(attempts(options.clone(), uplink.clone()));
        Self { device, options, uplink, downlink, said, state, kept: VecDeque::new() }
    }

    /// The connection is lost: the call goes on without, and another one is made.
    fn lost(&mut self) {
        self.state = State::Connecting(attempts(self.options.clone(), self.uplink.clone()));
    }

    async fn flush(&mut self) {
        while let (State::Online(client), Some(json)) = (&mut self.state, self.kept.front()) {
            if client.publish(&self.downlink, json.as_bytes(), Qos::AtMostOnce).await.is_err() {
                return self.lost();
            }
            self.kept.pop_front();
        }
    }
}

/// Connects, and subscribes to what the device says, until it succeeds.
fn attempts(options: Options, uplink: Option<String>) -> JoinHandle<Option<Client>> {
    tokio::spawn(async move {
        let mut retry = Retry::SOON;
        loop {
            match attempt(&options, uplink.as_deref()).await {
                Ok(client) => return Some(client),
                Err(error) => tracing::debug!(%error, "the broker is not reached"),
            }
            retry.wait().await;
        }
    })
}

async fn attempt(options: &Options, uplink: Option<&str>) -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    let mut client = connect(options).await?;
    if let Some(topic) = uplink {
        for granted in client.subscribe(&[topic], Qos::AtMostOnce).await? {
            granted?;
        }
    }
    Ok(client)
}

/// What was waited for.
enum News {
    Said(Option<Said>),
    Event(Option<Event>),
    Connected(Option<Box<Client>>),
}

impl Link for CallLink {
    async fn receive(&mut self) -> Option<Said> {
        loop {
            let news = match &mut self.state {
                State::Online(client) => tokio::select! {
                    said = self.said.recv(), if !self.said.is_closed() || !self.said.is_empty() => News::Said(said),
                    event = client.receive() => News::Event(event.ok()),
                },
                State::Connecting(attempts) => tokio::select! {
                    said = self.said.recv(), if !self.said.is_closed() || !self.said.is_empty() => News::Said(said),
                    client = attempts => News::Connected(client.ok().flatten().map(Box::new)),
                },
            };
            match news {
                News::Said(Some(said)) => return Some(said),
                News::Said(None) => {}
                News::Connected(Some(client)) => {
                    self.state = State::Online(client);
                    self.flush().await;
                }
                News::Connected(None) => return None,
                News::Event(Some(Event::Publish { payload, .. })) => match read(&payload) {
                    // Every gateway of the group may answer a hello; this call is over.
                    Said::Message(DeviceMessage { body: DeviceBody::Hello(_), .. }) => return None,
                    said => return Some(said),
                },
                News::Event(Some(Event::Disconnected { .. }) | None) => {
                    tracing::info!(device = %self.device, "the broker is gone; the call goes on");
                    self.lost();
                }
            }
        }
    }

    async fn send(&mut self, message: &GatewayMessage) -> Result<(), Gone> {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
            tracing::warn!(device = %self.device, "a message is lost: the broker is away for too long");
        }
        self.kept.push_back(message.to_json());
        self.flush().await;
        Ok(())
    }

    async fn close(mut self) {
        self.flush().await;
        match self.state {
            // Without this the broker would publish the will.
            State::Online(client) => {
                if let Err(error) = client.disconnect().await {
                    tracing::debug!(%error, "the broker was gone before we were");
                }
            }
            State::Connecting(attempts) => attempts.abort(),
        }
    }
}
