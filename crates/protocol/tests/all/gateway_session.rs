//! The gateway's end of a conversation: hello, microphone, speech, goodbye.

use crate::common::{CONNECTION, device, endpoint, grant, hello, live, ms, said, sent, tts};
use serde_json::json;
use sidetone_protocol::Media;
use sidetone_protocol::message::{
    Alert, AudioParams, DeviceBody, DeviceHello, DeviceMessage, GatewayBody, GatewayMessage, Listen, ListenMode, Tts,
};
use sidetone_protocol::session::{Config, EndCause, GatewaySession, Grant, HelloId, Input, Output};

fn close_media(cause: EndCause) -> Output {
    Output::CloseMedia { session_id: "s1".into(), connection_id: Some(CONNECTION), cause }
}

fn start(mode: ListenMode) -> Input {
    device(DeviceBody::Listen(Listen::Start { mode }))
}

#[test]
fn a_hello_is_granted_with_key_and_endpoint() {
    let mut session = GatewaySession::new(Config::default());
    let said = DeviceHello::default();
    let asked = session.handle(ms(5), hello());
    assert_eq!(asked, [Output::Hello { hello: HelloId(1), said: said.clone() }]);
    assert!(session.is_asked() && session.session_id().is_none());

    let outputs = session.handle(ms(9), grant(HelloId(1), "s1"));
    let [Output::OpenMedia(media), Output::Send(reply)] = &outputs[..] else { panic!("{outputs:?}") };
    let expected = Media {
        session_id: "s1".into(),
        uplink: AudioParams::DEVICE,
        downlink: AudioParams::GATEWAY,
        udp: Some(endpoint()),
    };
    assert_eq!((media, media.connection_id()), (&expected, Some(CONNECTION)));
    assert_eq!(
        *reply.to_json(),
        r#"{"type":"hello","version":3,"session_id":"s1","transport":"udp","udp":{"server":"192.0.2.1","port":8884,"encryption":"aes-128-ctr","key":"d31c965ae87742bf0b64c98e21f5aa3d","nonce":"01000000a1b2c3d40000000000000000"},"audio_params":{"format":"opus","sample_rate":24000,"channels":1,"frame_duration":60}}"#
    );
    assert_eq!(session.session_id(), Some("s1"));
}

