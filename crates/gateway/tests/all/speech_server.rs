//! Calls through a speech server, end to end: real UDP, a real WebSocket server, real instances, real speech.

use crate::common::speech_server::{Got, Peer, Server, config_for, packets};
use crate::common::turns::{WELL, answer, count, decoded, hear_packets, same, speak_turn, start, turn_server};
use crate::common::{Device, alike, speech, until};
use serde_json::json;
use sidetone_opus::SampleRate;
use sidetone_protocol::message::{DeviceBody, GatewayBody, GatewayMessage, ListenMode, Tts};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

#[tokio::test(flavor = "multi_thread")]
async fn opus_passes_byte_for_byte_both_ways_and_is_the_speech_that_was_spoken() {
    let reply = packets(&answer(24_000), SampleRate::Hz24000, 60);
    let (server, mut turns) = turn_server(reply.clone()).await;
    let (mut gateway, counts) = start(server.config()).await;
    let mut device = Device::connect(&mut gateway, WELL).await;
    device.hello().await;
    let spoken = speech();
    let sent = speak_turn(&mut device, &spoken, &counts).await;
    let (heard, said) = hear_packets(&mut device).await;
    let turn = turns.recv().await.unwrap();
    same(&turn, &sent);
    same(&heard, &reply);
    let up = alike((16_000, &spoken), (16_000, &decoded(SampleRate::Hz16000, &turn)));
    let down = alike((16_000, &spoken), (24_000, &decoded(SampleRate::Hz24000, &heard)));
    println!("likeness of passed speech: {up:.3} up, {down:.3} down");
    assert!(up > 0.9 && down > 0.9, "{up} up, {down} down");
    assert!(said.contains(&GatewayBody::Stt { text: "well heard".into() }), "{said:?}");
    let marks: Vec<_> = said.into_iter().filter(|body| matches!(body, GatewayBody::Tts(_))).collect();
    let sentence = Tts::SentenceStart { text: "It is so.".into() };
    assert_eq!(marks, [Tts::Start, sentence, Tts::Stop].map(GatewayBody::Tts));
    assert_eq!([count(&counts, "transcoded"), count(&counts, "packets_up")], [0, turn.len() as u64]);
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_of_another_duration_and_rate_are_coded_anew() {
    let reply = packets(&answer(16_000), SampleRate::Hz16000, 20);
    let (server, _turns) = turn_server(reply.clone()).await;
    let (mut gateway, counts) = start(server.config()).await;
    let mut device = Device::connect(&mut gateway, WELL).await;
    device.hello().await;
    let spoken = speech();
    speak_turn(&mut device, &spoken[..960 * 5], &counts).await;
    let (heard, _) = device.play_turn().await;
    let (frames, all) = (heard.len() / 1440, reply.len().div_ceil(3));
    assert!(frames <= all && frames >= all * 9 / 10, "{frames} frames of 60 ms at 24 kHz, of {all}");
    let likeness = alike((16_000, &spoken), (24_000, &heard));
    println!("likeness of transcoded speech, down: {likeness:.3}");
    assert!(likeness > 0.9, "{likeness}");
    assert_eq!(count(&counts, "transcoded"), reply.len() as u64);
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn transcoding_can_be_demanded_and_leaves_speech_recognisable() {
    let reply = packets(&answer(24_000), SampleRate::Hz24000, 60);
    let (server, mut turns) = turn_server(reply.clone()).await;
    let mut config = server.config();
    config.bridge.transcode = true;
    let (mut gateway, counts) = start(config).await;
    let mut device = Device::connect(&mut gateway, WELL).await;
    device.hello().await;
    let spoken = speech();
    let sent = speak_turn(&mut device, &spoken, &counts).await;
    let (heard, _) = device.play_turn().await;
    let turn = turns.recv().await.unwrap();
    assert!(turn.len() * 10 >= sent.len() * 9, "{} of {} packets", turn.len(), sent.len());
    assert!(turn != sent, "coded anew");
    let up = alike((16_000, &spoken), (16_000, &decoded(SampleRate::Hz16000, &turn)));
    let down = alike((16_000, &spoken), (24_000, &heard));
    println!("likeness of speech transcoded on demand: {up:.3} up, {down:.3} down");
    assert!(up > 0.9 && down > 0.9, "{up} up, {down} down");
    assert_eq!(count(&counts, "transcoded"), reply.len() as u64);
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn bare_opus_is_spoken_to_a_server_that_does_not_know_gateways() {
    let reply = packets(&answer(24_000)[..1440 * 12], SampleRate::Hz24000, 60);
    let (bare, seen) = (reply.clone(), Arc::new(Mutex::new(Vec::new())));
    let told = seen.clone();
    let server = Server::start(move |mut peer: Peer| {
        let (bare, told) = (bare.clone(), told.clone());
        async move {
            let hello = peer.hello().await;
            told.lock().unwrap().push((hello["version"].clone(), peer.header("protocol-version").map(String::from)));
            peer.tts("start").await;
            for packet in bare {
                peer.send(packet).await;
            }
            peer.tts("stop").await;
            peer.listen().await;
        }
    })
    .await;
    let (mut gateway, _) = start(config_for(&format!("ws://{}/", server.address))).await;
    let mut device = Device::connect(&mut gateway, WELL).await;
    device.hello().await;
    // The gateway answers a device that it has heard.
    let datagram = device.seal(&speech()[..960]).remove(0);
    device.send(&datagram).await;
    let (heard, _) = hear_packets(&mut device).await;
    same(&heard, &reply);
    assert_eq!(*seen.lock().unwrap(), [(json!(1), Some("1".into()))]);
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_go_both_ways_with_the_session_id_of_each_side() {
    let (seen, mut see) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer: Peer| {
        let seen = seen.clone();
        async move {
            let headers = ["authorization", "device-id", "client-id", "protocol-version"];
            let headers = headers.map(|name| peer.header(name).map(String::from));
            // Some servers ask for tools before they answer.
            peer.say(json!({ "type": "mcp", "payload": { "jsonrpc": "2.0", "id": 1, "method": "initialize" } })).await;
            let hello = peer.hello().await;
            seen.send(json!([peer.path, headers, hello])).unwrap();
            peer.say(json!({ "type": "llm", "text": "🙂", "emotion": "happy", "session_id": "theirs" })).await;
            peer.say(json!({ "type": "tts", "state": "sentence_end", "text": "x" })).await;
            loop {
                match peer.next().await {
                    Got::Json(json) => seen.send(json).unwrap(),
                    Got::Packet { .. } => {}
                    Got::Closed => return,
                }
            }
        }
    })
    .await;
    let mut config = server.config();
    config.bridge.token = Some(sidetone_gateway::config::Secret::new("T0ken".into()));
    let (mut gateway, _) = start(config).await;
    let mut device = Device::connect(&mut gateway, WELL).await;
    device.hello().await;
    let seen = see.recv().await.unwrap();
    let [path, headers, hello] = &seen.as_array().unwrap()[..] else { unreachable!() };
    assert_eq!(path, "/xiaozhi/v1/?from=mqtt_gateway");
    let uuid = "11111111-2222-4333-8444-555555555555";
    assert_eq!(*headers, json!(["Bearer T0ken", "aa:bb:cc:dd:ee:01", uuid, "2"]));
    let audio = json!({ "format": "opus", "sample_rate": 16000, "channels": 1, "frame_duration": 60 });
    let expected = json!({
        "type": "hello", "version": 2, "transport": "websocket", "features": { "mcp": true }, "audio_params": audio
    });
    assert_eq!(*hello, expected);

    let ours = device.media.as_ref().unwrap().session_id.clone();
    let mut told = Vec::new();
    for _ in 0..3 {
        let GatewayMessage { session_id, body } = device.hear().await.unwrap();
        assert_eq!(session_id.as_ref(), Some(&ours), "{body:?}");
        told.push(GatewayMessage::without_session(body).to_json().to_string());
    }
    let expected = [
        r#"{"type":"mcp","payload":{"id":1,"jsonrpc":"2.0","method":"initialize"}}"#,
        r#"{"type":"llm","text":"🙂","emotion":"happy"}"#,
        r#"{"type":"tts","state":"sentence_end","text":"x"}"#,
    ];
    assert_eq!(told, expected);

    device.say(DeviceBody::Mcp { payload: json!({ "jsonrpc": "2.0", "id": 1, "result": {} }) }).await;
    device.listen(ListenMode::Realtime).await;
    device.say(DeviceBody::Abort { reason: Some("wake_word_detected".into()) }).await;
    device.stop_listening().await;
    let expected = [
        json!({ "type": "mcp", "payload": { "jsonrpc": "2.0", "id": 1, "result": {} }, "session_id": "server-1" }),
        json!({ "type": "listen", "state": "start", "mode": "realtime", "session_id": "server-1" }),
        json!({ "type": "abort", "reason": "wake_word_detected", "session_id": "server-1" }),
        json!({ "type": "listen", "state": "stop", "session_id": "server-1" }),
    ];
    for expected in expected {
        assert_eq!(see.recv().await.unwrap(), expected);
    }
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_microphone_that_closes_because_the_server_speaks_is_not_told_to_it() {
    let (seen, mut see) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer: Peer| {
        let seen = seen.clone();
        async move {
            peer.hello().await;
            assert_eq!(peer.next_json().await["state"], "start");
            peer.tts("start").await;
            peer.tts("stop").await;
            loop {
                let json = peer.next_json().await;
                if json.is_null() {
                    return;
                }
                seen.send((json["type"].clone(), json["state"].clone())).unwrap();
            }
        }
    })
    .await;
    let (mut gateway, _) = start(server.config()).await;
    let mut device = Device::connect(&mut gateway, WELL).await;
    device.hello().await;
    device.listen(ListenMode::Auto).await;
    device.play_turn().await;
    device.listen(ListenMode::Auto).await;
    assert_eq!(see.recv().await.unwrap(), (json!("listen"), json!("start")), "no stop comes before it");
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_closes_in_good_order_is_heard_to_the_end() {
    let reply = packets(&answer(24_000)[..1440 * 12], SampleRate::Hz24000, 60);
    let spoken = reply.clone();
    let server = Server::start(move |mut peer: Peer| {
        let reply = reply.clone();
        async move {
            peer.hello().await;
            assert!(matches!(peer.next().await, Got::Json(_)));
            peer.tts("start").await;
            for packet in reply {
                peer.speak(&packet).await;
            }
            peer.tts("stop").await;
            peer.finish().await;
        }
    })
    .await;
    let (mut gateway, _) = start(server.config()).await;
    let mut device = Device::connect(&mut gateway, WELL).await;
    device.hello().await;
    device.listen(ListenMode::Realtime).await;
    let datagram = device.seal(&speech()[..960]).remove(0);
    device.send(&datagram).await;
    let (heard, _) = hear_packets(&mut device).await;
    same(&heard, &spoken);
    assert_eq!(device.hear().await.unwrap().body, GatewayBody::Goodbye);
    until("the call ends", || gateway.calls() == 0).await;
    assert_eq!(server.count(), 1, "nobody calls again");
    assert!(gateway.shut_down().await);
}
