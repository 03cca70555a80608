//! The endpoint against peers that write their packets by hand: good ones, slow ones and hostile ones.

use crate::common::{all, connect_v5, connect_v311, connected, endpoint, expect, message, packet, publish, subscribe};
use sidetone_mqtt::{AcceptError, ConnectionError, Event, Fault, Limits, Qos};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::{Instant, timeout};

const DISCONNECT: [u8; 2] = [0xe0, 0];

#[tokio::test]
async fn a_device_that_never_subscribes_is_published_to() {
    let (mut connection, mut wire) = connected(&connect_v311(240), Limits::default()).await;
    connection.publish("t", b"hi").await.unwrap();
    expect(&mut wire, &[0x30, 5, 0, 1, b't', b'h', b'i']).await;
    assert!(!connection.is_subscribed("t"));
}

#[tokio::test]
async fn qos_1_is_acknowledged_and_qos_2_delivered_once() {
    let (mut connection, mut wire) = connected(&connect_v311(0), Limits::default()).await;
    let packets = [
        publish(0, "t", 0, b"zero"),
        publish(0b0010, "t", 1, b"one"),
        publish(0b1010, "t", 1, b"one"),
        publish(0b0100, "t", 2, b"two"),
        publish(0b1100, "t", 2, b"two"),
        vec![0x62, 2, 0, 2],
        vec![0x62, 2, 0, 2],
        publish(0b0100, "t", 2, b"three"),
        vec![0xc0, 0],
        DISCONNECT.to_vec(),
    ];
    wire.write_all(&packets.concat()).await.unwrap();
    let (events, end) = all(&mut connection).await;
    end.unwrap();
    let expected = [
        message("t", b"zero", Qos::AtMostOnce),
        message("t", b"one", Qos::AtLeastOnce),
        message("t", b"one", Qos::AtLeastOnce),
        message("t", b"two", Qos::ExactlyOnce),
        message("t", b"three", Qos::ExactlyOnce),
        Event::Disconnected { clean: true },
    ];
    assert_eq!(events, expected);
    let answers = [
        [0x40, 2, 0, 1],
        [0x40, 2, 0, 1],
        [0x50, 2, 0, 2],
        [0x50, 2, 0, 2],
        [0x70, 2, 0, 2],
        [0x70, 2, 0, 2],
        [0x50, 2, 0, 2],
    ];
    expect(&mut wire, &answers.concat()).await;
    expect(&mut wire, &[0xd0, 0]).await;
    assert!(matches!(connection.receive().await, Err(ConnectionError::Closed)));
    assert!(matches!(connection.publish("t", b"").await, Err(ConnectionError::Closed)));
}

