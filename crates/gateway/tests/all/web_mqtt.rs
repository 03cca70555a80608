//! MQTT over WebSocket, in clear and over TLS: the same endpoint as over TCP.

use crate::common::web::with_web;
use crate::common::{Device, until};
use sidetone_gateway::Gateway;
use sidetone_gateway::config::{Listen, Secret};
use sidetone_mqtt::client::connect;
use sidetone_mqtt::{ConnectError, Options, tls};
use sidetone_protocol::credential::{SignatureKey, encode_username};
use sidetone_protocol::message::DeviceBody;
use sidetone_protocol::topic::Dialect;
use sidetone_test_broker::Certificates;
use zeroize::Zeroizing;

const ID: &str = "GID_t@@@aa_bb_cc_dd_ee_ff@@@uuid";
const KEY: &str = "a signature key of the test";

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_makes_a_call() {
    let certificates = Certificates::new().unwrap();
    let mut config = with_web();
    config.mqtt.signature_key = Some(Secret::new(KEY.into()));
    config.mqtt.certificate = Some(certificates.server());
    config.mqtt.key = Some(certificates.server_key());
    config.web.tls_listen = Listen::loopback(0);
    let gateway = Gateway::start(config).await.unwrap();
    assert_eq!(gateway.web_transport().unwrap().sha256, None, "the configured certificate is trusted or not, as any");
    let addresses = gateway.addresses();
    let username = encode_username(&serde_json::Map::new());
    let password = SignatureKey::new(KEY.as_bytes()).unwrap().password(ID, &username);
    for url in [
        format!("ws://{}/mqtt", addresses.web.unwrap()),
        format!("wss://localhost:{}/mqtt", addresses.web_tls.unwrap().port()),
    ] {
        let mut options = Options::new(&url).unwrap();
        options.client_id = ID.into();
        options.tls = Some(tls::client(Some(&certificates.ca()), None).unwrap());
        assert!(matches!(connect(&options).await, Err(ConnectError::Refused { code: 4, .. })), "{url}");
        options.username = Some(username.clone());
        options.password = Some(Zeroizing::new(password.as_bytes().to_vec()));
        let mut device = Device::connect_mqtt(&gateway, options, Dialect::Mac).await;
        device.hello().await;
        let likeness = device.speaks_and_hears().await;
        assert!(likeness > 0.9, "{url}: {likeness}");
        device.say(DeviceBody::Goodbye).await;
        until("the call ends", || gateway.calls() == 0).await;
    }
    assert!(gateway.shut_down().await);
}
