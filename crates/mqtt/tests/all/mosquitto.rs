//! Our client against a Mosquitto; says that it skips where there is none.

use crate::common::options;
use sidetone_mqtt::client::Event;
use sidetone_mqtt::tls::{self, Identity};
use sidetone_mqtt::{Client, ConnectError, LastWill, Options, Qos, Version, connect};
use sidetone_test_broker::{Broker, Certificates, Setup};
use std::time::Duration;
use tokio::time::timeout;

const BOTH: [Version; 2] = [Version::V311, Version::V5];

fn named(url: &str, name: &str, version: Version) -> Options {
    let mut options = options(url);
    options.client_id = name.to_owned();
    options.version = version;
    options
}

async fn message(client: &mut Client) -> (String, Vec<u8>, Qos) {
    match timeout(Duration::from_secs(10), client.receive()).await.expect("a message in time").unwrap() {
        Event::Publish { topic, payload, qos, .. } => (topic, payload.to_vec(), qos),
        event => panic!("{event:?}"),
    }
}

/// Subscribes, and hears what another one publishes, at QoS 0 and 1.
async fn talk(subscriber: &Options, publisher: &Options) {
    let mut subscriber = connect(subscriber).await.unwrap();
    let granted = subscriber.subscribe(&["devices/+/data", "other/#"], Qos::ExactlyOnce).await.unwrap();
    assert_eq!(granted, [Ok(Qos::ExactlyOnce), Ok(Qos::ExactlyOnce)]);
    let mut publisher = connect(publisher).await.unwrap();
    publisher.publish("devices/lamp/data", b"one", Qos::AtLeastOnce).await.unwrap();
    publisher.publish("other", &[5; 50_000], Qos::AtMostOnce).await.unwrap();
    publisher.publish("devices/lamp/none", b"not this", Qos::AtMostOnce).await.unwrap();
    publisher.publish("devices/lamp/data", b"two", Qos::AtMostOnce).await.unwrap();
    assert_eq!(publisher.unacknowledged(), 1);
    let data = |text: &[u8], qos| ("devices/lamp/data".to_owned(), text.to_vec(), qos);
    assert_eq!(message(&mut subscriber).await, data(b"one", Qos::AtLeastOnce));
    assert_eq!(message(&mut subscriber).await, ("other".to_owned(), vec![5; 50_000], Qos::AtMostOnce));
    assert_eq!(message(&mut subscriber).await, data(b"two", Qos::AtMostOnce));
    // The acknowledgement is taken in while an answer is waited for.
    publisher.unsubscribe(&["nothing"]).await.unwrap();
    assert_eq!(publisher.unacknowledged(), 0);
    subscriber.unsubscribe(&["other/#"]).await.unwrap();
    publisher.disconnect().await.unwrap();
    subscriber.disconnect().await.unwrap();
}

#[tokio::test]
async fn messages_go_through_a_broker() {
    let Some(broker) = Broker::start(&Setup::default()).unwrap() else { return };
    for version in BOTH {
        for url in [format!("mqtt://{}", broker.tcp()), format!("ws://{}", broker.websocket())] {
            talk(&named(&url, "hears", version), &named(&url, "says", version)).await;
        }
    }
}

#[tokio::test]
async fn a_broker_is_reached_by_tls_with_a_client_certificate() {
    let certificates = Certificates::new().unwrap();
    let Some(broker) = Broker::start(&Setup { tls: Some(&certificates), ..Setup::default() }).unwrap() else { return };
    let url = format!("mqtts://localhost:{}", broker.tls().port());
    let identity = Identity { certificate: certificates.client(), key: certificates.client_key() };
    let tls = tls::client(Some(&certificates.ca()), Some(&identity)).unwrap();
    for version in BOTH {
        let with_tls = |name| {
            let mut options = named(&url, name, version);
            options.tls = Some(tls.clone());
            options
        };
        talk(&with_tls("hears"), &with_tls("says")).await;
    }
    let mut without = named(&url, "stranger", Version::V311);
    without.tls = Some(tls::client(Some(&certificates.ca()), None).unwrap());
    assert!(connect(&without).await.is_err());
}

