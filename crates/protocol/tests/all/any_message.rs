//! Whatever comes is answered with a value; whatever is written reads back the same.

use crate::common::endpoint;
use proptest::prelude::*;
use serde_json::{Map, Value};
use sidetone_protocol::message::{
    Alert, AudioFormat, AudioParams, DeviceBody, DeviceHello, DeviceMessage, Features, GatewayBody, GatewayHello,
    GatewayMessage, Listen, ListenMode, Transport, Tts, Unknown,
};
use sidetone_protocol::topic::{ClientId, Envelope, Uplink};
use sidetone_protocol::websocket::{Frame, GatewayFrame, Kind, ServerFrame, Version};

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter)
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1000..1000_i32).prop_map(|n| Value::from(f64::from(n) / 8.0)),
        text().prop_map(Value::from),
        prop::sample::select(vec!["hello", "start", "60", "0", "opus", "s1"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            fields(inner).prop_map(Value::Object),
        ]
    })
}

fn fields(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let names = vec![
        "type",
        "state",
        "mode",
        "text",
        "session_id",
        "payload",
        "reason",
        "udp",
        "key",
        "nonce",
        "server",
        "port",
        "audio_params",
        "features",
        "version",
        "transport",
        "channels",
        "frame_duration",
        "orginal_payload",
        "sender_client_id",
    ];
    let name = prop_oneof![3 => prop::sample::select(names).prop_map(String::from), 1 => text()];
    prop::collection::vec((name, values), 0..6).prop_map(Map::from_iter)
}

fn unknown() -> impl Strategy<Value = Unknown> {
    (text(), fields(json())).prop_map(|(kind, mut fields)| {
        fields.remove("type");
        fields.remove("session_id");
        Unknown { kind: format!("?{kind}"), fields }
    })
}

fn audio_params() -> impl Strategy<Value = AudioParams> {
    let format = prop_oneof![
        Just(AudioFormat::Opus),
        Just(AudioFormat::Pcm),
        text().prop_map(|name| AudioFormat::Other(format!("?{name}"))),
    ];
    (format, any::<[u32; 3]>(), any::<Option<u32>>()).prop_map(
        |(format, [sample_rate, channels, frame_duration], play_buffer_duration)| AudioParams {
            format,
            sample_rate,
            channels,
            frame_duration,
            play_buffer_duration,
        },
    )
}

fn device_body() -> impl Strategy<Value = DeviceBody> {
    let transport = prop::sample::select(vec![Transport::Udp, Transport::WebSocket, Transport::Mqtt]);
    let mode = prop::sample::select(vec![ListenMode::Auto, ListenMode::Manual, ListenMode::Realtime]);
    let others = prop::collection::btree_set(text().prop_map(|name| format!("?{name}")), 0..3);
    let features = (any::<bool>(), any::<bool>(), others).prop_map(|(mcp, aec, others)| Features {
        mcp,
        aec,
        others: others.into_iter().collect(),
    });
    prop_oneof![
        (any::<u32>(), transport, features, audio_params()).prop_map(|(version, transport, features, audio_params)| {
            DeviceBody::Hello(DeviceHello { version, transport, features, audio_params })
        }),
        mode.prop_map(|mode| DeviceBody::Listen(Listen::Start { mode })),
        Just(DeviceBody::Listen(Listen::Stop)),
        text().prop_map(|text| DeviceBody::Listen(Listen::Detect { text })),
        prop::option::of(text()).prop_map(|reason| DeviceBody::Abort { reason }),
        json().prop_map(|payload| DeviceBody::Mcp { payload }),
        Just(DeviceBody::Goodbye),
        unknown().prop_map(DeviceBody::Unknown),
    ]
}

