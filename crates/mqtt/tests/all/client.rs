//! The client against our endpoint, and against servers that write their packets by hand.

use crate::common::{connect_v311, expect, message, options, packet, pair, publish};
use sidetone_mqtt::client::{self, Refused};
use sidetone_mqtt::{Client, ConnectError, ConnectionError, Event, Fault, LastWill, Options, Qos, Stream, Version};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, timeout};

const CONNACK: [u8; 4] = [0x20, 2, 0, 0];

/// A client of 3.1.1 and the wire to it, after the CONNACK.
async fn client(set: impl FnOnce(&mut Options)) -> (Client, DuplexStream) {
    let (ours, mut theirs) = duplex(4096);
    let mut options = options("mqtt://in-memory");
    options.keep_alive = Duration::ZERO;
    set(&mut options);
    let client = tokio::spawn(async move { client::connect_over(Stream::new(ours), &options).await });
    let mut header = [0; 2];
    theirs.read_exact(&mut header).await.unwrap();
    theirs.read_exact(&mut vec![0; usize::from(header[1])]).await.unwrap();
    theirs.write_all(&CONNACK).await.unwrap();
    (client.await.unwrap().unwrap(), theirs)
}

async fn connect_fails(server: &[u8]) -> ConnectError {
    let (ours, mut theirs) = duplex(4096);
    theirs.write_all(server).await.unwrap();
    theirs.shutdown().await.unwrap();
    client::connect_over(Stream::new(ours), &options("mqtt://in-memory")).await.unwrap_err()
}

#[tokio::test]
async fn the_connect_is_written_as_the_options_say() {
    let (ours, mut theirs) = duplex(4096);
    let mut options = options("mqtt://in-memory");
    options.keep_alive = Duration::from_secs(240);
    let _connecting = tokio::spawn(async move { client::connect_over(Stream::new(ours), &options).await });
    expect(&mut theirs, &connect_v311(240)).await;

    let (ours, mut theirs) = duplex(4096);
    let mut options = crate::common::options("mqtt://in-memory");
    (options.clean, options.keep_alive) = (false, Duration::from_secs(1));
    (options.username, options.password) = (Some("u".to_owned()), Some(b"p".to_vec().into()));
    let (topic, payload) = ("w".to_owned(), b"gone".to_vec());
    options.last_will = Some(LastWill { topic, payload, qos: Qos::AtLeastOnce, retain: true });
    let _connecting = tokio::spawn(async move { client::connect_over(Stream::new(ours), &options).await });
    let body = [&[0, 4][..], b"MQTT", &[4, 0b1110_1100, 0, 1, 0, 4], b"lamp", &[0, 1], b"w", &[0, 4], b"gone"].concat();
    expect(&mut theirs, &packet(0x10, &[&body[..], &[0, 1, b'u', 0, 1, b'p']].concat())).await;
}

