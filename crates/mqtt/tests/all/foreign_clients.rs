//! Mosquitto's clients against our endpoint; says that it skips where there are none.

use crate::common::{let_in, listen, message};
use sidetone_mqtt::{Connection, Event, Limits, Qos, Refusal, Transport, accept, tls};
use sidetone_test_broker::{Certificates, publisher, subscriber};
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

const VERSIONS: [&str; 2] = ["mqttv311", "mqttv5"];

async fn next(connection: &mut Connection) -> Event {
    timeout(Duration::from_secs(10), connection.receive()).await.expect("an event in time").unwrap()
}

#[tokio::test]
async fn mosquitto_pub_publishes_at_every_qos() {
    for version in VERSIONS {
        for (qos, expected) in [("0", Qos::AtMostOnce), ("1", Qos::AtLeastOnce), ("2", Qos::ExactlyOnce)] {
            let (mut listener, _) = listen(Transport::Tcp).await;
            let arguments = ["-V", version, "-i", "lamp", "-t", "device-server", "-m", "hello", "-q", qos];
            let Some(mut client) = publisher(listener.local_addr(), &arguments).unwrap() else { return };
            let mut connection = let_in(&mut listener, &Limits::default()).await;
            assert_eq!(connection.client_id(), "lamp");
            assert_eq!(next(&mut connection).await, message("device-server", b"hello", expected));
            assert_eq!(next(&mut connection).await, Event::Disconnected { clean: true });
            assert!(spawn_blocking(move || client.wait()).await.unwrap().unwrap().success(), "{version}, QoS {qos}");
        }
    }
}

#[tokio::test]
async fn mosquitto_sub_subscribes_and_hears() {
    for version in VERSIONS {
        for qos in ["0", "2"] {
            let (mut listener, _) = listen(Transport::Tcp).await;
            let filters = ["-t", "devices/#", "-t", "$share/g/a", "-C", "2", "-F", "%t %p"];
            let arguments = [&["-V", version, "-q", qos][..], &filters].concat();
            let Some(mut client) = subscriber(listener.local_addr(), &arguments).unwrap() else { return };
            let mut connection = let_in(&mut listener, &Limits::default()).await;
            assert!(connection.client_id().starts_with("auto-"), "{}", connection.client_id());
            assert_eq!(next(&mut connection).await, Event::Subscribed { filter: "devices/#".to_owned() });
            connection.publish("devices/p2p/lamp", b"hello").await.unwrap();
            connection.publish("never/subscribed", b"all the same").await.unwrap();
            let ended = tokio::spawn(async move { next(&mut connection).await });
            let lines =
                spawn_blocking(move || (client.line().unwrap(), client.line().unwrap(), client.wait().unwrap()));
            let (first, second, status) = lines.await.unwrap();
            assert_eq!((first.as_str(), second.as_str()), ("devices/p2p/lamp hello", "never/subscribed all the same"));
            assert!(status.success());
            assert_eq!(ended.await.unwrap(), Event::Disconnected { clean: true });
        }
    }
}

#[tokio::test]
async fn mosquitto_pub_comes_by_tls_with_user_and_password() {
    let certificates = Certificates::new().unwrap();
    let identity = tls::Identity { certificate: certificates.server(), key: certificates.server_key() };
    let server = tls::server(&identity, Some(&certificates.ca())).unwrap();
    let (mut listener, _) = listen(Transport::Tls(server)).await;
    let [ca, certificate, key] = [certificates.ca(), certificates.client(), certificates.client_key()];
    let [ca, certificate, key] = [&ca, &certificate, &key].map(|path| path.to_str().unwrap());
    let secure = ["--cafile", ca, "--cert", certificate, "--key", key];
    let arguments = [&secure[..], &["-u", "user", "-P", "secret", "-t", "t", "-m", "m"]].concat();
    let Some(mut client) = publisher(listener.local_addr(), &arguments).unwrap() else { return };
    let knock = accept(listener.accept().await, &Limits::default()).await.unwrap();
    assert_eq!((knock.username(), knock.password()), (Some("user"), Some(&b"secret"[..])));
    let mut connection = knock.welcome().await.unwrap();
    assert_eq!(next(&mut connection).await, message("t", b"m", Qos::AtMostOnce));
    assert_eq!(next(&mut connection).await, Event::Disconnected { clean: true });
    connection.close().await;
    assert!(spawn_blocking(move || client.wait()).await.unwrap().unwrap().success());
}

#[tokio::test]
async fn mosquitto_pub_is_refused_with_the_right_code() {
    for (version, code) in [("mqttv311", 5), ("mqttv5", 135)] {
        let (mut listener, _) = listen(Transport::Tcp).await;
        let arguments = ["-V", version, "-t", "t", "-m", "m"];
        let Some(mut client) = publisher(listener.local_addr(), &arguments).unwrap() else { return };
        let knock = accept(listener.accept().await, &Limits::default()).await.unwrap();
        knock.refuse(Refusal::NotAuthorized).await;
        assert_eq!(spawn_blocking(move || client.wait()).await.unwrap().unwrap().code(), Some(code));
    }
}
