//! What the tests share: a device and a gateway, short forms, and the corpus where it is present.
#![allow(dead_code, reason = "each test file uses a part of it")]

use serde_json::Value;
use sidetone_protocol::message::{
    AudioParams, DeviceBody, DeviceHello, DeviceMessage, GatewayBody, GatewayMessage, Tts, UdpEndpoint,
};
use sidetone_protocol::session::{Config, GatewaySession, Grant, HelloId, Input, Output};
use sidetone_protocol::{HelloNonce, SessionKey, Time};
use sidetone_testbed::corpus;

/// A session key. Its bytes are unlike anything else in the tests, so that a leak is recognised.
pub(crate) const KEY: [u8; 16] =
    [0xd3, 0x1c, 0x96, 0x5a, 0xe8, 0x77, 0x42, 0xbf, 0x0b, 0x64, 0xc9, 0x8e, 0x21, 0xf5, 0xaa, 0x3d];
pub(crate) const KEY_HEX: &str = "d31c965ae87742bf0b64c98e21f5aa3d";
pub(crate) const CONNECTION: u32 = 0xa1b2_c3d4;

pub(crate) fn ms(millis: u64) -> Time {
    Time::from_millis(millis)
}

pub(crate) fn endpoint() -> UdpEndpoint {
    UdpEndpoint {
        server: "192.0.2.1".into(),
        port: 8884,
        key: SessionKey::new(KEY),
        nonce: HelloNonce::new(CONNECTION),
    }
}

pub(crate) fn grant(hello: HelloId, session_id: &str) -> Input {
    let downlink = AudioParams::GATEWAY;
    Input::Grant(Grant { hello, session_id: session_id.into(), downlink, udp: Some(endpoint()) })
}

pub(crate) fn hello() -> Input {
    Input::Message(DeviceMessage::hello(DeviceHello::default()))
}

/// What the device says, as JSON.
pub(crate) fn said(json: &str) -> Input {
    Input::Message(DeviceMessage::parse(json.as_bytes()).unwrap())
}

pub(crate) fn device(body: DeviceBody) -> Input {
    Input::Message(DeviceMessage::new("s1", body))
}

pub(crate) fn tts(tts: Tts) -> Input {
    Input::Send(GatewayBody::Tts(tts))
}

pub(crate) fn sent(body: GatewayBody) -> Output {
    Output::Send(GatewayMessage::new("s1", body))
}

/// A gateway's session `s1`, live since `at`.
pub(crate) fn live(config: Config, at: u64) -> GatewaySession {
    let mut session = GatewaySession::new(config);
    let outputs = session.handle(ms(at), hello());
    let [Output::Hello { hello, .. }] = outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(session.handle(ms(at), grant(hello, "s1")).len(), 2);
    assert_eq!(session.session_id(), Some("s1"));
    session
}

/// The corpus's `packets.json`, or `None` (with a word about it) where there is no corpus.
pub(crate) fn corpus(skipped: &str) -> Option<Value> {
    let text = corpus::file("packets.json", skipped)?;
    Some(serde_json::from_slice(&text).unwrap_or_else(|error| panic!("packets.json: {error}")))
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