#[tokio::test]
async fn subscriptions_are_answered_one_by_one() {
    for (version, refused) in [(Version::V311, 0x80), (Version::V5, 0x9e)] {
        let (mut client, mut connection) = pair(|options| options.version = version).await;
        let server = tokio::spawn(async move {
            assert_eq!(connection.receive().await.unwrap(), Event::Subscribed { filter: "a/+".to_owned() });
            connection
        });
        let granted = client.subscribe(&["a/+", "$share/g/a"], Qos::AtLeastOnce).await.unwrap();
        assert_eq!(granted, [Ok(Qos::AtMostOnce), Err(Refused(refused))]);
        let mut connection = server.await.unwrap();
        assert!(connection.is_subscribed("a/b"));

        client.publish("t", b"m", Qos::AtLeastOnce).await.unwrap();
        assert_eq!(client.unacknowledged(), 1);
        let server = tokio::spawn(async move {
            assert_eq!(connection.receive().await.unwrap(), message("t", b"m", Qos::AtLeastOnce));
            assert_eq!(connection.receive().await.unwrap(), Event::Unsubscribed { filter: "a/+".to_owned() });
            assert_eq!(connection.receive().await.unwrap(), Event::Disconnected { clean: true });
            assert!(!connection.is_subscribed("a/b"));
        });
        client.unsubscribe(&["a/+", "never"]).await.unwrap();
        assert_eq!(client.unacknowledged(), 0);
        client.disconnect().await.unwrap();
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_closes_is_an_event() {
    for (version, clean) in [(Version::V311, false), (Version::V5, true)] {
        let (mut client, connection) = pair(|options| options.version = version).await;
        let closing = tokio::spawn(connection.close());
        let client::Event::Disconnected { clean: got, reason } = client.receive().await.unwrap() else { panic!() };
        assert_eq!(got, clean, "{reason}");
        assert!(matches!(client.receive().await, Err(ConnectionError::Closed)));
        assert!(matches!(client.publish("t", b"", Qos::AtMostOnce).await, Err(ConnectionError::Closed)));
        drop(client);
        closing.await.unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_sent_leaves_the_connection_as_it_was() {
    let (mut client, mut wire) = client(|options| options.max_in_flight = 1).await;
    for (topic, qos, why) in [
        ("a/#", Qos::AtMostOnce, "\"a/#\" is no valid topic"),
        ("", Qos::AtMostOnce, "\"\" is no valid topic"),
        ("a", Qos::ExactlyOnce, "QoS 0 and 1 only"),
    ] {
        let error = client.publish(topic, b"", qos).await.unwrap_err();
        assert!(!error.is_fatal() && error.to_string().contains(why), "{error}");
    }
    for filters in [&[][..], &["a#"], &["a", ""]] {
        let error = client.subscribe(filters, Qos::AtMostOnce).await.unwrap_err();
        assert!(!error.is_fatal(), "{error}");
    }
    client.publish("a", b"", Qos::AtLeastOnce).await.unwrap();
    let error = client.publish("a", b"", Qos::AtLeastOnce).await.unwrap_err();
    assert!(matches!(error, ConnectionError::TooManyInFlight(1)) && !error.is_fatal(), "{error}");
    expect(&mut wire, &publish(0b0010, "a", 1, b"")).await;
    wire.write_all(&[&[0x40, 2, 0, 1][..], &publish(0, "b", 0, b"")].concat()).await.unwrap();
    assert!(matches!(client.receive().await.unwrap(), client::Event::Publish { topic, .. } if topic == "b"));
    assert_eq!(client.unacknowledged(), 0);
    client.publish("a", b"", Qos::AtLeastOnce).await.unwrap();
}

#[tokio::test]
async fn a_server_that_breaks_the_protocol_is_left() {
    #[rustfmt::skip]
    let table: [(&str, &[u8]); 9] = [
        ("a second CONNACK", &CONNACK), ("a SUBACK of nothing", &[0x90, 3, 0, 1, 0]),
        ("a PUBACK of nothing", &[0x40, 2, 0, 1]), ("a CONNECT", &connect_v311(0)), ("a PINGREQ", &[0xc0, 0]),
        ("a DISCONNECT, which 3.1.1 has not", &[0xe0, 0]), ("noise", &[0xff; 9]),
        ("packet id 0", &publish(0b0010, "t", 0, b"")), ("a topic with wildcards", &publish(0, "+", 0, b"")),
    ];
    for (what, bytes) in table {
        let (mut client, mut wire) = client(|_| {}).await;
        wire.write_all(bytes).await.unwrap();
        let end = client.receive().await;
        assert!(matches!(end, Err(ConnectionError::Fault(_))), "{what}: {end:?}");
        assert!(matches!(client.receive().await, Err(ConnectionError::Closed)), "{what}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_let_us_in_is_told_apart() {
    let error = connect_fails(&[0x20, 2, 0, 4]).await;
    assert!(matches!(error, ConnectError::Refused { code: 4, .. }), "{error}");
    let error = connect_fails(&publish(0, "t", 0, b"")).await;
    assert!(
        matches!(error, ConnectError::Connection { source: ConnectionError::Fault(Fault::OutOfOrder), .. }),
        "{error}"
    );
    let error = connect_fails(&b"HTTP/1.1 400 Bad Request\r\n".repeat(9)).await;
    assert!(matches!(error, ConnectError::Connection { source: ConnectionError::Fault(_), .. }), "{error}");
    let error = connect_fails(b"").await;
    assert!(matches!(error, ConnectError::Connection { source: ConnectionError::Io(_), .. }), "{error}");
    let mut long = options("mqtt://127.0.0.1:1");
    long.client_id = "a".repeat(65_536);
    let error = client::connect_over(Stream::new(duplex(1).0), &long).await.unwrap_err();
    assert!(error.to_string().starts_with("no CONNECT can be made of the options: client id"), "{error}");
    let error = sidetone_mqtt::connect(&options("mqtt://127.0.0.1:1")).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot connect to 127.0.0.1:1: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let (ours, _theirs) = duplex(4096);
    let start = Instant::now();
    let error = client::connect_over(Stream::new(ours), &options("mqtt://in-memory")).await.unwrap_err();
    assert!(matches!(error, ConnectError::Timeout { .. }), "{error}");
    assert_eq!(start.elapsed().as_secs(), 10);

    let (mut client, _wire) = client(|_| {}).await;
    let start = Instant::now();
    let error = client.subscribe(&["a"], Qos::AtMostOnce).await.unwrap_err();
    assert!(matches!(error, ConnectionError::NoAnswer(_)), "{error}");
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_client_pings_and_notices_that_nobody_answers() {
    let (mut client, mut wire) = client(|options| options.keep_alive = Duration::from_secs(30)).await;
    let start = Instant::now();
    let server = tokio::spawn(async move {
        expect(&mut wire, &[0xc0, 0]).await;
        wire.write_all(&[0xd0, 0]).await.unwrap();
        expect(&mut wire, &[0xc0, 0]).await;
        wire
    });
    let error = client.receive().await.unwrap_err();
    assert!(matches!(error, ConnectionError::Silent), "{error}");
    assert_eq!(start.elapsed().as_secs(), 30 + 30 + 10);
    drop(server.await.unwrap());
}

#[tokio::test]
async fn messages_that_come_before_an_answer_are_kept_up_to_a_bound() {
    let (mut client, mut wire) = client(|_| {}).await;
    let server = tokio::spawn(async move {
        for _ in 0..3 {
            wire.write_all(&publish(0, "t", 0, b"m")).await.unwrap();
        }
        wire.write_all(&[0x90, 3, 0, 1, 0]).await.unwrap();
        let mut subscribe = [0; 8];
        wire.read_exact(&mut subscribe).await.unwrap();
        wire
    });
    // The answer is there before the question: a server that does that is wrong, but it is not what this is about.
    tokio::task::yield_now().await;
    let granted = client.subscribe(&["t"], Qos::AtMostOnce).await.unwrap();
    assert_eq!(granted, [Ok(Qos::AtMostOnce)]);
    let mut wire = server.await.unwrap();
    for _ in 0..3 {
        assert!(matches!(client.receive().await.unwrap(), client::Event::Publish { .. }));
    }
    let flood = tokio::spawn(async move { while wire.write_all(&publish(0, "t", 0, b"m")).await.is_ok() {} });
    let error = client.subscribe(&["t"], Qos::AtMostOnce).await.unwrap_err();
    assert!(matches!(error, ConnectionError::Flooded(1024)), "{error}");
    drop(client);
    flood.await.unwrap();
}

#[tokio::test]
async fn a_subscription_may_be_given_up() {
    let (mut client, mut wire) = client(|_| {}).await;
    assert!(timeout(Duration::ZERO, client.subscribe(&["a"], Qos::AtMostOnce)).await.is_err());
    expect(&mut wire, &[0x82, 6, 0, 1, 0, 1, b'a', 0]).await;
    let server = tokio::spawn(async move {
        // The late answer to the first, then that to the second.
        expect(&mut wire, &[0x82, 6, 0, 2, 0, 1, b'b', 0]).await;
        wire.write_all(&[0x90, 3, 0, 1, 0x80, 0x90, 3, 0, 2, 0]).await.unwrap();
        wire
    });
    assert_eq!(client.subscribe(&["b"], Qos::AtMostOnce).await.unwrap(), [Ok(Qos::AtMostOnce)]);
    drop(server.await.unwrap());
}
