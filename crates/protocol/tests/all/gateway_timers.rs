//! What time alone brings about at the gateway's end.

use core::time::Duration;

use crate::common::{CONNECTION, device, grant, hello, live, ms, said, sent, tts};
use sidetone_protocol::message::{DeviceBody, GatewayBody, Listen, ListenMode, Tts, Unknown};
use sidetone_protocol::session::{Config, EndCause, GatewaySession, HelloId, Input, Output};

fn ended(cause: EndCause) -> [Output; 2] {
    let close = Output::CloseMedia { session_id: "s1".into(), connection_id: Some(CONNECTION), cause };
    [sent(GatewayBody::Goodbye), close]
}

#[test]
fn a_session_in_which_nobody_says_anything_ends_after_a_minute() {
    let mut session = live(Config::default(), 1_000);
    assert_eq!(session.next_timeout(), Some(ms(61_000)));
    assert_eq!(session.handle(ms(60_999), Input::Tick), []);
    assert_eq!(session.handle(ms(61_000), Input::Tick), ended(EndCause::Inactivity));
    assert_eq!(session.next_timeout(), None);
}

#[test]
fn voice_and_messages_keep_a_session_but_silence_does_not() {
    let inputs = [
        (Input::AudioHeard { silent: false }, true),
        (Input::AudioHeard { silent: true }, false),
        (device(DeviceBody::Abort { reason: None }), true),
        (Input::Send(GatewayBody::Stt { text: "a".into() }), true),
        (Input::Send(GatewayBody::Mcp { payload: 1.into() }), false),
        (Input::Tick, false),
    ];
    for (input, keeps) in inputs {
        let mut session = live(Config::default(), 0);
        let _ = session.handle(ms(30_000), input.clone());
        let deadline = if keeps { 90_000 } else { 60_000 };
        assert_eq!(session.next_timeout(), Some(ms(deadline)), "{input:?}");
    }
}

#[test]
fn inactivity_is_counted_from_the_end_of_what_is_played() {
    let mut session = live(Config { keepalive: Duration::MAX, ..Config::default() }, 0);
    assert_eq!(session.handle(ms(0), tts(Tts::Start)).len(), 1);
    // A story of five minutes, in auto mode: the device says nothing all the while.
    for at in (0..300_000).step_by(60) {
        assert_eq!(session.handle(ms(at), Input::AudioPlayed { until: ms(at + 180) }), []);
    }
    assert_eq!(session.next_timeout(), Some(ms(299_940 + 180 + 60_000)));
    assert_eq!(session.handle(ms(300_000), Input::AudioPlayed { until: ms(u64::MAX) }), []);
    assert_eq!(session.next_timeout(), Some(ms(300_000 + 60_000 + 60_000)), "no farther ahead than a minute");
}

#[test]
fn an_open_microphone_that_sends_nothing_ends_the_session_though_something_plays() {
    let mut session = live(Config::default(), 0);
    let start = device(DeviceBody::Listen(Listen::Start { mode: ListenMode::Realtime }));
    assert_eq!(session.handle(ms(0), start).len(), 1);
    assert_eq!(session.handle(ms(1_000), Input::AudioHeard { silent: true }), []);
    for at in (0..120_000).step_by(1_000) {
        assert_eq!(session.handle(ms(at + 1_000), Input::AudioPlayed { until: ms(at + 2_000) }), []);
    }
    assert_eq!(session.next_timeout(), Some(ms(121_000)));
    assert_eq!(session.handle(ms(121_000), Input::Tick), ended(EndCause::DeviceSilence));
}

#[test]
fn a_stop_waits_until_the_tail_has_been_played() {
    let mut session = live(Config { tail: Duration::from_millis(100), ..Config::default() }, 0);
    assert_eq!(session.handle(ms(1_000), tts(Tts::Start)).len(), 1);
    assert_eq!(session.handle(ms(1_000), Input::AudioPlayed { until: ms(1_300) }), []);
    assert_eq!(session.handle(ms(1_010), tts(Tts::Stop)), []);
    assert!(session.is_speaking());
    assert_eq!(session.next_timeout(), Some(ms(1_400)));
    assert_eq!(session.handle(ms(1_020), Input::AudioPlayed { until: ms(1_360) }), [], "a last frame");
    assert_eq!(session.handle(ms(1_459), Input::Tick), []);
    assert_eq!(session.handle(ms(1_460), Input::Tick), [sent(GatewayBody::Tts(Tts::Stop))]);
    assert_eq!(session.handle(ms(1_461), Input::Tick), []);
}

