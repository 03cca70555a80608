//! Certificates that are renewed while the gateway runs.

use crate::common::{PATIENCE, config};
use sidetone_gateway::Gateway;
use sidetone_gateway::config::{Change, Listen};
use sidetone_mqtt::client::{Client, Event, connect};
use sidetone_mqtt::{ConnectError, Options, Qos, tls};
use sidetone_test_broker::Certificates;
use std::fs;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Connects, and trusts who signed these.
async fn visit(url: &str, name: &str, trusted: &Certificates) -> Result<Client, ConnectError> {
    let mut options = Options::new(url).unwrap();
    options.client_id = format!("GID_c@@@aa_bb_cc_dd_ee_ff@@@{name}");
    options.tls = Some(tls::client(Some(&trusted.ca()), None).unwrap());
    connect(&options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_shown_after_a_reload_and_old_connections_live_on() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, third] = [(); 3].map(|()| Certificates::new().unwrap());
    let mut config = config();
    (config.mqtt.tls_listen, config.web.tls_listen) = (Listen::loopback(0), Listen::loopback(0));
    let (certificate, key) = (folder.path().join("server.pem"), folder.path().join("server.key"));
    let install = |of: &Certificates| {
        fs::copy(of.server(), &certificate).unwrap();
        fs::copy(of.server_key(), &key).unwrap();
    };
    install(&first);
    (config.mqtt.certificate, config.mqtt.key) = (Some(certificate.clone()), Some(key.clone()));
    let gateway = Gateway::start(config.clone()).await.unwrap();
    let addresses = gateway.addresses();
    let urls =
        [format!("mqtts://{}", addresses.mqtt_tls.unwrap()), format!("wss://{}/mqtt", addresses.web_tls.unwrap())];
    let mut old = visit(&urls[0], "old", &first).await.unwrap();
    assert_eq!(gateway.reload(&config).unwrap(), Change::default(), "the files are as they were");

    install(&second);
    let change = gateway.reload(&config).unwrap();
    assert_eq!((change.applied, change.restart), (vec!["mqtt.certificate".to_owned()], vec![]));
    for url in &urls {
        let shown = async {
            while visit(url, "new", &second).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, shown).await.expect("the new certificate is shown");
        assert!(visit(url, "late", &first).await.is_err(), "and the old one no more");
    }
    old.publish("device-server", br#"{"type":"hello"}"#, Qos::AtMostOnce).await.unwrap();
    assert!(matches!(old.receive().await, Ok(Event::Publish { .. })));

    fs::copy(third.server_key(), &key).unwrap();
    let refused = gateway.reload(&config).unwrap_err().to_string();
    assert!(refused.starts_with("mqtt.key = ") && refused.ends_with("is not the key of the certificate"), "{refused}");
    assert!(visit(&urls[0], "still", &second).await.is_ok());
    assert!(gateway.shut_down().await);
}