#[test]
fn over_websocket_there_is_no_endpoint() {
    let mut session = GatewaySession::new(Config::default());
    let asked = session.handle(ms(0), said(r#"{"type":"hello","version":1,"transport":"websocket"}"#));
    let [Output::Hello { hello, .. }] = asked[..] else { panic!("{asked:?}") };
    let granted = Grant { hello, session_id: "w".into(), downlink: AudioParams::GATEWAY, udp: None };
    let outputs = session.handle(ms(0), Input::Grant(granted));
    let [Output::OpenMedia(media), Output::Send(reply)] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(media.connection_id(), None);
    assert!(
        reply.to_json().starts_with(r#"{"type":"hello","version":1,"session_id":"w","transport":"websocket","audio"#)
    );
}

#[test]
fn a_second_hello_ends_the_first_session_and_gets_a_new_key() {
    let mut session = live(Config::default(), 0);
    let outputs = session.handle(ms(1), hello());
    assert_eq!(
        outputs,
        [close_media(EndCause::Rehello), Output::Hello { hello: HelloId(2), said: DeviceHello::default() }],
        "without a goodbye, which would end the session to come"
    );
    assert_eq!(session.handle(ms(2), grant(HelloId(1), "late")), [], "a grant for the first hello");
    assert_eq!(session.handle(ms(2), grant(HelloId(2), "s2")).len(), 2);
    assert_eq!(session.handle(ms(3), grant(HelloId(2), "again")), []);
    assert_eq!(session.session_id(), Some("s2"));
}

#[test]
fn a_hello_that_is_not_answered_yet_is_replaced_by_the_next() {
    let mut session = GatewaySession::new(Config::default());
    assert_eq!(session.handle(ms(0), hello()).len(), 1);
    let outputs = session.handle(ms(1), hello());
    assert!(
        matches!(outputs[..], [Output::HelloCancelled { hello: HelloId(1) }, Output::Hello { hello: HelloId(2), .. }]),
        "{outputs:?}"
    );
}

#[test]
fn a_refused_hello_shows_an_alert() {
    let alert = Alert::sad("Busy", "Later");
    let shown = [Output::Send(GatewayMessage::without_session(GatewayBody::Alert(alert.clone())))];
    let mut session = GatewaySession::new(Config::default());
    assert_eq!(session.handle(ms(0), hello()).len(), 1);
    assert_eq!(session.handle(ms(1), Input::Refuse { hello: HelloId(9), alert: alert.clone() }), []);
    assert_eq!(session.handle(ms(1), Input::Refuse { hello: HelloId(1), alert }), shown);
    assert_eq!((session.is_asked(), session.next_timeout()), (false, None));

    let outputs = session.handle(ms(2), said(r#"{"type":"hello","audio_params":{"sample_rate":44100}}"#));
    let [Output::Send(reply)] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(
        *reply.to_json(),
        r#"{"type":"alert","status":"Unsupported audio","message":"sample rate of 44100 Hz: send 8000, 12000, 16000, 24000 or 48000","emotion":"sad"}"#
    );
}

#[test]
fn a_message_for_no_live_session_is_answered_with_goodbye() {
    let goodbye = |id: Option<&str>| {
        [Output::Send(GatewayMessage { session_id: id.map(Into::into), body: GatewayBody::Goodbye })]
    };
    let mut idle = GatewaySession::new(Config::default());
    let mut busy = live(Config::default(), 0);
    for json in [
        r#"{"session_id":"old","type":"listen","state":"start","mode":"auto"}"#,
        r#"{"session_id":"old","type":"abort"}"#,
        r#"{"session_id":"old","type":"mcp","payload":{}}"#,
        r#"{"session_id":"old","type":"whatever"}"#,
    ] {
        assert_eq!(idle.handle(ms(0), said(json)), goodbye(Some("old")), "{json}");
        assert_eq!(busy.handle(ms(0), said(json)), goodbye(Some("old")), "{json}");
    }
    assert_eq!(idle.handle(ms(0), said(r#"{"type":"abort"}"#)), goodbye(None));
    let long = DeviceMessage::new(&"x".repeat(65), DeviceBody::Abort { reason: None });
    assert_eq!(idle.handle(ms(0), Input::Message(long)), goodbye(None), "a long id is not repeated");
    assert_eq!(busy.session_id(), Some("s1"));
}

#[test]
fn a_goodbye_is_never_answered_with_one() {
    let mut session = live(Config::default(), 0);
    assert_eq!(session.handle(ms(1), said(r#"{"session_id":"old","type":"goodbye"}"#)), []);
    assert_eq!(session.handle(ms(2), device(DeviceBody::Goodbye)), [close_media(EndCause::DeviceGoodbye)]);
    assert_eq!(session.handle(ms(3), device(DeviceBody::Goodbye)), []);
    assert_eq!(session.handle(ms(3), said(r#"{"type":"goodbye"}"#)), []);
}

#[test]
fn the_gateway_ends_a_session_with_a_goodbye() {
    let cases = [
        (Input::Send(GatewayBody::Goodbye), EndCause::BackEndGoodbye),
        (Input::Close(EndCause::WrongKey), EndCause::WrongKey),
        (Input::Close(EndCause::Shutdown), EndCause::Shutdown),
    ];
    for (input, cause) in cases {
        let mut session = live(Config::default(), 0);
        assert_eq!(session.handle(ms(1), input), [sent(GatewayBody::Goodbye), close_media(cause)]);
        assert_eq!(session.next_timeout(), None);
    }
    let mut session = live(Config::default(), 0);
    assert_eq!(session.handle(ms(1), Input::Disconnected), [close_media(EndCause::Disconnected)]);
    assert_eq!(session.handle(ms(2), Input::Send(GatewayBody::Goodbye)), []);
}

#[test]
fn the_microphone_opens_and_closes_in_every_mode() {
    for mode in [ListenMode::Auto, ListenMode::Manual, ListenMode::Realtime] {
        let mut session = live(Config::default(), 0);
        assert_eq!(session.handle(ms(1), start(mode)), [Output::StartCapture { mode }]);
        assert!(session.is_capturing());
        let speak = session.handle(ms(2), tts(Tts::Start));
        let started = sent(GatewayBody::Tts(Tts::Start));
        match mode {
            ListenMode::Realtime => assert_eq!(speak, [started], "the microphone stays open"),
            _ => assert_eq!(speak, [Output::StopCapture, started]),
        }
        assert_eq!(session.is_capturing(), mode == ListenMode::Realtime);
        assert_eq!(session.handle(ms(3), start(mode)), [Output::StartCapture { mode }], "the next turn");
        assert_eq!(session.handle(ms(4), device(DeviceBody::Listen(Listen::Stop))), [Output::StopCapture]);
        assert_eq!(session.handle(ms(5), device(DeviceBody::Listen(Listen::Stop))), []);
    }
}

#[test]
fn what_a_device_says_goes_to_the_back_end() {
    let mut session = live(Config::default(), 0);
    let detect = device(DeviceBody::Listen(Listen::Detect { text: "hi".into() }));
    assert_eq!(session.handle(ms(1), detect), [Output::WakeWord { text: "hi".into() }]);
    let payload = json!({"jsonrpc": "2.0", "id": 3, "result": {"b": 1, "a": [2]}});
    assert_eq!(session.handle(ms(1), device(DeviceBody::Mcp { payload: payload.clone() })), [Output::Mcp { payload }]);
    let outputs = session.handle(ms(1), said(r#"{"type":"iot","states":[]}"#));
    let [Output::Relay(unknown)] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!((unknown.kind.as_str(), unknown.fields.len()), ("iot", 1));
}

#[test]
fn what_the_back_end_says_gets_the_session_id() {
    let mut session = live(Config::default(), 0);
    for body in [
        GatewayBody::Stt { text: "a".into() },
        GatewayBody::Llm { text: "b".into(), emotion: "c".into() },
        GatewayBody::Mcp { payload: json!({}) },
        GatewayBody::Alert(Alert::sad("d", "e")),
    ] {
        assert_eq!(session.handle(ms(1), Input::Send(body.clone())), [sent(body)]);
    }
    let mut idle = GatewaySession::new(Config::default());
    assert_eq!(idle.handle(ms(1), Input::Send(GatewayBody::Stt { text: "a".into() })), []);
}

#[test]
fn speech_starts_once_and_stops_once() {
    let mut session = live(Config::default(), 0);
    let (start, stop) = (sent(GatewayBody::Tts(Tts::Start)), sent(GatewayBody::Tts(Tts::Stop)));
    let sentence = || GatewayBody::Tts(Tts::SentenceStart { text: "a".into() });
    assert_eq!(session.handle(ms(1_000), tts(Tts::Stop)), []);
    assert_eq!(session.handle(ms(1_000), Input::Send(sentence())), [start.clone(), sent(sentence())]);
    assert_eq!(session.handle(ms(1_001), tts(Tts::Start)), []);
    assert_eq!(session.handle(ms(1_002), Input::Send(sentence())), [sent(sentence())]);
    assert_eq!(session.handle(ms(1_003), tts(Tts::Stop)), [stop], "nothing was played");
    assert_eq!(session.handle(ms(1_004), tts(Tts::Start)), [start]);
}

#[test]
fn an_abort_stops_speech_at_once() {
    let mut session = live(Config::default(), 0);
    let reason = Some(String::from("wake_word_detected"));
    assert_eq!(session.handle(ms(1), tts(Tts::Start)).len(), 1);
    assert_eq!(session.handle(ms(2), Input::AudioPlayed { until: ms(3_000) }), []);
    assert_eq!(
        session.handle(ms(3), device(DeviceBody::Abort { reason: reason.clone() })),
        [Output::Abort { reason }, sent(GatewayBody::Tts(Tts::Stop))]
    );
    assert!(!session.is_speaking());
    assert_eq!(
        session.handle(ms(4), device(DeviceBody::Abort { reason: None })),
        [Output::Abort { reason: None }],
        "there is nothing to stop"
    );
}