#[tokio::test]
async fn subscriptions_are_granted_within_bounds() {
    let limits = Limits { max_subscriptions: 2, max_filter: 8, ..Limits::default() };
    let (mut connection, mut wire) = connected(&connect_v311(0), limits).await;
    let filters = ["a/+", "#/a", "$share/g/a", "a/+", "way/too/long", "b/#", "c"];
    wire.write_all(&subscribe(7, &filters)).await.unwrap();
    for filter in ["a/+", "a/+", "b/#"] {
        assert_eq!(connection.receive().await.unwrap(), Event::Subscribed { filter: filter.to_owned() });
    }
    expect(&mut wire, &[0x90, 9, 0, 7, 0, 0x80, 0x80, 0, 0x80, 0, 0x80]).await;
    assert!(connection.is_subscribed("a/x") && connection.is_subscribed("b") && !connection.is_subscribed("c"));
    assert_eq!(connection.subscriptions().len(), 2);

    wire.write_all(&packet(0xa2, &[0, 8, 0, 3, b'a', b'/', b'+', 0, 1, b'c'])).await.unwrap();
    assert_eq!(connection.receive().await.unwrap(), Event::Unsubscribed { filter: "a/+".to_owned() });
    expect(&mut wire, &[0xb0, 2, 0, 8]).await;
    assert!(!connection.is_subscribed("a/x"));
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_dropped_after_one_and_a_half_keep_alives() {
    let (mut connection, mut wire) = connected(&connect_v311(10), Limits::default()).await;
    let start = Instant::now();
    let pinger = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(14)).await;
        wire.write_all(&[0xc0, 0]).await.unwrap();
        expect(&mut wire, &[0xd0, 0]).await;
        wire
    });
    let error = connection.receive().await.unwrap_err();
    assert!(matches!(error, ConnectionError::Silent), "{error}");
    assert_eq!(start.elapsed().as_secs(), 14 + 15);
    let mut wire = pinger.await.unwrap();
    drop(connection);
    assert_eq!(wire.read(&mut [0; 9]).await.unwrap(), 0, "closed without a word, as 3.1.1 has none");
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_of_version_5_is_told() {
    let (mut connection, mut wire) = connected(&connect_v5(10, &[]), Limits::default()).await;
    assert!(matches!(connection.receive().await, Err(ConnectionError::Silent)));
    expect(&mut wire, &[0xe0, 1, 0x8d]).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_without_keep_alive_may_be_silent_for_as_long_as_the_limit_says() {
    let (mut connection, _wire) = connected(&connect_v311(0), Limits::default()).await;
    let start = Instant::now();
    assert!(matches!(connection.receive().await, Err(ConnectionError::Silent)));
    assert_eq!(start.elapsed().as_secs(), 3600);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_dropped() {
    let (ours, theirs) = duplex(1 << 10);
    let limits = Limits { send_timeout: Duration::from_secs(5), ..Limits::default() };
    let server = tokio::spawn(async move { sidetone_mqtt::accept(sidetone_mqtt::Stream::new(theirs), &limits).await });
    let mut wire = ours;
    wire.write_all(&connect_v311(0)).await.unwrap();
    let mut connection = server.await.unwrap().unwrap().welcome().await.unwrap();
    let start = Instant::now();
    let mut taken = 0;
    let error = loop {
        match connection.publish("t", &[0; 100]).await {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ConnectionError::SlowReader(_)) && error.is_fatal(), "{error}");
    // 1024 bytes less the CONNACK hold 9 packets of 105.
    assert_eq!((taken, start.elapsed().as_secs()), (9, 5));
    assert!(matches!(connection.receive().await, Err(ConnectionError::Closed)));
}

#[tokio::test(start_paused = true)]
async fn a_connect_that_takes_too_long_is_not_waited_for() {
    let (connection, mut wire) = endpoint(Limits::default());
    let start = Instant::now();
    // A byte every two seconds, so that there is always some progress.
    for byte in connect_v311(0) {
        if wire.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let error = connection.await.unwrap().unwrap_err();
    assert!(matches!(error, AcceptError::Timeout(after) if after == Duration::from_secs(10)), "{error}");
    assert!(start.elapsed().as_secs() <= 12);
}

#[tokio::test]
async fn a_second_connect_ends_the_connection() {
    let (mut connection, mut wire) = connected(&connect_v311(0), Limits::default()).await;
    wire.write_all(&[connect_v311(0), publish(0, "t", 0, b"")].concat()).await.unwrap();
    assert!(
        matches!(all(&mut connection).await, (events, Err(ConnectionError::Fault(Fault::OutOfOrder))) if events.is_empty())
    );

    let (mut connection, mut wire) = connected(&connect_v5(0, &[]), Limits::default()).await;
    wire.write_all(&connect_v5(0, &[])).await.unwrap();
    assert!(matches!(connection.receive().await, Err(ConnectionError::Fault(Fault::OutOfOrder))));
    expect(&mut wire, &[0xe0, 1, 0x82]).await;
}

#[tokio::test]
async fn what_is_no_connect_is_refused() {
    let huge = [0x10, 0xff, 0xff, 0xff, 0x7f];
    let mut reserved = connect_v311(0);
    reserved[9] |= 1;
    let mut will_qos = connect_v311(0);
    will_qos[9] |= 0b1_1000;
    let mut trailing = connect_v311(0);
    trailing[1] += 1;
    trailing.push(0);
    let mut not_text = connect_v311(0);
    not_text[14] = 0xff;
    #[rustfmt::skip]
    let table: [(&str, &[u8], &str, &[u8]); 12] = [
        ("nothing", b"", "closed before", b""),
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n", "the first byte is 0x47", b""),
        ("TLS", &[0x16, 3, 1], "the first byte is 0x16", b""),
        ("a PUBLISH", &publish(0, "t", 0, b""), "the first byte is 0x30", b""),
        ("huge", &huge, "larger than allowed", b""),
        ("an endless length", &[0x10, 0xff, 0xff, 0xff, 0xff, 0xff], "malformed", b""),
        ("truncated", &connect_v311(0)[..10], "closed before", b""),
        ("a body of nothing", &[0x10, 0], "malformed", b""),
        ("a reserved bit", &reserved, "malformed", b""),
        ("a will's QoS without a will", &will_qos, "malformed", b""),
        ("bytes behind its end", &trailing, "malformed", b""),
        ("a client id that is no text", &not_text, "client id is not valid", b""),
    ];
    for (what, bytes, why, answer) in table {
        refused(what, bytes, why, answer).await;
    }
}

#[tokio::test]
async fn other_versions_are_told_so() {
    let v31 = [&[0x10, 18, 0, 6], &b"MQIsdp"[..], &[3, 2, 0, 0, 0, 4], b"lamp"].concat();
    refused("3.1", &v31, "level 3", &[0x20, 2, 0, 1]).await;
    let mut v6 = connect_v311(0);
    v6[8] = 6;
    refused("6", &v6, "level 6", &[0x20, 2, 0, 1]).await;
    let mut nameless = [&[0x10, 12, 0, 4], &b"MQTT"[..], &[4, 0, 0, 0, 0, 0]].concat();
    refused("no client id, but a session", &nameless, "names no client id", &[0x20, 2, 0, 2]).await;
    nameless[9] = 2;
    let (mut connection, _wire) = connected(&nameless, Limits::default()).await;
    assert!(connection.client_id().starts_with("auto-") && connection.client_id().len() == 21);
    connection.publish("t", b"").await.unwrap();
}

async fn refused(what: &str, bytes: &[u8], why: &str, answer: &[u8]) {
    let (connection, mut wire) = endpoint(Limits::default());
    wire.write_all(bytes).await.unwrap();
    wire.shutdown().await.unwrap();
    let error = connection.await.unwrap().unwrap_err().to_string();
    assert!(error.contains(why), "{what}: {error}");
    let mut got = Vec::new();
    wire.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, answer, "{what}");
}

#[tokio::test]
async fn bad_packets_end_the_connection_and_nothing_else() {
    let large = [&[0x30, 0x80, 0x80, 0x08][..], &[0; 100]].concat();
    #[rustfmt::skip]
    let table: [(&str, &[u8], Fault); 16] = [
        ("type 0", &[0, 0], Fault::Malformed),
        ("type 15", &[0xf0, 0], Fault::OutOfOrder),
        ("a CONNACK", &[0x20, 2, 0, 0], Fault::OutOfOrder),
        ("a SUBACK", &[0x90, 3, 0, 1, 0], Fault::OutOfOrder),
        ("a PINGRESP", &[0xd0, 0], Fault::OutOfOrder),
        ("a PUBACK of nothing", &[0x40, 2, 0, 1], Fault::OutOfOrder),
        ("QoS 3", &publish(0b0110, "t", 1, b""), Fault::Malformed),
        ("packet id 0, QoS 1", &publish(0b0010, "t", 0, b""), Fault::Malformed),
        ("packet id 0, QoS 2", &publish(0b0100, "t", 0, b""), Fault::Malformed),
        ("PUBREL of packet id 0", &[0x62, 2, 0, 0], Fault::Malformed),
        ("an empty topic", &publish(0, "", 0, b""), Fault::Topic),
        ("a topic with wildcards", &publish(0, "a/#", 0, b""), Fault::Topic),
        ("a topic beyond the packet", &[0x30, 3, 0, 9, b't'], Fault::Malformed),
        ("no filters", &[0x82, 2, 0, 1], Fault::OutOfOrder),
        ("SUBSCRIBE of packet id 0", &subscribe(0, &["a"]), Fault::Malformed),
        ("a packet too large", &large, Fault::TooLarge),
    ];
    for (what, bytes, fault) in table {
        for connect in [connect_v311(0), connect_v5(0, &[])] {
            let v5 = connect[8] == 5;
            // The same bytes mean something else in version 5, but nothing better.
            let (mut connection, mut wire) = connected(&connect, Limits::default()).await;
            wire.write_all(bytes).await.unwrap();
            wire.shutdown().await.unwrap();
            let (events, end) = all(&mut connection).await;
            match end {
                Err(ConnectionError::Fault(got)) if v5 || got == fault => {}
                end => panic!("{what}, version 5: {v5}: {end:?}"),
            }
            assert!(events.is_empty(), "{what}, version 5: {v5}: {events:?}");
        }
    }
}

#[tokio::test]
async fn too_many_messages_under_way_end_the_connection() {
    let limits = Limits { max_in_flight: 2, ..Limits::default() };
    let (mut connection, mut wire) = connected(&connect_v311(0), limits).await;
    for id in 1..=3 {
        wire.write_all(&publish(0b0100, "t", id, b"")).await.unwrap();
    }
    let (events, end) = all(&mut connection).await;
    assert_eq!(events.len(), 2);
    assert!(matches!(end, Err(ConnectionError::Fault(Fault::TooManyInFlight))), "{end:?}");
}

#[tokio::test]
async fn a_topic_alias_maximum_of_zero_is_harmless() {
    // A property that the protocol library panics on, and that MQTT allows.
    let (mut connection, mut wire) = connected(&connect_v5(0, &[0x22, 0, 0]), Limits::default()).await;
    connection.publish("t", b"hi").await.unwrap();
    expect(&mut wire, &[0x30, 6, 0, 1, b't', 0, b'h', b'i']).await;
}

#[tokio::test]
async fn a_peer_is_not_sent_more_than_it_takes() {
    let (mut connection, mut wire) = connected(&connect_v5(0, &[0x27, 0, 0, 0, 40]), Limits::default()).await;
    let error = connection.publish("t", &[0; 35]).await.unwrap_err();
    assert!(matches!(error, ConnectionError::TooLarge(41)) && !error.is_fatal(), "{error}");
    let error = connection.publish("t/#", b"").await.unwrap_err();
    assert!(matches!(error, ConnectionError::Topic(_)) && !error.is_fatal(), "{error}");
    connection.publish("t", &[0; 34]).await.unwrap();
    let mut got = [0; 40];
    wire.read_exact(&mut got).await.unwrap();
    assert_eq!(got[..2], [0x30, 38]);
}

#[tokio::test]
async fn receiving_can_be_cancelled_at_any_byte() {
    let (mut connection, mut wire) = connected(&connect_v311(0), Limits::default()).await;
    let bytes = [publish(0b0010, "t", 1, b"one"), publish(0b0010, "t", 2, b"two"), DISCONNECT.to_vec()].concat();
    let mut events = Vec::new();
    for byte in bytes {
        wire.write_all(&[byte]).await.unwrap();
        // Polled once or twice, then dropped.
        while let Ok(event) = timeout(Duration::ZERO, connection.receive()).await {
            let event = event.unwrap();
            let last = event == Event::Disconnected { clean: true };
            events.push(event);
            if last {
                break;
            }
        }
    }
    let expected = [
        message("t", b"one", Qos::AtLeastOnce),
        message("t", b"two", Qos::AtLeastOnce),
        Event::Disconnected { clean: true },
    ];
    assert_eq!(events, expected);
    expect(&mut wire, &[0x40, 2, 0, 1, 0x40, 2, 0, 2]).await;
}

#[tokio::test]
async fn a_peer_that_goes_without_a_word_is_not_clean() {
    let (mut connection, wire) = connected(&connect_v311(0), Limits::default()).await;
    drop(wire);
    assert_eq!(connection.receive().await.unwrap(), Event::Disconnected { clean: false });
}

#[tokio::test]
async fn what_comes_right_behind_the_connect_is_not_lost() {
    let bytes = [connect_v311(0), publish(0, "t", 0, b"early")].concat();
    let (mut connection, _wire) = connected(&bytes, Limits::default()).await;
    assert_eq!(connection.receive().await.unwrap(), message("t", b"early", Qos::AtMostOnce));
}
