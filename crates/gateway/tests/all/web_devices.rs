//! Devices that speak WebSocket, and what strangers do there.

use crate::common::web::{Codec, Socket, ended, next, open, open_narrow, with_web};
use crate::common::{likeness, speech, until};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sidetone_gateway::Gateway;
use sidetone_gateway::config::Secret;
use sidetone_protocol::credential::SignatureKey;
use sidetone_protocol::websocket::{Frame, Kind, Version};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

const DEVICES: &str = "/xiaozhi/v1/";
const MAC: &str = "aa:bb:cc:dd:ee:ff";
const UUID: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
const FIRMWARE: [(&str, &str); 3] = [("Protocol-Version", "1"), ("Device-Id", MAC), ("Client-Id", UUID)];

/// Held by calls that are compared, and by the flood that would make workers shed their frames.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn gateway() -> Gateway {
    Gateway::start(with_web()).await.unwrap()
}

fn hello(version: u32) -> Value {
    let audio = json!({ "format": "opus", "sample_rate": 16000, "channels": 1, "frame_duration": 60 });
    json!({ "type": "hello", "version": version, "features": { "mcp": true }, "transport": "websocket", "audio_params": audio })
}

async fn say(socket: &mut Socket, message: &Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

/// The next message; audio is passed over.
async fn hear(socket: &mut Socket) -> Value {
    loop {
        match next(socket).await.expect("the connection stands") {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Binary(_) => {}
            other => panic!("no message: {other:?}"),
        }
    }
}

/// Says hello; the session id.
async fn greet(socket: &mut Socket, hello: &Value) -> String {
    say(socket, hello).await;
    let reply = hear(socket).await;
    let id = reply["session_id"].as_str().expect("a session has an id").to_owned();
    assert_eq!(
        reply,
        json!({
            "type": "hello", "version": hello["version"], "session_id": id, "transport": "websocket",
            "audio_params": { "format": hello["audio_params"]["format"], "channels": 1,
                "sample_rate": reply["audio_params"]["sample_rate"],
                "frame_duration": reply["audio_params"]["frame_duration"] },
        })
    );
    id
}

async fn listen(socket: &mut Socket, id: &str, state: &str, mode: &str) {
    say(socket, &json!({ "session_id": id, "type": "listen", "state": state, "mode": mode })).await;
}

fn audio(version: Version, payload: &[u8]) -> Message {
    Message::binary(Frame { kind: Kind::Opus, timestamp: 0, payload }.encode(version).unwrap())
}

/// Speaks, and hears the same again.
async fn echo(gateway: &Gateway, mut socket: Socket, said_version: u32, version: Version) {
    let _alone = ALONE.lock().await;
    let before = gateway.counts()["downlink_unsent"];
    let id = greet(&mut socket, &hello(said_version)).await;
    listen(&mut socket, &id, "start", "manual").await;
    let (mut codec, spoken) = (Codec::new(), speech()[..960 * 25].to_vec());
    for packet in codec.encode(&spoken) {
        socket.send(audio(version, &packet)).await.unwrap();
        sleep(Duration::from_millis(20)).await;
    }
    listen(&mut socket, &id, "stop", "manual").await;
    let (mut heard, mut timestamps) = (Vec::new(), Vec::new());
    loop {
        match next(&mut socket).await.expect("the connection stands") {
            Message::Binary(bytes) => {
                let frame = Frame::decode(version, &bytes).unwrap();
                assert_eq!(frame.kind, Kind::Opus);
                timestamps.push(frame.timestamp);
                heard.extend(codec.decode(frame.payload));
            }
            Message::Text(text) => {
                let message: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(message["session_id"], id.as_str());
                if message["state"] == "stop" {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    // On a busy machine the pool gives a frame up that comes too late, and counts it.
    let (counts, frames) = (gateway.counts(), spoken.len() / 960);
    let given_up = (counts["downlink_unsent"] - before) as usize;
    assert!(given_up * 10 < frames, "{counts:?}");
    assert_eq!(heard.len() + given_up * 1440, frames * 1440, "every frame comes back, before the stop: {counts:?}");
    let likeness = likeness(&spoken, &heard);
    assert!(likeness > 0.9, "version {version:?}: {likeness}");
    let timed = version == Version::V2;
    assert!(timestamps.windows(2).all(|pair| !timed || pair[0] < pair[1]), "{timestamps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_of_each_version_makes_a_call() {
    let gateway = gateway().await;
    for version in [Version::V1, Version::V2, Version::V3] {
        let number = version.number().to_string();
        let headers = [("Protocol-Version", number.as_str()), ("Device-Id", MAC), ("Client-Id", UUID)];
        echo(&gateway, open(&gateway, DEVICES, &headers).await.unwrap(), version.number().into(), version).await;
    }
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_can_send_no_headers_makes_a_call() {
    let gateway = gateway().await;
    let address = format!("{DEVICES}?device-id=aa%3Abb%3Acc%3Add%3Aee%3Aff&client-id={UUID}");
    let origin = [("Origin", "http://localhost:8080")];
    // What frames look like is said by the header, where there is one; else by the hello.
    echo(&gateway, open(&gateway, &address, &origin).await.unwrap(), 3, Version::V3).await;
    let headers = [("Protocol-Version", "1"), ("Device-Id", MAC), ("Client-Id", UUID)];
    echo(&gateway, open(&gateway, DEVICES, &headers).await.unwrap(), 3, Version::V1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_let_in_is_told_why() {
    let gateway = gateway().await;
    let device = ("Device-Id", MAC);
    for (path, headers, status) in [
        (DEVICES, &[][..], 400),
        (DEVICES, &[("Device-Id", "a/b")], 400),
        (DEVICES, &[device, ("Protocol-Version", "4")], 400),
        (DEVICES, &[device, ("Origin", "https://evil.example")], 403),
        (DEVICES, &[device, ("Origin", "null")], 403),
        ("/media", &[("Origin", "https://evil.example")], 403),
        ("/mqtt", &[("Origin", "https://evil.example")], 403),
        ("/mqtt", &[("Sec-WebSocket-Protocol", "chat")], 400),
        ("/", &[], 404),
        ("/xiaozhi/v1/x", &[device], 404),
    ] {
        assert_eq!(open(&gateway, path, headers).await.map(drop), Err(status), "{path} {headers:?}");
    }
    until("all are counted", || gateway.counts()["connections_refused"] == 10).await;
    let mut plain = TcpStream::connect(gateway.addresses().web.unwrap()).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_checked_where_there_is_a_key() {
    let mut config = with_web();
    config.mqtt.signature_key = Some(Secret::new("a key of the test".into()));
    let gateway = Gateway::start(config).await.unwrap();
    let token = SignatureKey::new(b"a key of the test").unwrap().password(UUID, MAC);
    let wrong = SignatureKey::new(b"another key").unwrap().password(UUID, MAC);
    let with = |mac, token: &str| {
        let (gateway, bearer) = (&gateway, format!("Bearer {token}"));
        async move {
            let headers = [("Device-Id", mac), ("Client-Id", UUID), ("Authorization", &bearer)];
            open(gateway, DEVICES, &headers).await
        }
    };
    assert_eq!(open(&gateway, DEVICES, &FIRMWARE).await.map(drop), Err(401));
    assert_eq!(with(MAC, &wrong).await.map(drop), Err(401));
    assert_eq!(with("aa:bb:cc:dd:ee:00", &token).await.map(drop), Err(401));
    let mut socket = with(MAC, &token).await.unwrap();
    greet(&mut socket, &hello(1)).await;
    assert_eq!(gateway.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_costs_a_call_nothing_and_a_flood_only_itself() {
    let _alone = ALONE.lock().await;
    let gateway = gateway().await;
    let headers = [("Protocol-Version", "3"), ("Device-Id", MAC), ("Client-Id", UUID)];
    let mut socket = open(&gateway, DEVICES, &headers).await.unwrap();
    let id = greet(&mut socket, &hello(3)).await;
    listen(&mut socket, &id, "start", "realtime").await;
    assert_eq!(hear(&mut socket).await["state"], "start");
    // No header; another length than it says; none at all; a type there is not.
    for bytes in [&[0, 0, 0][..], &[0, 0, 0, 9, 1], &[0, 0, 0, 0], &[7, 0, 0, 1, 1]] {
        socket.send(Message::binary(bytes.to_vec())).await.unwrap();
    }
    until("garbage is counted", || gateway.counts()["dropped.malformed"] == 4).await;
    socket.send(Message::text("{")).await.unwrap();
    assert_eq!(hear(&mut socket).await["type"], "error");
    // JSON in a binary frame is a message too.
    let json = Frame { kind: Kind::Json, timestamp: 0, payload: b"[]" }.encode(Version::V3).unwrap();
    socket.send(Message::binary(json)).await.unwrap();
    assert_eq!(hear(&mut socket).await["type"], "error");

    let mut codec = Codec::new();
    let packets = codec.encode(&speech()[..960 * 10]);
    for _ in 0..100 {
        for packet in &packets {
            socket.feed(audio(Version::V3, packet)).await.unwrap();
        }
        socket.flush().await.unwrap();
    }
    for _ in 0..1000 {
        socket
            .feed(Message::text(json!({ "session_id": id, "type": "mcp", "payload": {} }).to_string()))
            .await
            .unwrap();
    }
    socket.flush().await.unwrap();
    until("the floods are cut", || {
        let counts = gateway.counts();
        counts["dropped.rate"] >= 500 && counts["messages_limited"] >= 500
    })
    .await;
    assert_eq!(gateway.calls(), 1, "the call goes on");
    drop(socket);
    until("the call ends", || gateway.calls() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_too_large_ends_the_connection() {
    let gateway = gateway().await;
    for message in [Message::text("x".repeat(1 << 20)), Message::binary(vec![0; 1 << 20])] {
        let broken = gateway.counts()["connections_broken"];
        let mut socket = open(&gateway, DEVICES, &FIRMWARE).await.unwrap();
        greet(&mut socket, &hello(1)).await;
        // It may be refused before all of it was sent.
        let _ = socket.send(message).await;
        ended(&mut socket).await;
        until("it is counted", || gateway.counts()["connections_broken"] == broken + 1).await;
        until("the call ends", || gateway.calls() == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn goodbye_ends_the_connection_since_firmware_knows_no_other() {
    let gateway = gateway().await;
    let mut stale = open(&gateway, DEVICES, &FIRMWARE).await.unwrap();
    listen(&mut stale, "a session of yesterday", "start", "auto").await;
    assert_eq!(hear(&mut stale).await["type"], "goodbye");
    ended(&mut stale).await;
    let mut live = open(&gateway, DEVICES, &FIRMWARE).await.unwrap();
    let id = greet(&mut live, &hello(1)).await;
    assert!(gateway.shut_down().await);
    assert_eq!(hear(&mut live).await, json!({ "type": "goodbye", "session_id": id }));
    ended(&mut live).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_connects_anew_replaces_itself() {
    let gateway = gateway().await;
    let mut first = open(&gateway, DEVICES, &FIRMWARE).await.unwrap();
    greet(&mut first, &hello(1)).await;
    let mut second = open(&gateway, DEVICES, &FIRMWARE).await.unwrap();
    ended(&mut first).await;
    greet(&mut second, &hello(1)).await;
    until("one call is left", || gateway.calls() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_a_connection_and_says_nothing_loses_it_and_takes_no_more_than_its_share() {
    let mut config = with_web();
    config.web.source_connections = 3;
    let gateway = Gateway::start(config).await.unwrap();
    let address = gateway.addresses().web.unwrap();
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /xiaozhi/v1/ HTTP/1.1\r\nHost").await.unwrap();
    let good = open(&gateway, DEVICES, &FIRMWARE).await.unwrap();
    let mut refused = TcpStream::connect(address).await.unwrap();
    // Closed unread, or reset: nothing is said to it.
    assert!(matches!(refused.read(&mut [0; 64]).await, Ok(0) | Err(_)));
    assert_eq!(gateway.counts()["connections_refused"], 1);
    for half_open in [&mut silent, &mut slow] {
        assert!(matches!(half_open.read(&mut [0; 64]).await, Ok(0) | Err(_)));
    }
    until("both are counted", || gateway.counts()["connections_refused"] == 3).await;
    assert!(open(&gateway, DEVICES, &FIRMWARE).await.is_ok(), "their places are free again");
    drop(good);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_does_not_read_is_given_up() {
    let gateway = gateway().await;
    let mut socket = open_narrow(&gateway, DEVICES, &FIRMWARE).await.unwrap();
    let mut pcm = hello(1);
    pcm["audio_params"] = json!({ "format": "pcm", "sample_rate": 16000, "channels": 1, "frame_duration": 20 });
    let id = greet(&mut socket, &pcm).await;
    listen(&mut socket, &id, "start", "realtime").await;
    // 32 kB a second each way, of which it reads nothing.
    let (mut sink, _unread) = socket.split();
    let speaking = tokio::spawn(async move {
        let frame: Vec<u8> = (0..320_i16).flat_map(|n| (n * 50).to_le_bytes()).collect();
        while sink.send(Message::binary(frame.clone())).await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    });
    until("it is given up", || gateway.counts()["connections_broken"] == 1).await;
    until("its call ends", || gateway.calls() == 0).await;
    speaking.abort();
}
