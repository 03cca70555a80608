//! First inputs made here: what devices, gateways and MQTT clients say. Words and structures that chance does not find.

use super::record;

/// Operations of the target `protocol_message`.
const DEVICE: u8 = 0;
const GATEWAY: u8 = 2;
const ENVELOPE: u8 = 3;
const TOPIC: u8 = 4;
const FRAME: u8 = 5;
const SECONDS: u8 = 6;
const GRANT: u8 = 7;

const HELLO: &str = r#"{"type":"hello","version":3,"transport":"udp","features":{"mcp":true,"aec":true},"audio_params":{"format":"opus","sample_rate":16000,"channels":1,"frame_duration":60}}"#;

const SAID: [&str; 12] = [
    r#"{"type":"hello","version":"3","transport":"websocket","features":["mcp","vision"],"audio_params":{"format":"pcm","frame_duration":20}}"#,
    r#"{"session_id":"s0","type":"listen","state":"start","mode":"auto"}"#,
    r#"{"session_id":"s0","type":"listen","state":"start","mode":"manual"}"#,
    r#"{"session_id":"s0","type":"listen","state":"start","mode":"realtime"}"#,
    r#"{"session_id":"s0","type":"listen","state":"stop"}"#,
    r#"{"session_id":"s0","type":"listen","state":"detect","text":"hello"}"#,
    r#"{"session_id":"s0","type":"abort","reason":"wake_word_detected"}"#,
    r#"{"session_id":"s0","type":"mcp","payload":{"jsonrpc":"2.0","id":1,"method":"tools/list"}}"#,
    r#"{"session_id":"s0","type":"iot","states":[{"name":"lamp","on":true}]}"#,
    r#"{"session_id":"s0","type":"goodbye"}"#,
    r#"{"type":"goodbye"}"#,
    r#"{"session_id":"other","type":"abort"}"#,
];

const ANSWERED: [&str; 11] = [
    r#"{"type":"hello","version":3,"session_id":"s0","transport":"udp","udp":{"server":"192.0.2.1","port":8884,"encryption":"aes-128-ctr","key":"d31c965ae87742bf0b64c98e21f5aa3d","nonce":"01000000a1b2c3d40000000000000000"},"audio_params":{"format":"opus","sample_rate":24000,"channels":1,"frame_duration":60}}"#,
    r#"{"session_id":"s0","type":"tts","state":"start"}"#,
    r#"{"session_id":"s0","type":"tts","state":"sentence_start","text":"Good morning."}"#,
    r#"{"session_id":"s0","type":"tts","state":"stop"}"#,
    r#"{"session_id":"s0","type":"stt","text":"hello"}"#,
    r#"{"session_id":"s0","type":"llm","text":"x","emotion":"happy"}"#,
    r#"{"session_id":"s0","type":"mcp","payload":{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}}"#,
    r#"{"session_id":"s0","type":"alert","status":"Busy","message":"Try again.","emotion":"sad"}"#,
    r#"{"session_id":"s0","type":"system","command":"reboot"}"#,
    r#"{"type":"error","message":"no"}"#,
    r#"{"session_id":"s0","type":"goodbye"}"#,
];

const CLIENT: &str = "GID_test@@@11_22_33_44_55_66@@@36c98363-3656-43cb-a00f-8bced2391a90";

/// Whole calls, as told to both ends, and each thing by itself.
pub(super) fn messages() -> Vec<Vec<u8>> {
    let envelope = format!(r#"{{"sender_client_id":"{CLIENT}","orginal_payload":{HELLO}}}"#);
    let topics = [
        CLIENT.to_owned(),
        "device-server".to_owned(),
        format!("devices/{CLIENT}/data"),
        format!("devices/p2p/{CLIENT}"),
        "devices/p2p/11_22_33_44_55_66".to_owned(),
        "p2p".to_owned(),
    ];
    let frames: [&[u8]; 5] = [
        &[0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3, 232, 0, 0, 0, 3, 0xd8, 1, 2],
        &[0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, b'{', b'}'],
        &[0, 0, 0, 3, 0xd8, 1, 2],
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 232, 0, 0, 0, 3, 0xd8, 1, 2],
        &[1, 0, 0, 3, 0, 0, 0, 7, 0, 0, 3, 232, 0, 0, 0, 3, 0xd8, 1, 2],
    ];
    let mut call = Vec::new();
    record(&mut call, DEVICE, HELLO.as_bytes());
    record(&mut call, GRANT, &[]);
    let mut inputs = Vec::new();
    // A turn in each mode, as a device and a speech server have it, and time that passes.
    for mode in &SAID[1..4] {
        let mut turn = call.clone();
        record(&mut turn, DEVICE, mode.as_bytes());
        ANSWERED.iter().for_each(|answer| record(&mut turn, GATEWAY, answer.as_bytes()));
        record(&mut turn, SECONDS | 31 << 3, &[]);
        record(&mut turn, SECONDS | 31 << 3, &[]);
        inputs.push(turn);
    }
    for said in SAID {
        let mut alone = call.clone();
        record(&mut alone, DEVICE, said.as_bytes());
        record(&mut alone, SECONDS | 2 << 3, &[]);
        inputs.push(alone);
    }
    let others = [(ENVELOPE, envelope.as_bytes())].into_iter();
    let others = others.chain(topics.iter().map(|topic| (TOPIC, topic.as_bytes())));
    for (op, bytes) in others.chain(frames.map(|frame| (FRAME, frame))) {
        let mut input = Vec::new();
        record(&mut input, op, bytes);
        inputs.push(input);
    }
    inputs
}

