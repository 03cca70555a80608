//! Our client against our endpoint, over every transport.

use crate::common::{let_in, listen, message, options};
use sidetone_mqtt::tls::{self, Identity};
use sidetone_mqtt::{
    ConnectError, Event, Frame, Limits, Options, Qos, Refusal, Stream, Transport, Version, accept, client, connect,
};
use sidetone_test_broker::Certificates;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

/// A message each way, of every size that meets a boundary, and a goodbye.
async fn talk(transport: Transport, set: impl FnOnce(&mut Options)) {
    let (mut listener, url) = listen(transport).await;
    let mut options = options(&url);
    set(&mut options);
    let version = options.version;
    let client = tokio::spawn(async move {
        let mut client = connect(&options).await.unwrap();
        assert_eq!(client.version(), version);
        for size in [0, 1, 100, 4096, 20_000, 60_000] {
            client.publish("device-server", &vec![7; size], Qos::AtMostOnce).await.unwrap();
            let answer = client.receive().await.unwrap();
            let expected = client::Event::Publish {
                topic: "devices/p2p/lamp".to_owned(),
                payload: vec![9; size].into(),
                qos: Qos::AtMostOnce,
                retain: false,
            };
            assert_eq!(answer, expected);
        }
        client.disconnect().await.unwrap();
    });
    let mut connection = let_in(&mut listener, &Limits::default()).await;
    assert!(connection.peer_addr().is_some());
    assert_eq!((connection.client_id(), connection.version()), ("lamp", version));
    for size in [0, 1, 100, 4096, 20_000, 60_000] {
        assert_eq!(connection.receive().await.unwrap(), message("device-server", &vec![7; size], Qos::AtMostOnce));
        connection.publish("devices/p2p/lamp", &vec![9; size]).await.unwrap();
    }
    assert_eq!(connection.receive().await.unwrap(), Event::Disconnected { clean: true });
    connection.close().await;
    client.await.unwrap();
}

fn identity(certificates: &Certificates) -> (Identity, Identity) {
    (
        Identity { certificate: certificates.server(), key: certificates.server_key() },
        Identity { certificate: certificates.client(), key: certificates.client_key() },
    )
}

#[tokio::test]
async fn over_tcp() {
    talk(Transport::Tcp, |_| {}).await;
    talk(Transport::Tcp, |options| options.version = Version::V5).await;
}

#[tokio::test]
async fn over_tls() {
    let certificates = Certificates::new().unwrap();
    let server = tls::server(&identity(&certificates).0, None).unwrap();
    let client = tls::client(Some(&certificates.ca()), None).unwrap();
    talk(Transport::Tls(server), |options| options.tls = Some(client)).await;
}

#[tokio::test]
async fn over_websocket() {
    talk(Transport::WebSocket, |_| {}).await;
    talk(Transport::WebSocket, |options| options.version = Version::V5).await;
}

#[tokio::test]
async fn over_websocket_and_tls_with_client_certificate() {
    let certificates = Certificates::new().unwrap();
    let (ours, theirs) = identity(&certificates);
    let server = tls::server(&ours, Some(&certificates.ca())).unwrap();
    let client = tls::client(Some(&certificates.ca()), Some(&theirs)).unwrap();
    talk(Transport::WebSocketTls(server), |options| options.tls = Some(client)).await;
}

#[tokio::test]
async fn a_websocket_upgraded_by_somebody_else_is_adopted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/any/path", listener.local_addr().unwrap());
    let client = tokio::spawn(async move {
        let mut client = connect(&options(&url)).await.unwrap();
        client.publish("a", b"b", Qos::AtLeastOnce).await.unwrap();
        client.receive().await.unwrap()
    });
    let tcp: TcpStream = listener.accept().await.unwrap().0;
    #[expect(clippy::result_large_err, reason = "the library's type")]
    let agree = |_: &_, mut response: tokio_tungstenite::tungstenite::handshake::server::Response| {
        response.headers_mut().insert("sec-websocket-protocol", "mqtt".parse().unwrap());
        Ok(response)
    };
    let socket = tokio_tungstenite::accept_hdr_async(tcp, agree).await.unwrap();
    let stream = Stream::from_websocket(
        socket,
        |message| match message {
            Message::Binary(bytes) => Frame::Binary(bytes),
            Message::Text(_) => Frame::Text,
            Message::Close(_) => Frame::Close,
            _ => Frame::Control,
        },
        Message::Binary,
    );
    let mut connection = accept(stream, &Limits::default()).await.unwrap().welcome().await.unwrap();
    assert_eq!(connection.receive().await.unwrap(), message("a", b"b", Qos::AtLeastOnce));
    connection.publish("c", b"d").await.unwrap();
    let client::Event::Publish { topic, .. } = client.await.unwrap() else { panic!("no message") };
    assert_eq!(topic, "c");
}

