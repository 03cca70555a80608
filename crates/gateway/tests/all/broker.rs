//! The gateway as a client of a real Mosquitto.

use crate::common::{Device, PATIENCE, config, until};
use sidetone_gateway::Gateway;
use sidetone_gateway::config::{BrokerProtocol, Config};
use sidetone_mqtt::client::{Event, connect};
use sidetone_mqtt::{Options, Qos};
use sidetone_protocol::message::{DeviceBody, GatewayBody, ListenMode, Tts};
use sidetone_protocol::topic::Dialect;
use sidetone_test_broker::{Broker, Setup};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};

/// A broker; `None`, and a word about it, where Mosquitto is not installed.
fn broker() -> Option<Broker> {
    let broker = Broker::start(&Setup::default()).expect("Mosquitto starts");
    if broker.is_none() {
        eprintln!("skipped: mosquitto is not installed");
    }
    broker
}

fn through(broker: &Broker) -> Config {
    let mut config = config();
    config.broker.url = Some(format!("mqtt://{}", broker.tcp()));
    config
}

fn options(broker: &Broker, client_id: &str) -> Options {
    let mut options = Options::new(&format!("mqtt://{}", broker.tcp())).unwrap();
    options.client_id = client_id.into();
    options
}

/// Starts a gateway that is connected to its broker.
async fn gateway(config: Config) -> Gateway {
    let gateway = Gateway::start(config).await.unwrap();
    until("the gateway reaches the broker", || gateway.brokers().values().any(|up| *up)).await;
    gateway
}

async fn speaks(device: &mut Device) {
    device.listen(ListenMode::Realtime).await;
    assert_eq!(device.hear().await.unwrap().body, GatewayBody::Tts(Tts::Start));
    echoes(device).await;
}

