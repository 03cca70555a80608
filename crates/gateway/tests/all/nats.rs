//! The gateway as a client of a real NATS server, through its MQTT listener. NATS knows no shared subscriptions over
//! MQTT (it grants them, and delivers nothing): one gateway, without a group.

use crate::common::{Device, config, speech, until};
use sidetone_gateway::Gateway;
use sidetone_mqtt::Options;
use sidetone_protocol::message::{DeviceBody, GatewayBody, ListenMode, Tts};
use sidetone_protocol::topic::Dialect;
use sidetone_test_broker::{Nats, NatsSetup};
use tokio::runtime::Runtime;

#[test]
fn devices_make_calls_through_nats_and_are_told_when_their_gateway_dies() {
    let Some(nats) = Nats::start(&NatsSetup { mqtt: true, ..NatsSetup::default() }).expect("nats-server starts") else {
        return;
    };
    let url = format!("mqtt://{}", nats.mqtt().expect("it has the listener"));
    let mut config = config();
    (config.broker.url, config.broker.group) = (Some(url.clone()), String::new());
    let (here, there) = (Runtime::new().unwrap(), Runtime::new().unwrap());
    let gateway = there.block_on(async {
        let gateway = Gateway::start(config).await.unwrap();
        until("the gateway reaches NATS", || gateway.brokers().values().any(|up| *up)).await;
        gateway
    });
    let mut device = here.block_on(async {
        let mut options = Options::new(&url).unwrap();
        options.client_id = "GID_n@@@aa_bb_cc_dd_ee_01@@@uuid".into();
        let mut device = Device::connect_broker(&gateway, options, Dialect::PerDevice).await;
        for _ in 0..2 {
            device.hello().await;
            device.listen(ListenMode::Realtime).await;
            assert_eq!(device.hear().await.unwrap().body, GatewayBody::Tts(Tts::Start));
            for datagram in device.seal(&speech()[8_000..8_960]) {
                device.send(&datagram).await;
            }
            device.receive().await;
            if gateway.counts()["calls"] == 1 {
                device.say(DeviceBody::Goodbye).await;
                until("the call ends", || gateway.calls() == 0).await;
            }
        }
        device
    });
    // As by SIGKILL: its sockets are gone, without a word.
    std::mem::forget(gateway);
    there.shutdown_background();
    // A runtime loses its tasks in any order: the call may still see its back end go, and say so.
    here.block_on(async {
        while device.hear().await.expect("NATS says goodbye for the dead").body != GatewayBody::Goodbye {}
    });
}
