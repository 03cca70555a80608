//! Text in the audio channel, as some clients send it.

use crate::common::{CONNECTION, DTX, KEY, MADE_UP, Told, gateway, uplink};
use sidetone_session::{Config, Delivery, Kind, Session};

#[test]
fn text_is_swallowed_and_counted_and_takes_its_sequence_number() {
    let mut session = gateway();
    // Some clients start at 0.
    let words = ["ping:f00d", "keepalive:f00d", "hello", "pong", "goodbye {}"];
    for (sequence, text) in (0..).zip(words) {
        let received = session.receive(&uplink(sequence, text.as_bytes())).unwrap();
        assert_eq!((received.kind, received.sequence), (Kind::Text, sequence));
        assert_eq!((received.samples.len(), received.payload.len(), received.position), (0, 0, 0), "{text}");
    }
    let received = session.receive(&uplink(5, DTX)).unwrap();
    assert_eq!(
        (received.kind, received.lost, received.position),
        (Kind::Audio, 0, 0),
        "text is no gap, and takes no time"
    );
    let stats = session.stats();
    assert_eq!((stats.text, stats.received, stats.received_bytes, stats.lost), (5, 1, 1, 0));
    assert_eq!(stats.packets.accepted, 6);
}

#[test]
fn a_gap_before_text_is_filled_with_the_text() {
    let mut session = Session::<Told>::with_codec(&KEY, &Config::gateway(CONNECTION)).unwrap();
    session.receive(&uplink(1, &[0x58, 1])).unwrap();
    let received = session.receive(&uplink(4, b"ping")).unwrap();
    assert_eq!((received.kind, received.lost, received.concealed, received.recovered), (Kind::Text, 2, 2, 0));
    assert_eq!((received.position, received.samples), (960, &[MADE_UP; 2 * 960][..]));
    assert_eq!(session.receive(&uplink(5, &[0x58, 1])).unwrap().position, 3 * 960);
}

#[test]
fn late_text_is_counted_and_text_twice_is_refused() {
    let mut session = gateway();
    for sequence in [1, 3] {
        session.receive(&uplink(sequence, DTX)).unwrap();
    }
    let received = session.receive(&uplink(2, b"keepalive")).unwrap();
    assert_eq!((received.kind, received.samples.len()), (Kind::Text, 0));
    assert!(session.receive(&uplink(2, b"keepalive")).is_err());
    assert_eq!((session.stats().text, session.stats().packets.late), (1, 1));
}

#[test]
fn text_is_not_passed_on_as_a_packet() {
    let mut config = Config::gateway(CONNECTION);
    config.incoming.delivery = Delivery::Packets;
    let mut session = Session::new(&KEY, &config).unwrap();
    let received = session.receive(&uplink(1, b"ping:1")).unwrap();
    assert_eq!((received.kind, received.payload.len(), received.samples.len()), (Kind::Text, 0, 0));
}

#[test]
fn text_from_a_gateway_is_swallowed_by_a_device() {
    let mut device = crate::common::device();
    let mut datagrams = Vec::new();
    gateway().send_payload(b"pong:1", 0, |datagram| datagrams.push(datagram.to_vec())).unwrap();
    assert_eq!(device.receive(&datagrams[0]).unwrap().kind, Kind::Text);
}
