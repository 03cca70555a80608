//! What comes in is taken as it was meant, and refused only where it cannot be a message.

use serde_json::json;
use sidetone_protocol::SecretError;
use sidetone_protocol::message::{
    AudioFormat, AudioParams, DeviceBody, DeviceHello, DeviceMessage, Features, GatewayBody, GatewayMessage, Listen,
    ListenMode, MAX_DEPTH, MAX_MESSAGE, MessageError, Transport, Tts, Unknown, UnsupportedAudio,
};

fn parse(json: &str) -> DeviceMessage {
    DeviceMessage::parse(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn parse_hello(json: &str) -> DeviceHello {
    match parse(json) {
        DeviceMessage { session_id: None, body: DeviceBody::Hello(hello) } => hello,
        other => panic!("{json}: {other:?}"),
    }
}

#[test]
fn a_hello_of_any_client_is_understood() {
    let usual = DeviceHello::default();
    let mcp = |others: &[&str]| Features { mcp: true, aec: false, others: others.iter().map(|&s| s.into()).collect() };
    let none = Features::default();
    let cases = [
        (r#"{"type":"hello"}"#, DeviceHello { features: none.clone(), ..usual.clone() }),
        (
            r#"{"type":"hello","client_id":"x","session_id":"old"}"#,
            DeviceHello { features: none.clone(), ..usual.clone() },
        ),
        (
            r#"{"type":"hello","version":3,"transport":"mqtt","features":["mcp","vision","vision"],"language":"en"}"#,
            DeviceHello { transport: Transport::Mqtt, features: mcp(&["vision"]), ..usual.clone() },
        ),
        (
            r#"{"type":"hello","version":"3","transport":"udp","features":{"aec":true,"mcp":1,"off":false},"audio_params":{"format":"OPUS","sample_rate":"16000","channels":1.0,"frame_duration":20}}"#,
            DeviceHello {
                features: Features { aec: true, ..mcp(&[]) },
                audio_params: AudioParams { frame_duration: 20, ..AudioParams::DEVICE },
                ..usual.clone()
            },
        ),
        (
            r#"{"type":"hello","version":1,"transport":"quic","features":null,"audio_params":[],"text_font":{"size":14}}"#,
            DeviceHello { version: 1, transport: Transport::Other("quic".into()), features: none, ..usual },
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(parse_hello(json), expected, "{json}");
    }
}

#[test]
fn audio_that_no_session_carries_is_named() {
    let cases = [
        (r#"{"format":"speex"}"#, Err(UnsupportedAudio::Format)),
        (r#"{"sample_rate":44100}"#, Err(UnsupportedAudio::SampleRate(44_100))),
        (r#"{"channels":0}"#, Err(UnsupportedAudio::Channels(0))),
        (r#"{"channels":4294967295}"#, Err(UnsupportedAudio::Channels(u32::MAX))),
        (r#"{"frame_duration":30}"#, Err(UnsupportedAudio::FrameDuration(30))),
        (r#"{"format":"pcm"}"#, Err(UnsupportedAudio::PcmFrame(1920))),
        (r#"{"format":"pcm","frame_duration":20}"#, Ok(())),
        (r#"{"sample_rate":-1,"channels":1e99,"frame_duration":"soon"}"#, Ok(())),
        (r#"{"sample_rate":48000,"channels":2,"frame_duration":120}"#, Ok(())),
    ];
    for (params, expected) in cases {
        let hello = parse_hello(&format!(r#"{{"type":"hello","audio_params":{params}}}"#));
        assert_eq!(hello.audio_params.check(), expected, "{params}");
    }
    let other = AudioParams { format: AudioFormat::Other("speex".into()), ..AudioParams::DEVICE };
    assert!(!other.check().unwrap_err().to_string().contains("speex"), "foreign text is not repeated");
}

#[test]
fn missing_and_odd_fields_are_as_firmware_would_have_them() {
    let cases = [
        (r#"{"type":"listen","state":"start"}"#, None, DeviceBody::Listen(Listen::Start { mode: ListenMode::Auto })),
        (
            r#"{"type":"listen","state":"start","mode":"shout","session_id":""}"#,
            None,
            DeviceBody::Listen(Listen::Start { mode: ListenMode::Auto }),
        ),
        (
            r#"{"type":"listen","state":"detect","session_id":7}"#,
            None,
            DeviceBody::Listen(Listen::Detect { text: String::new() }),
        ),
        (r#"{"type":"abort","reason":null,"session_id":"a"}"#, Some("a"), DeviceBody::Abort { reason: None }),
        ("{\"type\":\"goodbye\"}\n\0\0", None, DeviceBody::Goodbye),
    ];
    for (json, session_id, body) in cases {
        assert_eq!(parse(json), DeviceMessage { session_id: session_id.map(Into::into), body }, "{json}");
    }
}

#[test]
fn what_is_not_known_keeps_its_type_and_fields() {
    let cases = [
        (r#"{"type":"iot","states":[1],"session_id":"a"}"#, "iot", json!({"states": [1]})),
        (r#"{"type":"listen","state":"dance"}"#, "listen", json!({"state": "dance"})),
        (r#"{"type":"listen"}"#, "listen", json!({})),
        (r#"{"type":"mcp"}"#, "mcp", json!({})),
        (r#"{"type":"HELLO"}"#, "HELLO", json!({})),
        (r#"{"type":""}"#, "", json!({})),
    ];
    for (json, kind, fields) in cases {
        let fields = fields.as_object().unwrap().clone();
        assert_eq!(parse(json).body, DeviceBody::Unknown(Unknown { kind: kind.into(), fields }), "{json}");
    }
    let sentence_end = GatewayMessage::parse(br#"{"type":"tts","state":"sentence_end"}"#).unwrap();
    assert!(matches!(sentence_end.body, GatewayBody::Unknown(Unknown { kind, .. }) if kind == "tts"));
}

#[test]
fn what_is_no_message_is_refused() {
    let deep = |depth: usize| format!("{{\"type\":\"mcp\",\"payload\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let long = format!("{{\"type\":\"{}\"}}", "x".repeat(MAX_MESSAGE));
    let cases = [
        ("", MessageError::NotJson { line: 1, column: 0 }),
        ("{\"type\":\"hello\"", MessageError::NotJson { line: 1, column: 15 }),
        ("{\"type\":\"goodbye\"}x", MessageError::NotJson { line: 1, column: 19 }),
        ("{\"type\":\"a\",\n\"n\":1e400}", MessageError::NotJson { line: 2, column: 9 }),
        ("[]", MessageError::NotAnObject),
        ("\"hello\"", MessageError::NotAnObject),
        ("{}", MessageError::NoType),
        ("{\"type\":1}", MessageError::NoType),
        (&deep(MAX_DEPTH), MessageError::TooDeep),
        (&"[".repeat(MAX_MESSAGE), MessageError::TooDeep),
        (&long, MessageError::TooLong { len: MAX_MESSAGE + 11 }),
    ];
    for (json, error) in cases {
        let start = json.get(..40).unwrap_or(json);
        assert_eq!(DeviceMessage::parse(json.as_bytes()), Err(error), "{start}");
        assert_eq!(GatewayMessage::parse(json.as_bytes()), Err(error), "{start}");
    }
    assert!(DeviceMessage::parse(deep(MAX_DEPTH - 1).as_bytes()).is_ok());
    assert!(matches!(DeviceMessage::parse(b"{\"type\":\"\xff\"}"), Err(MessageError::NotJson { .. })));
    let brackets = format!("{{\"type\":\"{}\\\"\"}}", "[".repeat(1000));
    assert!(DeviceMessage::parse(brackets.as_bytes()).is_ok(), "brackets in a string do not count");
}

#[test]
fn a_hello_reply_with_an_unusable_endpoint_is_refused_by_its_field() {
    let good = [
        ("server", r#""192.0.2.1""#),
        ("port", "\"8884\""),
        ("key", r#""D31C965AE87742BF0B64C98E21F5AA3D""#),
        ("nonce", r#""01000000a1b2c3d40000000000000000""#),
    ];
    let reply = |changed: &str, value: &str| {
        let fields: Vec<String> = good
            .iter()
            .map(|&(name, usual)| (name, if name == changed { value } else { usual }))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        let json = format!(r#"{{"type":"hello","session_id":"s","transport":"udp","udp":{{{}}}}}"#, fields.join(","));
        GatewayMessage::parse(json.as_bytes())
    };
    let Ok(GatewayMessage { body: GatewayBody::Hello(hello), .. }) = reply("", "") else { panic!("a usual reply") };
    assert_eq!((hello.version, &hello.audio_params), (3, &AudioParams::GATEWAY));
    assert_eq!(hello.udp, Some(crate::common::endpoint()), "without `encryption`, in capitals, the port as a string");

    let secret = |field, error| MessageError::Secret { field, error };
    let cases = [
        ("server", "", MessageError::Udp { field: "server" }),
        ("server", r#""""#, MessageError::Udp { field: "server" }),
        ("server", r#""a b""#, MessageError::Udp { field: "server" }),
        ("port", "", MessageError::Udp { field: "port" }),
        ("port", "0", MessageError::Udp { field: "port" }),
        ("port", "65536", MessageError::Udp { field: "port" }),
        ("key", "", MessageError::Udp { field: "key" }),
        ("key", "7", MessageError::Udp { field: "key" }),
        ("key", r#""d31c""#, secret("key", SecretError::Length { len: 4 })),
        ("key", r#""x31c965ae87742bf0b64c98e21f5aa3d""#, secret("key", SecretError::Digit { at: 0 })),
        ("nonce", r#""02000000a1b2c3d40000000000000000""#, secret("nonce", SecretError::NonceType { found: 2 })),
    ];
    for (field, value, error) in cases {
        assert_eq!(reply(field, value), Err(error), "{field}: {value}");
    }
}

#[test]
fn gateway_messages_with_missing_fields_are_understood() {
    let cases = [
        (r#"{"type":"llm"}"#, GatewayBody::Llm { text: String::new(), emotion: String::new() }),
        (r#"{"type":"tts","state":"start","sample_rate":24000}"#, GatewayBody::Tts(Tts::Start)),
        (r#"{"type":"tts","state":"sentence_start"}"#, GatewayBody::Tts(Tts::SentenceStart { text: String::new() })),
        (r#"{"type":"goodbye","session_id":null}"#, GatewayBody::Goodbye),
    ];
    for (json, body) in cases {
        assert_eq!(GatewayMessage::parse(json.as_bytes()), Ok(GatewayMessage::without_session(body)), "{json}");
    }
}
