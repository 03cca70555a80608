//! Keys and passwords appear in no output, and what holds them is zeroised when dropped.

use crate::common::{KEY, KEY_HEX, endpoint, grant, hello, ms};
use sidetone_protocol::credential::{CredentialError, SignatureKey};
use sidetone_protocol::message::{GatewayMessage, MessageError};
use sidetone_protocol::session::{Config, GatewaySession, Grant, Output, session_id};
use sidetone_protocol::{HelloNonce, SecretError, SessionKey};
use zeroize::ZeroizeOnDrop;

fn assert_keyless(name: &str, rendering: &str) {
    let squeezed: String = rendering.split_whitespace().collect::<String>().to_lowercase();
    for pair in KEY.windows(2) {
        for form in [format!("{:02x}{:02x}", pair[0], pair[1]), format!("{},{}", pair[0], pair[1])] {
            assert!(!squeezed.contains(&form), "{name} shows {form}: {rendering}");
        }
    }
}

#[test]
fn debug_output_shows_no_key() {
    let mut session = GatewaySession::new(Config::default());
    let outputs = session.handle(ms(0), hello());
    let [Output::Hello { hello, .. }] = outputs[..] else { panic!("{outputs:?}") };
    let granted = grant(hello, "s1");
    assert_keyless("grant", &format!("{granted:?} {granted:#?}"));
    let outputs = session.handle(ms(1), granted);
    assert_keyless("outputs", &format!("{outputs:?} {outputs:#?}"));
    assert_keyless("session", &format!("{session:?} {session:#?}"));
    assert_keyless("endpoint", &format!("{:?}", endpoint()));
    assert_eq!(format!("{:?} {:?}", SessionKey::new(KEY), HelloNonce::new(1)), "SessionKey { .. } HelloNonce { .. }");
    assert_eq!(format!("{:?}", SignatureKey::new(&KEY).unwrap()), "SignatureKey { .. }");
}

#[test]
fn errors_repeat_no_key() {
    let bad = format!("{}zz", &KEY_HEX[..30]);
    let json = format!(r#"{{"type":"hello","udp":{{"server":"x","port":1,"key":"{bad}","nonce":"{KEY_HEX}"}}}}"#);
    let error = GatewayMessage::parse(json.as_bytes()).unwrap_err();
    assert_eq!(error, MessageError::Secret { field: "key", error: SecretError::Digit { at: 30 } });
    assert_keyless("error", &format!("{error} {error:?}"));
    let cut = GatewayMessage::parse(&json.as_bytes()[..json.len() - 1]).unwrap_err();
    assert_keyless("error", &format!("{cut} {cut:?}"));
    let wrong = SignatureKey::new(&KEY).unwrap().check(KEY_HEX, KEY_HEX, KEY_HEX).unwrap_err();
    assert_eq!(wrong, CredentialError::PasswordForm);
    assert_keyless("error", &format!("{wrong} {wrong:?}"));
}

#[test]
fn secrets_are_zeroised_on_drop() {
    fn zeroised_on_drop<T: ZeroizeOnDrop>() {}
    zeroised_on_drop::<SessionKey>();
    zeroised_on_drop::<HelloNonce>();
    let message = GatewayMessage::parse(br#"{"type":"goodbye"}"#).unwrap();
    let _: zeroize::Zeroizing<String> = message.to_json();
}

#[test]
fn a_grant_uses_its_random_bytes_once() {
    let mut session = GatewaySession::new(Config::default());
    let outputs = session.handle(ms(0), hello());
    let [Output::Hello { hello, .. }] = outputs[..] else { panic!("{outputs:?}") };
    let mut random: [u8; 36] = core::array::from_fn(|at| at as u8);
    let params = sidetone_protocol::message::AudioParams::GATEWAY;
    let grant = Grant::with_udp(hello, &mut random, params, "h", 1);
    assert_eq!(random, [0; 36]);
    let udp = grant.udp.unwrap();
    assert_eq!(udp.key, SessionKey::from_hex("000102030405060708090a0b0c0d0e0f").unwrap());
    assert_eq!(udp.nonce.connection_id(), 0x1011_1213);
    assert_eq!(udp.nonce.expose(), &sidetone_packet::Header::hello_nonce(0x1011_1213));
    assert_eq!(grant.session_id, "14151617-1819-4a1b-9c1d-1e1f20212223");
    assert_eq!(session_id([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}
