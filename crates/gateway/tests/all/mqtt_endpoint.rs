//! Devices on the gateway's own MQTT endpoint, over real sockets.

use crate::common::{Device, config, until};
use sidetone_gateway::config::{Config, Listen, Secret};
use sidetone_gateway::{Gateway, StartError};
use sidetone_mqtt::client::{Event, connect};
use sidetone_mqtt::{ConnectError, Options, Qos};
use sidetone_protocol::credential::{SignatureKey, encode_username};
use sidetone_protocol::message::{GatewayBody, GatewayMessage};
use sidetone_protocol::topic::Dialect;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

const KEY: &str = "a signature key of the test";

fn with_mqtt() -> Config {
    let mut config = config();
    config.mqtt.listen = Listen::loopback(0);
    config
}

fn options(gateway: &Gateway, client_id: &str) -> Options {
    let mut options = Options::new(&format!("mqtt://{}", gateway.addresses().mqtt.unwrap())).unwrap();
    options.client_id = client_id.into();
    options
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_of_each_dialect_that_subscribes_to_nothing_makes_a_call() {
    for (configured, spoken) in [
        ("mac", Dialect::Mac),
        ("client-id", Dialect::ClientId),
        // Known by its topic, whatever is configured.
        ("mac", Dialect::PerDevice),
    ] {
        let mut config = with_mqtt();
        config.mqtt.dialect = serde_json::from_value(configured.into()).unwrap();
        let gateway = Gateway::start(config).await.unwrap();
        let options = options(&gateway, "GID_t@@@aa_bb_cc_dd_ee_ff@@@uuid");
        let mut device = Device::connect_mqtt(&gateway, options, spoken).await;
        device.hello().await;
        let likeness = device.speaks_and_hears().await;
        assert!(likeness > 0.9, "{spoken}: {likeness}");
        assert!(gateway.shut_down().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_checked_where_there_is_a_key() {
    let mut config = with_mqtt();
    config.mqtt.signature_key = Some(Secret::new(KEY.into()));
    let gateway = Gateway::start(config).await.unwrap();
    let id = "GID_t@@@aa_bb_cc_dd_ee_ff@@@uuid";
    let username = encode_username(&serde_json::Map::new());
    let password = SignatureKey::new(KEY.as_bytes()).unwrap().password(id, &username);
    let with = |id: &str, username: Option<&str>, password: Option<&str>| {
        let mut options = options(&gateway, id);
        options.username = username.map(Into::into);
        options.password = password.map(|password| Zeroizing::new(password.as_bytes().to_vec()));
        options
    };
    let wrong = SignatureKey::new(b"another key").unwrap().password(id, &username);
    for refused in [
        with(id, None, None),
        with(id, Some(&username), Some(&wrong)),
        with("GID_t@@@aa_bb_cc_dd_ee_00@@@uuid", Some(&username), Some(&password)),
        with(id, Some("bm90IGpzb24="), Some(&password)),
    ] {
        assert!(matches!(connect(&refused).await, Err(ConnectError::Refused { code: 4, .. })));
    }
    let bad_id = with("a/b", Some(&username), Some(&password));
    assert!(matches!(connect(&bad_id).await, Err(ConnectError::Refused { code: 2, .. })));
    until("all are counted", || gateway.counts()["connections_refused"] == 5).await;
    let mut device = Device::connect_mqtt(&gateway, with(id, Some(&username), Some(&password)), Dialect::Mac).await;
    device.hello().await;
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_reaches_nobody_else() {
    let gateway = Gateway::start(with_mqtt()).await.unwrap();
    let mut eavesdropper = connect(&options(&gateway, "GID_t@@@aa_bb_cc_dd_ee_01@@@uuid")).await.unwrap();
    eavesdropper.subscribe(&["#", "devices/p2p/#"], Qos::AtMostOnce).await.unwrap();
    let victim = options(&gateway, "GID_t@@@aa_bb_cc_dd_ee_02@@@uuid");
    let mut device = Device::connect_mqtt(&gateway, victim, Dialect::Mac).await;
    device.hello().await;
    let hello = br#"{"type":"hello","version":3,"transport":"udp"}"#;
    for topic in ["devices/aa_bb_cc_dd_ee_02/data", "devices/p2p/aa_bb_cc_dd_ee_02", "anything", "$SYS/x"] {
        eavesdropper.publish(topic, hello, Qos::AtMostOnce).await.unwrap();
    }
    let heard = tokio::time::timeout(Duration::from_millis(300), eavesdropper.receive()).await;
    assert!(heard.is_err(), "{heard:?}");
    assert_eq!((gateway.calls(), gateway.counts()["hellos"]), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_subscribes_is_answered_where_it_listens() {
    let gateway = Gateway::start(with_mqtt()).await.unwrap();
    let mut client = connect(&options(&gateway, "GID_t@@@aa_bb_cc_dd_ee_03@@@uuid")).await.unwrap();
    let topic = "devices/p2p/GID_t@@@aa_bb_cc_dd_ee_03@@@uuid";
    client.subscribe(&[topic], Qos::AtLeastOnce).await.unwrap();
    client.publish("device-server", br#"{"type":"hello"}"#, Qos::AtLeastOnce).await.unwrap();
    let Event::Publish { topic: answered, payload, .. } = client.receive().await.unwrap() else { panic!() };
    assert_eq!(answered, topic);
    let reply: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(reply["udp"]["server"], "127.0.0.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_answered_and_costs_nobody_a_call() {
    let gateway = Gateway::start(with_mqtt()).await.unwrap();
    let mut device =
        Device::connect_mqtt(&gateway, options(&gateway, "GID_t@@@aa_bb_cc_dd_ee_04@@@uuid"), Dialect::Mac).await;
    device.hello().await;
    let mut stranger = connect(&options(&gateway, "stranger")).await.unwrap();
    for nonsense in [&b""[..], b"{", b"[]", b"{}", b"null", br#"{"type":7}"#, &[0xff; 100], &[b'['; 4000]] {
        stranger.publish("device-server", nonsense, Qos::AtMostOnce).await.unwrap();
        let Event::Publish { payload, .. } = stranger.receive().await.unwrap() else { panic!() };
        let said: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(said["type"], "error", "{said}");
    }
    stranger.publish("device-server", br#"{"type":"listen","state":"start"}"#, Qos::AtMostOnce).await.unwrap();
    let Event::Publish { payload, .. } = stranger.receive().await.unwrap() else { panic!() };
    assert_eq!(&payload[..], br#"{"type":"goodbye"}"#);
    assert_eq!(gateway.counts()["messages_malformed"], 8);
    device.say(sidetone_protocol::message::DeviceBody::Goodbye).await;
    until("the call ends", || gateway.calls() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_connects_twice_keeps_the_second_connection() {
    let gateway = Gateway::start(with_mqtt()).await.unwrap();
    let id = "GID_t@@@aa_bb_cc_dd_ee_05@@@uuid";
    let mut first = connect(&options(&gateway, id)).await.unwrap();
    let mut second = Device::connect_mqtt(&gateway, options(&gateway, id), Dialect::Mac).await;
    while !matches!(first.receive().await, Ok(Event::Disconnected { .. }) | Err(_)) {}
    second.hello().await;
    assert_eq!(gateway.calls(), 1);
}

/// Firmware keeps a call while its connection is away, and would speak to nobody for two minutes.
#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_call_ended_with_its_connection_is_told_when_it_is_back() {
    let gateway = Gateway::start(with_mqtt()).await.unwrap();
    let id = "GID_t@@@aa_bb_cc_dd_ee_0b@@@uuid";
    // It comes back after its connection broke; or before the gateway knows that.
    for broken in [true, false] {
        let mut device = Device::connect_mqtt(&gateway, options(&gateway, id), Dialect::Mac).await;
        device.hello().await;
        let session = device.media.as_ref().unwrap().session_id.clone();
        let mut kept = Some(device);
        if broken {
            kept = None;
            until("the call ends", || gateway.calls() == 0).await;
        }
        let mut back = Device::connect_mqtt(&gateway, options(&gateway, id), Dialect::Mac).await;
        assert_eq!(back.hear().await, Some(GatewayMessage::new(&session, GatewayBody::Goodbye)), "{broken}");
        back.hello().await;
        assert_eq!(gateway.calls(), 1);
        drop((kept, back));
        until("that one ends too", || gateway.calls() == 0).await;
        // It is told of that one as well.
        let mut last = Device::connect_mqtt(&gateway, options(&gateway, id), Dialect::Mac).await;
        assert_eq!(last.hear().await.unwrap().body, GatewayBody::Goodbye);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_gateway_says_so() {
    let mut config = with_mqtt();
    config.limits.calls = 1;
    let gateway = Gateway::start(config).await.unwrap();
    let mut first =
        Device::connect_mqtt(&gateway, options(&gateway, "GID_t@@@aa_bb_cc_dd_ee_06@@@uuid"), Dialect::Mac).await;
    first.hello().await;
    let mut second = connect(&options(&gateway, "GID_t@@@aa_bb_cc_dd_ee_07@@@uuid")).await.unwrap();
    second.publish("device-server", br#"{"type":"hello"}"#, Qos::AtMostOnce).await.unwrap();
    let Event::Publish { payload, .. } = second.receive().await.unwrap() else { panic!() };
    let said = GatewayMessage::parse(&payload).unwrap();
    let GatewayBody::Alert(alert) = said.body else { panic!("{said:?}") };
    assert_eq!(alert.status, "Busy");
    assert_eq!(gateway.counts()["hellos_refused"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_devices_with_one_name_the_newest_wins_and_it_is_counted() {
    let gateway = Gateway::start(with_mqtt()).await.unwrap();
    let options = options(&gateway, "GID_t@@@aa_bb_cc_dd_ee_09@@@uuid");
    let mut first = connect(&options).await.unwrap();
    let mut second = connect(&options).await.unwrap();
    assert!(matches!(first.receive().await, Ok(Event::Disconnected { .. })));
    until("it is counted", || gateway.counts()["connections_replaced"] == 1).await;
    second.publish("device-server", br#"{"type":"hello"}"#, Qos::AtMostOnce).await.unwrap();
    assert!(matches!(second.receive().await, Ok(Event::Publish { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_connects_and_says_nothing_takes_places_from_nobody_else() {
    // Of 512 places for strangers; both ends are in this process.
    const SILENT: u64 = 700;
    if rlimit::increase_nofile_limit(4_096).unwrap() < 2_048 {
        return eprintln!("SKIPPED: the system allows too few open files");
    }
    let gateway = Gateway::start(with_mqtt()).await.unwrap();
    let address = gateway.addresses().mqtt.unwrap();
    let mut silent = Vec::new();
    for n in 0..SILENT {
        let mut stranger = TcpStream::connect(address).await.unwrap();
        if n % 2 == 0 {
            // A CONNECT that does not go on.
            stranger.write_all(&[0x10, 0x7f, 0, 4]).await.unwrap();
        }
        silent.push(stranger);
    }
    until("the oldest have made room", || gateway.counts()["connections_refused"] >= SILENT - 512).await;
    assert!(matches!(silent[0].read(&mut [0; 1]).await, Ok(0) | Err(_)), "closed");
    // It comes from the same address, and is let in before their time is over all the same.
    let options = options(&gateway, "GID_t@@@aa_bb_cc_dd_ee_0a@@@uuid");
    let mut device = Device::connect_mqtt(&gateway, options, Dialect::Mac).await;
    device.hello().await;
    assert_eq!(gateway.calls(), 1);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let mut config = config();
    config.mqtt.listen = address.into();
    let Err(error) = Gateway::start(config).await.map(drop) else { panic!() };
    assert!(matches!(error, StartError::Listen { what: "mqtt.listen", .. }));
    assert!(error.to_string().starts_with(&format!("mqtt.listen = \"{address}\": ")), "{error}");
}