#[tokio::test]
async fn a_broker_asks_for_user_and_password() {
    let Some(broker) = Broker::start(&Setup { user: Some(("user", "secret")), ..Setup::default() }).unwrap() else {
        return;
    };
    let url = format!("mqtt://{}", broker.tcp());
    for (version, code) in [(Version::V311, 5), (Version::V5, 0x87)] {
        let mut options = named(&url, "lamp", version);
        options.username = Some("user".to_owned());
        options.password = Some(b"secret".to_vec().into());
        connect(&options).await.unwrap().disconnect().await.unwrap();
        options.password = Some(b"wrong".to_vec().into());
        let error = connect(&options).await.unwrap_err();
        assert!(matches!(error, ConnectError::Refused { code: got, .. } if got == code), "{error}");
        assert!(!error.to_string().contains("wrong"));
    }
}

#[tokio::test]
async fn a_shared_subscription_gives_each_message_to_one() {
    let Some(broker) = Broker::start(&Setup::default()).unwrap() else { return };
    let url = format!("mqtt://{}", broker.tcp());
    for version in BOTH {
        let mut members = Vec::new();
        for name in ["one", "two"] {
            let mut member = connect(&named(&url, name, version)).await.unwrap();
            assert_eq!(
                member.subscribe(&["$share/gateways/hello"], Qos::AtMostOnce).await.unwrap(),
                [Ok(Qos::AtMostOnce)]
            );
            members.push(member);
        }
        let mut publisher = connect(&named(&url, "says", version)).await.unwrap();
        for number in 0..10u8 {
            publisher.publish("hello", &[number], Qos::AtMostOnce).await.unwrap();
        }
        let [one, two] = &mut members[..] else { unreachable!() };
        let mut heard = [Vec::new(), Vec::new()];
        for _ in 0..10 {
            tokio::select! {
                (_, payload, _) = message(one) => heard[0].extend(payload),
                (_, payload, _) = message(two) => heard[1].extend(payload),
            }
        }
        assert!(!heard[0].is_empty() && !heard[1].is_empty(), "{heard:?}");
        let mut all = heard.concat();
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<u8>>());
    }
}

#[tokio::test]
async fn a_last_will_is_published_only_without_a_goodbye() {
    let Some(broker) = Broker::start(&Setup::default()).unwrap() else { return };
    let url = format!("mqtt://{}", broker.tcp());
    for version in BOTH {
        let mut watcher = connect(&named(&url, "watcher", version)).await.unwrap();
        assert_eq!(watcher.subscribe(&["wills/#"], Qos::AtMostOnce).await.unwrap(), [Ok(Qos::AtMostOnce)]);
        let with_will = |name: &str| {
            let mut options = named(&url, name, version);
            options.last_will = Some(LastWill {
                topic: format!("wills/{name}"),
                payload: b"gone".to_vec(),
                qos: Qos::AtLeastOnce,
                retain: false,
            });
            options
        };
        connect(&with_will("polite")).await.unwrap().disconnect().await.unwrap();
        drop(connect(&with_will("rude")).await.unwrap());
        assert_eq!(message(&mut watcher).await, ("wills/rude".to_owned(), b"gone".to_vec(), Qos::AtMostOnce));
    }
}

#[tokio::test]
async fn pings_keep_a_quiet_connection_alive() {
    let Some(broker) = Broker::start(&Setup::default()).unwrap() else { return };
    let mut options = named(&format!("mqtt://{}", broker.tcp()), "quiet", Version::V311);
    options.keep_alive = Duration::from_secs(1);
    let mut client = connect(&options).await.unwrap();
    // Mosquitto drops a silent client after one and a half seconds.
    assert!(timeout(Duration::from_secs(4), client.receive()).await.is_err(), "still connected, and nothing to say");
    assert!(broker.said().contains("Received PINGREQ from quiet"));
}

#[tokio::test]
async fn a_broker_that_goes_is_told_as_an_event() {
    let Some(broker) = Broker::start(&Setup::default()).unwrap() else { return };
    for version in BOTH {
        let url = format!("mqtt://{}", broker.tcp());
        let mut first = connect(&named(&url, "same", version)).await.unwrap();
        let _second = connect(&named(&url, "same", version)).await.unwrap();
        let event = timeout(Duration::from_secs(10), first.receive()).await.unwrap().unwrap();
        assert!(matches!(event, Event::Disconnected { clean: false, .. }), "{event:?}");
    }
    let mut client = connect(&named(&format!("mqtt://{}", broker.tcp()), "last", Version::V311)).await.unwrap();
    drop(broker);
    let event = timeout(Duration::from_secs(10), client.receive()).await.unwrap().unwrap();
    assert!(matches!(event, Event::Disconnected { clean: false, .. }), "{event:?}");
}
