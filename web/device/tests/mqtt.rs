//! The MQTT client against packets written by hand (MQTT 3.1.1, OASIS 2014).

use sidetone_device::mqtt::{Client, Event, Fault, Options};

fn options() -> Options {
    Options { client_id: "dev".into(), username: "u".into(), password: "pw".into(), keep_alive: 240 }
}

fn connected() -> Client {
    let mut client = Client::connect(0.0, &options()).unwrap();
    client.take_output();
    assert_eq!(client.receive(10.0, &[0x20, 2, 0, 0]), Ok(vec![Event::Connected]));
    client
}

#[test]
fn the_first_packet_is_a_connect_as_devices_send_it() {
    let mut client = Client::connect(0.0, &options()).unwrap();
    let expected = b"\x10\x16\x00\x04MQTT\x04\xc2\x00\xf0\x00\x03dev\x00\x01u\x00\x02pw";
    assert_eq!(client.take_output(), expected);
    assert_eq!(client.take_output(), b"");
}

#[test]
fn a_message_may_come_in_pieces_and_two_at_once() {
    let mut client = connected();
    let packet = b"\x30\x05\x00\x01thi";
    let message = Event::Message { topic: "t".into(), payload: b"hi".to_vec() };
    assert_eq!(client.receive(20.0, &packet[..3]), Ok(vec![]));
    assert_eq!(client.receive(20.0, &packet[3..]), Ok(vec![message.clone()]));
    assert_eq!(client.receive(20.0, &packet.repeat(2)), Ok(vec![message.clone(), message]));
}

#[test]
fn it_publishes_and_subscribes_at_qos_0_and_says_goodbye() {
    let mut client = connected();
    client.publish(20.0, "device-server", b"{}").unwrap();
    assert_eq!(client.take_output(), b"\x30\x11\x00\x0ddevice-server{}");
    client.subscribe(20.0, "a/b").unwrap();
    assert_eq!(client.take_output(), b"\x82\x08\x00\x01\x00\x03a/b\x00");
    client.disconnect(20.0).unwrap();
    assert_eq!(client.take_output(), [0xe0, 0]);
}

#[test]
fn a_refusal_says_why() {
    let mut client = Client::connect(0.0, &options()).unwrap();
    let refused = client.receive(10.0, &[0x20, 2, 0, 5]);
    assert!(matches!(refused, Err(Fault::Refused(_))), "{refused:?}");
}

#[test]
fn a_silent_connection_is_pinged_and_given_up() {
    let mut client = connected();
    let ping = client.next_timeout().unwrap();
    assert!((1.0..=240_010.0).contains(&ping), "{ping}");
    client.tick(ping).unwrap();
    assert_eq!(client.take_output(), [0xc0, 0]);
    let given_up = client.next_timeout().unwrap();
    client.tick(given_up - 1.0).unwrap();
    let mut ticks = (0..3).map(|n| client.tick(given_up + f64::from(n) * 300_000.0));
    assert!(ticks.any(|tick| tick == Err(Fault::Silent)));
}

#[test]
fn bytes_that_are_no_mqtt_are_a_fault() {
    let http = b"HTTP/1.1 400 Bad Request\r\n".repeat(5);
    for bytes in [&[0xff; 8][..], &http] {
        let mut client = Client::connect(0.0, &options()).unwrap();
        assert!(client.receive(0.0, bytes).is_err(), "{bytes:?}");
    }
}
