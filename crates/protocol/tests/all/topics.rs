//! Client ids, topics of the three dialects, and the envelope: nobody gets out of their own topic.

use sidetone_protocol::message::{DeviceBody, DeviceMessage, MessageError};
use sidetone_protocol::topic::{
    ClientId, ClientIdError, DEVICE_SERVER, Dialect, Envelope, EnvelopeError, Mac, TopicError, Uplink, parse_downlink,
};

const ID: &str = "GID_test@@@11_22_33_44_55_66@@@36c98363-3656-43cb-a00f-8bced2391a90";

fn id(text: &str) -> ClientId {
    text.parse().unwrap()
}

#[test]
fn a_client_id_comes_apart() {
    let address = Mac([0x11, 0x22, 0x33, 0x44, 0x55, 0x66]);
    let mac = Some(address);
    let cases = [
        (ID, Some("GID_test"), mac, Some("36c98363-3656-43cb-a00f-8bced2391a90")),
        ("GID_test@@@11:22:33:44:55:66", Some("GID_test"), mac, None),
        ("GID_x@@@11-22-33-44-55-66@@@a@@@b", Some("GID_x"), mac, Some("a@@@b")),
        ("11_22_33_44_55_66", None, mac, None),
        ("11_22_33:44_55_66", None, None, None),
        ("GID_x@@@11_22_33_44_55@@@u", Some("GID_x"), None, Some("u")),
        ("mosquitto-sub", None, None, None),
        ("@@@@@@", Some(""), None, Some("")),
    ];
    for (text, group, mac, uuid) in cases {
        let id = id(text);
        assert_eq!((id.group(), id.mac(), id.uuid()), (group, mac, uuid), "{text}");
        assert_eq!(id.to_string(), text);
    }
    assert_eq!(address.client_id("GID_test", "36c98363-3656-43cb-a00f-8bced2391a90"), Ok(id(ID)));
    assert_eq!(Mac::parse("AA:BB:CC:DD:EE:FF").unwrap().to_string(), "aa_bb_cc_dd_ee_ff");
}

#[test]
fn a_client_id_that_could_reach_other_topics_is_refused() {
    let character = |found, at| ClientIdError::Character { found, at };
    let cases = [
        ("", ClientIdError::Empty),
        ("+", character('+', 0)),
        ("a#", character('#', 1)),
        ("a/b", character('/', 1)),
        ("$SYS", character('$', 0)),
        ("a b", character(' ', 1)),
        ("a\0", character('\0', 1)),
        ("a\u{7f}", character('\u{7f}', 1)),
        ("aé", character('é', 1)),
        (&"x".repeat(129), ClientIdError::TooLong { len: 129 }),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<ClientId>(), Err(error), "{text:?}");
    }
    assert!("x".repeat(128).parse::<ClientId>().is_ok());
}

#[test]
fn each_dialect_has_its_topics() {
    let id = id("GID_x@@@AA:bb:cc:dd:ee:ff@@@u");
    let whole = "devices/p2p/GID_x@@@AA:bb:cc:dd:ee:ff@@@u";
    assert_eq!(Dialect::Mac.downlink(&id), "devices/p2p/aa_bb_cc_dd_ee_ff");
    assert_eq!(Dialect::ClientId.downlink(&id), whole);
    assert_eq!(Dialect::PerDevice.downlink(&id), whole);
    assert_eq!(Dialect::Mac.uplink(&id), "device-server");
    assert_eq!(Dialect::ClientId.uplink(&id), "device-server");
    assert_eq!(Dialect::PerDevice.uplink(&id), "devices/GID_x@@@AA:bb:cc:dd:ee:ff@@@u/data");
    assert_eq!(Dialect::Mac.downlink(&"plain".parse().unwrap()), "devices/p2p/plain");
    for dialect in [Dialect::Mac, Dialect::ClientId, Dialect::PerDevice] {
        let topic = dialect.uplink(&id);
        let uplink = Uplink::parse(&topic, DEVICE_SERVER).unwrap();
        assert!(uplink.belongs_to(&id));
        assert_eq!(Dialect::of(&uplink, dialect), dialect);
        assert!(parse_downlink(&dialect.downlink(&id)).is_ok());
    }
}

#[test]
fn a_device_publishes_under_its_own_name_only() {
    let own = id(ID);
    let cases = [
        ("device-server", Ok(true)),
        ("devices/11_22_33_44_55_66/data", Ok(true)),
        ("devices/11:22:33:44:55:66/data", Ok(true)),
        ("devices/11_22_33_44_55_67/data", Ok(false)),
        ("devices/GID_test/data", Ok(false)),
        ("devices/p2p/data", Err(TopicError::NotUplink)),
        ("devices/a/b/data", Err(TopicError::Client(ClientIdError::Character { found: '/', at: 1 }))),
        ("devices/+/data", Err(TopicError::Client(ClientIdError::Character { found: '+', at: 0 }))),
        ("devices//data", Err(TopicError::Client(ClientIdError::Empty))),
        ("devices/data", Err(TopicError::NotUplink)),
        ("device-server/x", Err(TopicError::NotUplink)),
        ("", Err(TopicError::NotUplink)),
    ];
    for (topic, expected) in cases {
        assert_eq!(Uplink::parse(topic, DEVICE_SERVER).map(|uplink| uplink.belongs_to(&own)), expected, "{topic}");
    }
    assert_eq!(parse_downlink("devices/p2p/#"), Err(ClientIdError::Character { found: '#', at: 0 }.into()));
    assert_eq!(parse_downlink("devices/x"), Err(TopicError::NotDownlink));
}

#[test]
fn an_envelope_is_opened_in_every_spelling() {
    let message = DeviceMessage::new("s1", DeviceBody::Goodbye);
    let expected = Envelope { sender: id(ID), message };
    let written = format!(r#"{{"sender_client_id":"{ID}","orginal_payload":{{"session_id":"s1","type":"goodbye"}}}}"#);
    assert_eq!(expected.to_json(), written);
    let string =
        written.replace(r#"{"session_id":"s1","type":"goodbye"}"#, r#""{\"type\":\"goodbye\",\"session_id\":\"s1\"}""#);
    for json in [&written, &written.replace("orginal", "original"), &string] {
        assert_eq!(Envelope::parse(json.as_bytes()), Ok(expected.clone()), "{json}");
    }
}

#[test]
fn what_is_no_envelope_is_refused() {
    let cases = [
        (r#"{"orginal_payload":{"type":"goodbye"}}"#, EnvelopeError::NoSender),
        (r#"{"sender_client_id":7,"orginal_payload":{"type":"goodbye"}}"#, EnvelopeError::NoSender),
        (
            r##"{"sender_client_id":"#","orginal_payload":{"type":"goodbye"}}"##,
            EnvelopeError::Sender(ClientIdError::Character { found: '#', at: 0 }),
        ),
        (r#"{"sender_client_id":"a"}"#, EnvelopeError::NoPayload),
        (r#"{"sender_client_id":"a","orginal_payload":1}"#, EnvelopeError::Message(MessageError::NotAnObject)),
        (r#"{"sender_client_id":"a","orginal_payload":{}}"#, EnvelopeError::Message(MessageError::NoType)),
        (
            r#"{"sender_client_id":"a","orginal_payload":"["}"#,
            EnvelopeError::Message(MessageError::NotJson { line: 1, column: 1 }),
        ),
        ("[]", EnvelopeError::Message(MessageError::NotAnObject)),
    ];
    for (json, error) in cases {
        assert_eq!(Envelope::parse(json.as_bytes()), Err(error), "{json}");
    }
}
