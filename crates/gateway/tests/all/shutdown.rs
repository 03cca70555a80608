//! The end of a gateway that something hangs in.

use crate::common::{config, until};
use sidetone_gateway::Gateway;
use sidetone_gateway::link::{Gone, Identity, Link, Said};
use sidetone_protocol::message::{DeviceHello, DeviceMessage, GatewayMessage};
use std::future::pending;
use std::time::{Duration, Instant};

/// A link that says hello, and never takes an answer.
struct Stuck(Option<DeviceMessage>);

impl Link for Stuck {
    async fn receive(&mut self) -> Option<Said> {
        match self.0.take() {
            Some(message) => Some(Said::Message(message)),
            None => pending().await,
        }
    }

    async fn send(&mut self, _: &GatewayMessage) -> Result<(), Gone> {
        pending().await
    }

    async fn close(self) {
        pending::<()>().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_does_not_hold_the_end_up_beyond_the_drain() {
    let mut config = config();
    config.session.drain = 2;
    let mut gateway = Gateway::start(config).await.unwrap();
    let identity = Identity { device: "stuck".parse().unwrap(), tenant: "default".into(), peer: None, local: None };
    gateway.serve(identity, Stuck(Some(DeviceMessage::hello(DeviceHello::default()))));
    until("it is in a call", || gateway.counts()["calls"] == 1 || gateway.counts()["hellos"] == 1).await;
    let begun = Instant::now();
    assert!(!gateway.shut_down().await, "it says that something was left");
    assert!(begun.elapsed() < Duration::from_millis(2_500), "{:?}", begun.elapsed());
}