/// Packets of every kind behind a CONNECT of either version, to the endpoint and to a client, whole and in pieces; and
/// CONNECTs with all they may hold.
pub(super) fn mqtt() -> Vec<Vec<u8>> {
    const ENDPOINT_V311: u8 = 1;
    const ENDPOINT_V5: u8 = 2;
    const CLIENT: u8 = 3;
    const CLIENT_V5: u8 = 3 | 4;
    const PIECES: u8 = 3 << 3;
    let connects = [
        packet(0x10, b"\0\x04MQTT\x04\xee\0\x3c\0\x04lamp\0\x04will\0\x03off\0\x04user\0\x08password"),
        packet(0x10, b"\0\x04MQTT\x05\xc2\0\x3c\x05\x11\0\0\0\x0a\0\x04lamp\0\x04user\0\x04pass"),
        packet(0x10, b"\0\x04MQTT\x04\x02\0\0\0\0"),
    ];
    let to_endpoint = [
        packet(0x82, b"\0\x01\0\x03a/+\0\0\x01b\x01"),
        packet(0x30, b"\0\x01thi!"),
        packet(0x32, b"\0\x01t\0\x07two"),
        packet(0x34, b"\0\x01t\0\x09two"),
        packet(0x62, b"\0\x09"),
        packet(0xa2, b"\0\x02\0\x03a/+"),
        packet(0xc0, b""),
        packet(0x40, b"\0\x01"),
        packet(0xe0, b""),
    ];
    let to_endpoint_v5 = [
        packet(0x82, b"\0\x01\0\0\x02a/\x01"),
        packet(0x30, b"\0\x01t\x03\x23\0\x01alias"),
        packet(0x30, b"\0\0\x03\x23\0\x01alias"),
        packet(0x30, b"\0\x01t\x0d\x26\0\x03key\0\x05valuehi"),
        packet(0xa2, b"\0\x02\0\0\x02a/"),
        packet(0xe0, b"\x04\0"),
    ];
    let to_client = [
        packet(0x30, b"\0\x01thi!"),
        packet(0x32, b"\0\x01t\0\x07two"),
        packet(0x34, b"\0\x01t\0\x09two"),
        packet(0x62, b"\0\x09"),
        packet(0xd0, b""),
        packet(0x90, b"\0\x01\0"),
        packet(0x40, b"\0\x01"),
    ];
    let to_client_v5 =
        [packet(0x30, b"\0\x01t\0hi!"), packet(0xd0, b""), packet(0x90, b"\0\x01\0\0"), packet(0xe0, b"\x8b\0")];
    let mut inputs: Vec<Vec<u8>> = connects.iter().map(|connect| [&[0], &connect[..]].concat()).collect();
    let mut behind = |setup: u8, packets: &[Vec<u8>]| {
        inputs.extend([setup, setup | PIECES].map(|setup| [&[setup][..], &packets.concat()].concat()));
        inputs.extend(packets.iter().map(|packet| [&[setup], &packet[..]].concat()));
    };
    behind(ENDPOINT_V311, &to_endpoint);
    behind(ENDPOINT_V5, &to_endpoint_v5);
    behind(CLIENT, &to_client);
    behind(CLIENT_V5, &to_client_v5);
    inputs
}

/// A packet of MQTT: fixed header, and what it announces.
fn packet(header: u8, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
    assert!(length < 0x80, "a length of one byte");
    [&[header, length], body].concat()
}