#[tokio::test]
async fn a_server_that_cannot_be_trusted_is_not_spoken_to() {
    let (certificates, others) = (Certificates::new().unwrap(), Certificates::new().unwrap());
    let (mut listener, url) = listen(Transport::Tls(tls::server(&identity(&certificates).0, None).unwrap())).await;
    let served = tokio::spawn(async move { listener.accept().await });
    let mut options = options(&url);
    options.tls = Some(tls::client(Some(&others.ca()), None).unwrap());
    let error = connect(&options).await.unwrap_err();
    assert!(matches!(error, ConnectError::Tls { .. }), "{error}");
    served.abort();
}

#[tokio::test]
async fn a_client_without_certificate_does_not_come_through() {
    let certificates = Certificates::new().unwrap();
    let server = tls::server(&identity(&certificates).0, Some(&certificates.ca())).unwrap();
    let (mut listener, url) = listen(Transport::Tls(server)).await;
    let served = tokio::spawn(async move { listener.accept().await });
    let mut options = options(&url);
    options.tls = Some(tls::client(Some(&certificates.ca()), None).unwrap());
    assert!(connect(&options).await.is_err());
    assert!(!served.is_finished());
    served.abort();
}

#[tokio::test]
async fn a_refusal_is_told_with_its_reason() {
    #[rustfmt::skip]
    let table = [
        (Refusal::BadCredentials, 4, 0x86), (Refusal::NotAuthorized, 5, 0x87),
        (Refusal::ServerUnavailable, 3, 0x88), (Refusal::BadClientId, 2, 0x85),
    ];
    for (refusal, v311, v5) in table {
        for (version, expected) in [(Version::V311, v311), (Version::V5, v5)] {
            let (mut listener, url) = listen(Transport::Tcp).await;
            let mut options = options(&url);
            options.version = version;
            options.username = Some("user".to_owned());
            options.password = Some(b"secret".to_vec().into());
            let client = tokio::spawn(async move { connect(&options).await });
            let knock = accept(listener.accept().await, &Limits::default()).await.unwrap();
            assert_eq!((knock.username(), knock.password()), (Some("user"), Some(&b"secret"[..])));
            assert!(!format!("{knock:?}").contains("secret") && !format!("{knock:?}").contains("115"));
            knock.refuse(refusal).await;
            let error = client.await.unwrap().unwrap_err();
            assert!(matches!(error, ConnectError::Refused { code, .. } if code == expected), "{refusal:?}: {error}");
        }
    }
}

#[tokio::test]
async fn errors_of_tls_files_name_the_file() {
    let certificates = Certificates::new().unwrap();
    let (ours, _) = identity(&certificates);
    let missing = Identity { certificate: "/nowhere/server.pem".into(), key: ours.key.clone() };
    let error = tls::server(&missing, None).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/server.pem: no certificate can be read from it: "), "{error}");
    let swapped = Identity { certificate: ours.key.clone(), key: ours.certificate.clone() };
    let error = tls::server(&swapped, None).unwrap_err().to_string();
    assert!(error.contains("server.key: no certificate can be read from it: there is no BEGIN CERTIFICATE"), "{error}");
    let strangers = Identity { certificate: ours.certificate.clone(), key: certificates.client_key() };
    let error = tls::server(&strangers, None).unwrap_err().to_string();
    assert!(error.contains("server.pem and ") && error.contains("client.key are no usable"), "{error}");
    let error = tls::client(Some(&ours.key), None).unwrap_err().to_string();
    assert!(error.contains("server.key: no CA certificate"), "{error}");
}
