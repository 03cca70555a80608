//! No key shows in what the host prints of itself.

use sidetone_host::{Encoder, EncoderConfig, Key, Opener, Sealer};
use sidetone_opus::{Channels, SampleRate};
use sidetone_packet::Direction;
use sidetone_session::Config;
use sidetone_tests::datagrams::{CONNECTION, DTX, KEY, uplink};
use sidetone_tests::{host, to_hex};
use std::fmt::Debug;

/// The key in the ways a careless `Debug` would show it.
fn assert_hidden(what: &str, shown: &[String]) {
    let value = u128::from_be_bytes(KEY);
    let halves = [(value >> 64) as u64, value as u64];
    let mut forms = vec![to_hex(&KEY), format!("{KEY:?}"), format!("{KEY:x?}"), format!("{KEY:X?}")];
    for half in halves {
        forms.extend([half.to_string(), format!("{half:x}"), format!("{:x}", half.swap_bytes())]);
    }
    // Parts of it tell, too.
    forms.extend(KEY.windows(4).map(|part| format!("{part:?}").trim_matches(['[', ']']).to_owned()));
    forms.extend(KEY.windows(4).map(to_hex));
    for text in shown {
        for form in &forms {
            assert!(!text.to_lowercase().contains(&form.to_lowercase()), "{what} shows {form} in {text}");
        }
    }
}

fn debug(value: &impl Debug) -> [String; 2] {
    [format!("{value:?}"), format!("{value:#?}")]
}

#[test]
fn the_forms_looked_for_are_those_of_a_careless_debug() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "it is only shown")]
    struct Careless([u8; 16]);
    for shown in debug(&Careless(KEY)).into_iter().take(1).chain([to_hex(&KEY).to_uppercase()]) {
        assert!(std::panic::catch_unwind(|| assert_hidden("a careless type", &[shown])).is_err());
    }
}

#[test]
fn no_type_of_the_host_shows_a_key() {
    let key = Key::new(KEY);
    assert_hidden("a key", &debug(&key));
    assert_eq!(format!("{key:?}"), "Key(…)");

    let component = host::component();
    let mut session = component.open(&key, &Config::gateway(CONNECTION)).unwrap();
    session.receive(&uplink(1, DTX)).unwrap();
    assert_hidden("a session", &debug(&session));
    assert_hidden("its state", &debug(&session.state().unwrap()));
    assert_hidden("its counters", &debug(&session.stats().unwrap()));
    for datagram in [vec![], uplink(1, DTX), vec![1; 40], uplink(9000, DTX)] {
        let error = session.receive(&datagram).unwrap_err();
        assert_hidden("an error", &[&debug(&error)[..], &[error.to_string()]].concat());
    }
    let instance = session.close().unwrap();
    assert_hidden("an instance", &debug(&instance));
    assert_hidden("a sealer", &debug(&Sealer::open(instance, &key, CONNECTION, Direction::Uplink).unwrap()));
    let instance = component.instantiate().unwrap();
    assert_hidden("an opener", &debug(&Opener::open(instance, &key, CONNECTION, Direction::Uplink).unwrap()));
    let instance = component.instantiate().unwrap();
    let config = EncoderConfig::voice(SampleRate::Hz16000, Channels::Mono);
    assert_hidden("an encoder", &debug(&Encoder::open(instance, &config).unwrap()));
}

#[test]
fn the_native_types_show_no_key_either() {
    let session = sidetone_session::Session::new(&KEY, &Config::gateway(CONNECTION)).unwrap();
    assert_hidden("a native session", &debug(&session));
    assert_hidden("a native sealer", &debug(&sidetone_packet::Sealer::new(&KEY, CONNECTION, Direction::Uplink)));
    assert_hidden("a key schedule", &debug(&sidetone_packet::KeySchedule::new(&KEY)));
}

#[test]
fn a_key_that_does_not_parse_is_not_repeated() {
    for text in
        ["d31c965ae87742bf0b64c98e21f5aa3", "d31c965ae87742bf0b64c98e21f5aa3dd", "d31c965ae87742bf0b64c98e21f5aaxx"]
    {
        let error = text.parse::<Key>().unwrap_err();
        assert_hidden("a key error", &[&debug(&error)[..], &[error.to_string()]].concat());
    }
    let key: Key = "D31C965ae87742bf0b64c98e21f5aa3d".parse().unwrap();
    assert_eq!(key.bytes(), &KEY);
}