/// A frame is sent, and comes back.
async fn echoes(device: &mut Device) {
    let speech = crate::common::speech();
    for datagram in device.seal(&speech[8_000..8_960]) {
        device.send(&datagram).await;
    }
    device.receive().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_subscribe_make_calls_through_a_broker_of_either_version() {
    for protocol in [BrokerProtocol::V311, BrokerProtocol::V5] {
        let Some(broker) = broker() else { return };
        let mut config = through(&broker);
        config.broker.protocol = protocol;
        let gateway = gateway(config).await;
        let options = options(&broker, "GID_b@@@aa_bb_cc_dd_ee_01@@@uuid");
        let mut device = Device::connect_broker(&gateway, options, Dialect::PerDevice).await;
        device.hello().await;
        speaks(&mut device).await;
        // Hello anew: the old call ends without a word, the new one has a new key.
        let old = device.media.clone();
        device.hello().await;
        assert_ne!(device.media, old);
        until("one call is left", || gateway.calls() == 1).await;
        speaks(&mut device).await;
        device.say(DeviceBody::Goodbye).await;
        until("the call ends", || gateway.calls() == 0).await;
        assert!(gateway.shut_down().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_of_the_broker_says_who_is_who() {
    let Some(broker) = broker() else { return };
    let mut config = through(&broker);
    config.broker.envelope_topic = Some("internal/server-ingest".into());
    let gateway = gateway(config).await;
    let id = "GID_b@@@aa_bb_cc_dd_ee_02@@@uuid";
    // What the rule engine of a broker does, which Mosquitto has not.
    let mut rule = connect(&options(&broker, "rule")).await.unwrap();
    rule.subscribe(&["device-server"], Qos::AtMostOnce).await.unwrap();
    tokio::spawn(async move {
        while let Ok(Event::Publish { payload, .. }) = rule.receive().await {
            let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
            let envelope = serde_json::json!({"sender_client_id": id, "orginal_payload": payload});
            let envelope = envelope.to_string();
            rule.publish("internal/server-ingest", envelope.as_bytes(), Qos::AtMostOnce).await.unwrap();
        }
    });
    let mut device = Device::connect_broker(&gateway, options(&broker, id), Dialect::Mac).await;
    device.hello().await;
    speaks(&mut device).await;
    device.say(DeviceBody::Goodbye).await;
    until("the call ends", || gateway.calls() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_outlives_its_broker_and_messages_come_when_it_is_back() {
    let Some(mut broker) = broker() else { return };
    let gateway = gateway(through(&broker)).await;
    let id = "GID_b@@@aa_bb_cc_dd_ee_03@@@uuid";
    let mut device = Device::connect_broker(&gateway, options(&broker, id), Dialect::PerDevice).await;
    device.hello().await;
    speaks(&mut device).await;
    broker.stop();
    until("the gateway notices", || gateway.brokers().values().all(|up| !*up)).await;
    echoes(&mut device).await;
    broker.restart().unwrap();
    until("the gateway is back", || gateway.brokers().values().any(|up| *up)).await;
    assert_eq!(gateway.calls(), 1, "the call is still there");
    echoes(&mut device).await;
    // The device connects anew, in its session: what it says is heard.
    let topic = Dialect::PerDevice.uplink(&id.parse().unwrap());
    let mut again = connect(&options(&broker, id)).await.unwrap();
    let session = device.media.as_ref().unwrap().session_id.clone();
    let goodbye = format!(r#"{{"session_id":"{session}","type":"goodbye"}}"#);
    let heard = async {
        while gateway.calls() > 0 {
            again.publish(&topic, goodbye.as_bytes(), Qos::AtMostOnce).await.unwrap();
            // The connection of the call itself may be back a little later.
            drop(timeout(Duration::from_millis(200), again.receive()).await);
        }
    };
    timeout(PATIENCE, heard).await.expect("the goodbye is heard");
}

#[test]
fn of_two_gateways_one_dies_and_its_devices_find_the_other() {
    let Some(broker) = broker() else { return };
    let (here, there) = (Runtime::new().unwrap(), Runtime::new().unwrap());
    // Only one is there at first, so that the call is its.
    let doomed = there.block_on(gateway(through(&broker)));
    let doomed_calls = {
        let handle = here.handle().clone();
        let options = options(&broker, "GID_b@@@aa_bb_cc_dd_ee_04@@@uuid");
        let mut device = handle.block_on(Device::connect_broker(&doomed, options, Dialect::PerDevice));
        handle.block_on(async {
            device.hello().await;
            speaks(&mut device).await;
        });
        (device, doomed.calls())
    };
    let (mut device, calls) = doomed_calls;
    assert_eq!(calls, 1);
    let survivor = here.block_on(gateway(through(&broker)));
    // As by SIGKILL: its sockets are gone, without a word.
    std::mem::forget(doomed);
    there.shutdown_background();
    here.block_on(async {
        let said = device.hear().await.unwrap();
        assert_eq!(said.body, GatewayBody::Goodbye, "the broker says it for the dead");
        device.gateway = survivor.addresses().udp.unwrap();
        // The broker may still give the dead one's share to the dead one.
        sleep(Duration::from_millis(200)).await;
        device.hello().await;
        speaks(&mut device).await;
        assert_eq!(survivor.calls(), 1);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_of_one_group_answer_each_hello_once() {
    let Some(broker) = broker() else { return };
    let gateways = [gateway(through(&broker)).await, gateway(through(&broker)).await];
    for n in 0..6 {
        let id = format!("GID_b@@@aa_bb_cc_dd_ee_1{n}@@@uuid");
        let mut client = connect(&options(&broker, &id)).await.unwrap();
        let dialect = Dialect::PerDevice;
        let id = id.parse().unwrap();
        client.subscribe(&[&dialect.downlink(&id)], Qos::AtMostOnce).await.unwrap();
        client.publish(&dialect.uplink(&id), br#"{"type":"hello"}"#, Qos::AtMostOnce).await.unwrap();
        let Event::Publish { .. } = client.receive().await.unwrap() else { panic!() };
        // What is no hello is for the owner; nobody else answers it. (Two: the broker gives in turn.)
        for _ in 0..2 {
            let listen = br#"{"type":"listen","state":"stop"}"#;
            client.publish(&dialect.uplink(&id), listen, Qos::AtMostOnce).await.unwrap();
        }
        let more = timeout(Duration::from_millis(150), client.receive()).await;
        assert!(more.is_err(), "answered twice: {more:?}");
    }
    let calls = gateways.each_ref().map(Gateway::calls);
    assert_eq!(calls.iter().sum::<usize>(), 6, "{calls:?}");
    assert!(calls.iter().all(|calls| *calls > 0), "both take part: {calls:?}");
}