#[test]
fn speech_that_goes_on_before_its_stop_is_one_speech() {
    let mut session = live(Config::default(), 0);
    assert_eq!(session.handle(ms(0), tts(Tts::Start)).len(), 1);
    assert_eq!(session.handle(ms(0), Input::AudioPlayed { until: ms(500) }), []);
    assert_eq!(session.handle(ms(10), tts(Tts::Stop)), []);
    assert_eq!(session.handle(ms(20), tts(Tts::Start)), [], "a stop now would cut the tail of the first");
    assert_eq!(session.handle(ms(2_000), Input::Tick), []);
    assert_eq!(session.handle(ms(2_001), tts(Tts::Stop)), [sent(GatewayBody::Tts(Tts::Stop))]);
}

#[test]
fn a_hello_nobody_answers_is_refused_before_firmware_gives_up() {
    let mut session = GatewaySession::new(Config::default());
    assert_eq!(session.handle(ms(100), hello()).len(), 1);
    assert_eq!(session.next_timeout(), Some(ms(8_100)));
    let outputs = session.handle(ms(8_100), grant(HelloId(1), "late"));
    let [Output::HelloCancelled { hello: HelloId(1) }, Output::Send(reply)] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    assert!(reply.to_json().starts_with(r#"{"type":"alert","status":"Busy""#));
    assert_eq!(session.session_id(), None, "the grant came too late");
}

#[test]
fn a_device_that_gives_up_takes_its_hello_back() {
    let mut session = GatewaySession::new(Config::default());
    assert_eq!(session.handle(ms(0), hello()).len(), 1);
    assert_eq!(session.handle(ms(1), said(r#"{"session_id":"old","type":"goodbye"}"#)), []);
    let given_up = [Output::HelloCancelled { hello: HelloId(1) }];
    assert_eq!(session.handle(ms(1), said(r#"{"session_id":"","type":"goodbye"}"#)), given_up);
    assert_eq!(session.next_timeout(), None);
}

#[test]
fn a_late_tick_ends_the_session_before_the_message_is_heard() {
    let mut session = live(Config::default(), 0);
    let outputs = session.handle(ms(60_000), device(DeviceBody::Abort { reason: None }));
    assert_eq!(outputs[..2], ended(EndCause::Inactivity));
    assert_eq!(outputs[2..], [sent(GatewayBody::Goodbye)], "for a session that is no more");
}

#[test]
fn time_that_runs_backwards_stands_still() {
    let mut session = live(Config::default(), 50_000);
    assert_eq!(session.handle(ms(10), Input::AudioHeard { silent: false }), []);
    assert_eq!(session.next_timeout(), Some(ms(110_000)));
}

/// What a device is told that was told nothing for long.
fn word() -> Output {
    sent(GatewayBody::Unknown(Unknown { kind: "keepalive".into(), fields: serde_json::Map::new() }))
}

#[test]
fn a_device_whose_user_speaks_on_is_told_a_word_before_it_gives_up() {
    let mut session = live(Config::default(), 0);
    let start = device(DeviceBody::Listen(Listen::Start { mode: ListenMode::Manual }));
    assert_eq!(session.handle(ms(0), start).len(), 1);
    let mut words = Vec::new();
    for at in (0..300_000).step_by(60) {
        for output in session.handle(ms(at), Input::AudioHeard { silent: false }) {
            assert_eq!(output, word());
            words.push(at);
        }
    }
    assert_eq!(words, [90_000, 180_000, 270_000], "firmware gives up after 120 s");
    let Output::Send(message) = word() else { unreachable!() };
    assert_eq!(*message.to_json(), r#"{"type":"keepalive","session_id":"s1"}"#);
}

#[test]
fn whatever_a_device_is_told_or_sent_is_a_word() {
    let inputs = [
        Input::Send(GatewayBody::Mcp { payload: 1.into() }),
        Input::Send(GatewayBody::Tts(Tts::Start)),
        Input::AudioPlayed { until: ms(60_000) },
    ];
    for input in inputs {
        let mut session = live(Config { inactivity: Duration::MAX, ..Config::default() }, 0);
        let _ = session.handle(ms(60_000), input.clone());
        assert_eq!(session.next_timeout(), Some(ms(150_000)), "{input:?}");
        assert_eq!(session.handle(ms(149_999), Input::Tick), []);
        assert_eq!(session.handle(ms(150_000), Input::Tick), [word()], "{input:?}");
        assert_eq!(session.next_timeout(), Some(ms(240_000)));
    }
}
