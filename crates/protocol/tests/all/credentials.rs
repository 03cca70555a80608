//! Passwords of devices: the corpus's vector, and what is not accepted.

use crate::common::corpus;
use serde_json::json;
use sidetone_protocol::credential::{CredentialError, SignatureKey, decode_username, encode_username};

const CLIENT: &str = "GID_test@@@11_22_33_44_55_66@@@36c98363-3656-43cb-a00f-8bced2391a90";

#[test]
fn the_password_of_the_corpus_is_made_and_accepted() {
    let Some(corpus) = corpus("MQTT password of the corpus") else { return };
    let field = |name: &str| corpus["mqtt_password"][name].as_str().unwrap();
    let key = SignatureKey::new(field("signature_key").as_bytes()).unwrap();
    let (client, username, password) = (field("client_id"), field("username"), field("password"));
    assert_eq!(*key.password(client, username), password);
    let fields = key.check(client, username, password).unwrap();
    assert_eq!(encode_username(&fields), username);
}

#[test]
fn anything_else_is_refused() {
    let key = SignatureKey::new(b"unit-test-signature-key").unwrap();
    let username = encode_username(json!({"ip": "192.0.2.1"}).as_object().unwrap());
    let password = key.password(CLIENT, &username);
    assert_eq!(password.len(), 44);
    assert!(key.check(CLIENT, &username, &password).is_ok());

    let other = SignatureKey::new(b"unit-test-signature-kez").unwrap().password(CLIENT, &username);
    let unpadded = password.trim_end_matches('=');
    let not_base64 = format!("!{}", &password[1..]);
    let wrong = [
        (CLIENT, &username[..], &other[..], CredentialError::WrongPassword),
        ("GID_test", &username, &password, CredentialError::WrongPassword),
        (CLIENT, "e30=", &password, CredentialError::WrongPassword),
        (CLIENT, &username, "", CredentialError::PasswordForm),
        (CLIENT, &username, unpadded, CredentialError::PasswordForm),
        (CLIENT, &username, &not_base64, CredentialError::PasswordForm),
    ];
    for (client, username, password, error) in wrong {
        assert_eq!(key.check(client, username, password), Err(error), "{client} {username} {password}");
    }
    let long = "A".repeat(4097);
    assert_eq!(key.check(CLIENT, &long, &password), Err(CredentialError::UsernameTooLong { len: 4097 }));
    assert_eq!(SignatureKey::new(b"").unwrap_err(), CredentialError::EmptyKey);
}

#[test]
fn the_separator_is_part_of_what_is_signed() {
    let key = SignatureKey::new(b"k").unwrap();
    assert_ne!(*key.password("ab", "c"), *key.password("a", "bc"));
}

#[test]
fn a_user_name_is_an_object_in_base64() {
    let ip = json!({"ip": "222.222.222.222"});
    for text in [
        "eyJpcCI6IjIyMi4yMjIuMjIyLjIyMiJ9",
        "eyJpcCI6ICIyMjIuMjIyLjIyMi4yMjIifQ==",
        "eyJpcCI6ICIyMjIuMjIyLjIyMi4yMjIifQ",
    ] {
        assert_eq!(decode_username(text).as_ref(), Ok(ip.as_object().unwrap()), "{text}");
    }
    for text in ["", "?", "W10=", "MTI=", "eyJpcCI6"] {
        assert_eq!(decode_username(text), Err(CredentialError::Username), "{text}");
    }
}
