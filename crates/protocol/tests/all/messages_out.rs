//! What is sent is exact: names, order, no spaces. Every line reads back to what it was written from.

use crate::common::endpoint;
use serde_json::json;
use sidetone_protocol::message::{
    Alert, AudioFormat, AudioParams, DeviceBody, DeviceHello, DeviceMessage, Features, GatewayBody, GatewayHello,
    GatewayMessage, Listen, ListenMode, Transport, Tts, Unknown,
};

fn unknown(kind: &str) -> Unknown {
    let fields = json!({"command": "reboot"}).as_object().unwrap().clone();
    Unknown { kind: kind.into(), fields }
}

#[test]
fn device_messages_are_written_as_firmware_writes_them() {
    let start = |mode| DeviceBody::Listen(Listen::Start { mode });
    let cases = [
        (start(ListenMode::Auto), r#"{"session_id":"s1","type":"listen","state":"start","mode":"auto"}"#),
        (start(ListenMode::Manual), r#"{"session_id":"s1","type":"listen","state":"start","mode":"manual"}"#),
        (start(ListenMode::Realtime), r#"{"session_id":"s1","type":"listen","state":"start","mode":"realtime"}"#),
        (DeviceBody::Listen(Listen::Stop), r#"{"session_id":"s1","type":"listen","state":"stop"}"#),
        (
            DeviceBody::Listen(Listen::Detect { text: "你好小智".into() }),
            r#"{"session_id":"s1","type":"listen","state":"detect","text":"你好小智"}"#,
        ),
        (DeviceBody::Abort { reason: None }, r#"{"session_id":"s1","type":"abort"}"#),
        (
            DeviceBody::Abort { reason: Some("wake_word_detected".into()) },
            r#"{"session_id":"s1","type":"abort","reason":"wake_word_detected"}"#,
        ),
        (
            DeviceBody::Mcp { payload: json!({"id": 1, "jsonrpc": "2.0", "result": {}}) },
            r#"{"session_id":"s1","type":"mcp","payload":{"id":1,"jsonrpc":"2.0","result":{}}}"#,
        ),
        (DeviceBody::Goodbye, r#"{"session_id":"s1","type":"goodbye"}"#),
        (DeviceBody::Unknown(unknown("iot")), r#"{"session_id":"s1","type":"iot","command":"reboot"}"#),
    ];
    for (body, json) in cases {
        let message = DeviceMessage::new("s1", body);
        assert_eq!(message.to_json(), json);
        assert_eq!(DeviceMessage::parse(json.as_bytes()), Ok(message));
    }
}

#[test]
fn a_device_hello_is_written_as_firmware_writes_it() {
    let firmware = DeviceHello::default();
    let aec = DeviceHello { features: Features { mcp: true, aec: true, others: vec![] }, ..firmware.clone() };
    let other = DeviceHello {
        version: 1,
        transport: Transport::WebSocket,
        features: Features { mcp: false, aec: false, others: vec!["glyph_push".into()] },
        audio_params: AudioParams { frame_duration: 20, play_buffer_duration: Some(2400), ..AudioParams::DEVICE },
    };
    let cases = [
        (
            firmware,
            r#"{"type":"hello","version":3,"transport":"udp","features":{"mcp":true},"audio_params":{"format":"opus","sample_rate":16000,"channels":1,"frame_duration":60}}"#,
        ),
        (
            aec,
            r#"{"type":"hello","version":3,"transport":"udp","features":{"mcp":true,"aec":true},"audio_params":{"format":"opus","sample_rate":16000,"channels":1,"frame_duration":60}}"#,
        ),
        (
            other,
            r#"{"type":"hello","version":1,"transport":"websocket","features":{"glyph_push":true},"audio_params":{"format":"opus","sample_rate":16000,"channels":1,"frame_duration":20,"play_buffer_duration":2400}}"#,
        ),
    ];
    for (hello, json) in cases {
        let message = DeviceMessage::hello(hello);
        assert_eq!(message.to_json(), json);
        assert_eq!(DeviceMessage::parse(json.as_bytes()), Ok(message));
    }
}

#[test]
fn gateway_messages_are_written_as_the_reference_gateway_writes_them() {
    let hello = |udp, transport| GatewayHello { version: 3, transport, udp, audio_params: AudioParams::GATEWAY };
    let cases = [
        (
            GatewayBody::Hello(hello(Some(endpoint()), Transport::Udp)),
            r#"{"type":"hello","version":3,"session_id":"s1","transport":"udp","udp":{"server":"192.0.2.1","port":8884,"encryption":"aes-128-ctr","key":"d31c965ae87742bf0b64c98e21f5aa3d","nonce":"01000000a1b2c3d40000000000000000"},"audio_params":{"format":"opus","sample_rate":24000,"channels":1,"frame_duration":60}}"#,
        ),
        (
            GatewayBody::Hello(hello(None, Transport::WebSocket)),
            r#"{"type":"hello","version":3,"session_id":"s1","transport":"websocket","audio_params":{"format":"opus","sample_rate":24000,"channels":1,"frame_duration":60}}"#,
        ),
        (GatewayBody::Tts(Tts::Start), r#"{"type":"tts","state":"start","session_id":"s1"}"#),
        (
            GatewayBody::Tts(Tts::SentenceStart { text: "Hi".into() }),
            r#"{"type":"tts","state":"sentence_start","text":"Hi","session_id":"s1"}"#,
        ),
        (GatewayBody::Tts(Tts::Stop), r#"{"type":"tts","state":"stop","session_id":"s1"}"#),
        (GatewayBody::Stt { text: "a \"b\"".into() }, r#"{"type":"stt","text":"a \"b\"","session_id":"s1"}"#),
        (
            GatewayBody::Llm { text: "😊".into(), emotion: "happy".into() },
            r#"{"type":"llm","text":"😊","emotion":"happy","session_id":"s1"}"#,
        ),
        (
            GatewayBody::Mcp { payload: json!({"method": "tools/list"}) },
            r#"{"type":"mcp","payload":{"method":"tools/list"},"session_id":"s1"}"#,
        ),
        (
            GatewayBody::Alert(Alert::sad("Busy", "Later")),
            r#"{"type":"alert","status":"Busy","message":"Later","emotion":"sad","session_id":"s1"}"#,
        ),
        (GatewayBody::Error { message: "no".into() }, r#"{"type":"error","message":"no","session_id":"s1"}"#),
        (GatewayBody::Goodbye, r#"{"type":"goodbye","session_id":"s1"}"#),
        (GatewayBody::Unknown(unknown("system")), r#"{"type":"system","command":"reboot","session_id":"s1"}"#),
    ];
    for (body, json) in cases {
        let message = GatewayMessage::new("s1", body);
        assert_eq!(*message.to_json(), json);
        assert_eq!(GatewayMessage::parse(json.as_bytes()), Ok(message));
    }
    assert_eq!(*GatewayMessage::without_session(GatewayBody::Goodbye).to_json(), r#"{"type":"goodbye"}"#);
}

#[test]
fn a_pcm_session_is_named_by_its_format() {
    let params = AudioParams { format: AudioFormat::Pcm, frame_duration: 20, ..AudioParams::DEVICE };
    let hello = DeviceHello { audio_params: params, ..DeviceHello::default() };
    assert!(DeviceMessage::hello(hello).to_json().contains(r#""format":"pcm","sample_rate":16000"#));
}
