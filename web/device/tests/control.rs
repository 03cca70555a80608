//! The device in JSON: a whole call, and what is refused.

use serde_json::{Value, json};
use sidetone_device::control::Control;
use sidetone_device::identity::{IdentityError, client_id, credentials, topics};

const HELLO: &str = r#"{"type":"hello","version":3,"transport":"udp","session_id":"s1","udp":{"server":"127.0.0.1",
    "port":8884,"encryption":"aes-128-ctr","key":"000102030405060708090a0b0c0d0e0f",
    "nonce":"01000000a1b2c3d40000000000000000"},
    "audio_params":{"format":"opus","sample_rate":24000,"channels":1,"frame_duration":60}}"#;

fn outputs(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|output| output["output"].as_str().unwrap()).collect()
}

#[test]
fn a_call_from_switching_on_to_hanging_up() {
    let mut device = Control::new("{}").unwrap();
    assert_eq!(outputs(&device.input(0.0, r#"{"input":"start"}"#).unwrap()), ["connect"]);
    assert_eq!(outputs(&device.input(5.0, r#"{"input":"connected"}"#).unwrap()), [""; 0]);
    let out = device.input(10.0, r#"{"input":"listen","mode":"manual"}"#).unwrap();
    assert_eq!(
        out,
        json!([{"output": "send", "text": "{\"type\":\"hello\",\"version\":3,\"transport\":\"udp\",\
        \"features\":{\"mcp\":true},\"audio_params\":{\"format\":\"opus\",\"sample_rate\":16000,\"channels\":1,\
        \"frame_duration\":60}}"}])
    );
    assert_eq!(device.next_timeout(), Some(10_010.0));

    let out = device.message(20.0, HELLO.as_bytes()).unwrap();
    assert_eq!(outputs(&out), ["open-media", "send", "start-capture"]);
    assert_eq!(out[0]["udp"]["connectionId"], json!(0xa1b2_c3d4_u32));
    assert_eq!(out[0]["udp"]["key"], json!((0..16).collect::<Vec<u8>>()));
    assert_eq!(out[0]["downlink"], json!({"format": "opus", "sampleRate": 24000, "channels": 1, "frameDuration": 60}));
    assert_eq!(device.activity(), "listening");

    assert_eq!(outputs(&device.input(30.0, r#"{"input":"stop-listening"}"#).unwrap()), ["send", "stop-capture"]);
    let speak = |state: &str| format!(r#"{{"type":"tts","state":"{state}","session_id":"s1"}}"#);
    assert_eq!(outputs(&device.message(40.0, speak("start").as_bytes()).unwrap()), ["start-playback"]);
    assert_eq!(outputs(&device.message(50.0, speak("stop").as_bytes()).unwrap()), ["stop-playback"]);
    let shown = device.message(55.0, br#"{"type":"stt","text":"hi","session_id":"s1"}"#).unwrap();
    assert_eq!(shown, json!([{"output": "show", "message": {"type": "stt", "text": "hi"}}]));
    let out = device.input(60.0, r#"{"input":"hangup"}"#).unwrap();
    assert_eq!(outputs(&out), ["send", "close-media"]);
    assert_eq!(out[1]["cause"], "hangup");
}

#[test]
fn over_websocket_the_hello_says_so() {
    let mut device = Control::new(r#"{"transport":"websocket","version":2,"aec":true}"#).unwrap();
    device.input(0.0, r#"{"input":"start"}"#).unwrap();
    device.input(0.0, r#"{"input":"connected"}"#).unwrap();
    let out = device.input(0.0, r#"{"input":"listen","mode":"realtime"}"#).unwrap();
    let text = out[0]["text"].as_str().unwrap();
    assert!(text.contains(r#""version":2,"transport":"websocket","features":{"mcp":true,"aec":true}"#), "{text}");
}

#[test]
fn what_is_not_understood_says_what() {
    assert!(Control::new(r#"{"firmware":"1999"}"#).unwrap_err().to_string().contains("1999"));
    let mut device = Control::new("{}").unwrap();
    assert!(device.input(0.0, r#"{"input":"dance"}"#).unwrap_err().to_string().contains("dance"));
    assert_eq!(device.message(0.0, b"[]").unwrap_err().to_string(), "message is not an object");
}

#[test]
fn identities_are_made_as_firmware_makes_them() {
    let id = client_id("GID_web", "02:00:00:AA:00:01", "u1").unwrap();
    assert_eq!(id, "GID_web@@@02_00_00_aa_00_01@@@u1");
    assert_eq!(client_id("g", "02:00", "u"), Err(IdentityError::Mac("02:00".into())));
    assert_eq!(topics(&id, "mac").unwrap(), ("device-server".into(), "devices/p2p/02_00_00_aa_00_01".into()));
    assert_eq!(topics(&id, "x"), Err(IdentityError::Dialect("x".into())));
    let (username, password) = credentials(&id, "key").unwrap();
    assert_eq!((username.as_str(), password.len()), ("e30=", 44));
    assert!(credentials(&id, "").is_err());
}
