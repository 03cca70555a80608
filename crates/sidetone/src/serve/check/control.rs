//! The device's control connection.

use anyhow::{Context, Result};
use sidetone_gateway::Gateway;
use sidetone_gateway::link::{Gone, Identity, Link, Said};
use sidetone_protocol::message::{DeviceMessage, GatewayMessage};
use std::net::Ipv4Addr;
use tokio::sync::mpsc;

/// Messages that wait in either direction.
const WAITING: usize = 32;

/// Who calls.
const NAME: &str = "GID_selfcheck@@@02_00_00_00_00_01@@@self-check";

/// The device's end.
pub(super) struct Control {
    say: mpsc::Sender<Said>,
    told: mpsc::Receiver<GatewayMessage>,
}

impl Control {
    pub(super) async fn send(&mut self, message: DeviceMessage) -> Result<()> {
        self.say.send(Said::Message(message)).await.ok().context("the gateway dropped the connection")
    }

    /// The next message. Cancel-safe.
    pub(super) async fn receive(&mut self) -> Result<GatewayMessage> {
        self.told.recv().await.context("the gateway dropped the connection")
    }
}

/// Connects a device.
pub(super) async fn connect(gateway: &mut Gateway) -> Result<Control> {
    let (say, said) = mpsc::channel(WAITING);
    let (tell, told) = mpsc::channel(WAITING);
    let identity = Identity {
        device: NAME.parse().context("the device's name")?,
        tenant: "default".into(),
        peer: None,
        local: Some(Ipv4Addr::LOCALHOST.into()),
    };
    gateway.serve(identity, Inside { said, tell });
    Ok(Control { say, told })
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