fn gateway_body() -> impl Strategy<Value = GatewayBody> {
    prop_oneof![
        (any::<u32>(), any::<bool>(), audio_params()).prop_map(|(version, udp, audio_params)| {
            let udp = udp.then(endpoint);
            let transport = if udp.is_some() { Transport::Udp } else { Transport::WebSocket };
            GatewayBody::Hello(GatewayHello { version, transport, udp, audio_params })
        }),
        Just(GatewayBody::Tts(Tts::Start)),
        text().prop_map(|text| GatewayBody::Tts(Tts::SentenceStart { text })),
        Just(GatewayBody::Tts(Tts::Stop)),
        text().prop_map(|text| GatewayBody::Stt { text }),
        (text(), text()).prop_map(|(text, emotion)| GatewayBody::Llm { text, emotion }),
        json().prop_map(|payload| GatewayBody::Mcp { payload }),
        (text(), text(), text()).prop_map(|(status, message, emotion)| GatewayBody::Alert(Alert {
            status,
            message,
            emotion
        })),
        text().prop_map(|message| GatewayBody::Error { message }),
        Just(GatewayBody::Goodbye),
        unknown().prop_map(GatewayBody::Unknown),
    ]
}

fn parse_all(bytes: &[u8]) {
    let _ = DeviceMessage::parse(bytes);
    let _ = GatewayMessage::parse(bytes);
    let _ = Envelope::parse(bytes);
    for version in [Version::V1, Version::V2, Version::V3] {
        if let Ok(frame) = Frame::decode(version, bytes) {
            assert_eq!(frame.encode(version).map(|bytes| bytes.len()), Ok(bytes.len()));
        }
    }
    let _ = GatewayFrame::decode(bytes);
    let _ = ServerFrame::decode(bytes);
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = text.parse::<ClientId>();
        let _ = Uplink::parse(text, "device-server");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        parse_all(&bytes);
    }

    #[test]
    fn any_json_is_answered_and_what_is_read_is_written_the_same(
        fields in fields(json()),
        kind in prop::sample::select(vec!["hello", "listen", "abort", "mcp", "goodbye", "tts", "llm", "stt", "alert"]),
    ) {
        let mut fields = fields;
        parse_all(serde_json::to_string(&fields).unwrap().as_bytes());
        fields.insert("type".into(), kind.into());
        let json = serde_json::to_string(&fields).unwrap();
        parse_all(json.as_bytes());
        if let Ok(message) = DeviceMessage::parse(json.as_bytes()) {
            prop_assert_eq!(DeviceMessage::parse(message.to_json().as_bytes()), Ok(message));
        }
        if let Ok(message) = GatewayMessage::parse(json.as_bytes()) {
            prop_assert_eq!(GatewayMessage::parse(message.to_json().as_bytes()), Ok(message));
        }
    }

    #[test]
    fn device_messages_survive_writing_and_reading(body in device_body(), id in prop::option::of("[ -~]{1,40}")) {
        let is_hello = matches!(body, DeviceBody::Hello(_));
        let message = DeviceMessage { session_id: id.filter(|_| !is_hello), body };
        let json = message.to_json();
        prop_assert_eq!(DeviceMessage::parse(json.as_bytes()), Ok(message.clone()));
        prop_assert_eq!(serde_json::from_str::<DeviceMessage>(&json).unwrap(), message);
    }

    #[test]
    fn gateway_messages_survive_writing_and_reading(body in gateway_body(), id in prop::option::of("[ -~]{1,40}")) {
        let message = GatewayMessage { session_id: id, body };
        let json = message.to_json();
        prop_assert_eq!(GatewayMessage::parse(json.as_bytes()), Ok(message.clone()));
        prop_assert_eq!(serde_json::from_str::<GatewayMessage>(&json).unwrap(), message);
    }

    #[test]
    fn frames_survive_writing_and_reading(
        version in prop::sample::select(vec![Version::V1, Version::V2, Version::V3]),
        json: bool, sequence: u32, timestamp: u32, payload in prop::collection::vec(any::<u8>(), 1..300),
    ) {
        let kind = if json && version != Version::V1 { Kind::Json } else { Kind::Opus };
        let carried = if version == Version::V2 { timestamp } else { 0 };
        let frame = Frame { kind, timestamp: carried, payload: &payload };
        let bytes = frame.encode(version).unwrap();
        prop_assert_eq!(Frame::decode(version, &bytes), Ok(frame));
        let frame = GatewayFrame { timestamp, payload: &payload };
        let bytes = frame.encode().unwrap();
        prop_assert_eq!(GatewayFrame::decode(&bytes), Ok(frame));
        let frame = ServerFrame { sequence, timestamp, payload: &payload };
        let bytes = frame.encode().unwrap();
        prop_assert_eq!(ServerFrame::decode(&bytes), Ok(frame));
    }
}
