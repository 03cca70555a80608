//! Calls through a speech server, end to end: real UDP, a real WebSocket server, real instances, real speech.

mod common;

use common::speech_server::{Got, Peer, Server, config_for, packets};
use common::{Device, PATIENCE, Told, alike, payload, speech, until};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use sidetone_audio::{Pcm, resample};
use sidetone_gateway::bridge::SpeechServer;
use sidetone_gateway::{Config, Gateway};
use sidetone_opus::{Channels, Decoder, SampleRate};
use sidetone_protocol::message::{DeviceBody, GatewayBody, GatewayMessage, ListenMode, Tts};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

const FAST: Duration = Duration::from_millis(8);

/// A device whose call goes on while others suffer.
const WELL: &str = "GID_a@@@aa_bb_cc_dd_ee_01@@@11111111-2222-4333-8444-555555555555";

/// A device whose call suffers.
const VICTIM: &str = "GID_a@@@aa_bb_cc_dd_ee_ff@@@66666666-2222-4333-8444-555555555555";

type Counts = Box<dyn Fn() -> Vec<(&'static str, u64)> + Send + Sync>;

async fn start(config: Config) -> (Gateway, Counts) {
    let bridge = SpeechServer::new(&config.bridge).expect("a usual URL");
    let counts = Box::new(bridge.watch());
    (Gateway::start_with(config, Box::new(bridge)).await.expect("it starts"), counts)
}

fn count(counts: &Counts, name: &str) -> u64 {
    counts().iter().find(|(of, _)| *of == name).expect("a name that there is").1
}

/// The speech as a server has it.
fn answer(rate: u32) -> Vec<i16> {
    resample(&Pcm::new(16_000, 1, speech()).unwrap(), rate).unwrap().samples
}

fn decoded(rate: SampleRate, packets: &[Vec<u8>]) -> Vec<i16> {
    let mut decoder = Decoder::new(rate, Channels::Mono).unwrap();
    let mut pcm = vec![0; rate.hz() as usize];
    let decode = |packet: &Vec<u8>| {
        let len = decoder.decode(packet, &mut pcm).unwrap();
        pcm[..len].to_vec()
    };
    packets.iter().flat_map(decode).collect()
}

/// Hears a turn, hands it to the test, answers it with `reply`.
async fn serve_turns(mut peer: Peer, heard: mpsc::UnboundedSender<Vec<Vec<u8>>>, reply: Arc<Vec<Vec<u8>>>) {
    peer.hello().await;
    loop {
        let turn = peer.hear_turn().await;
        if turn.is_empty() {
            return;
        }
        let _ = heard.send(turn);
        peer.say(json!({ "type": "stt", "text": "well heard" })).await;
        peer.tts("start").await;
        peer.say(json!({ "type": "tts", "state": "sentence_start", "text": "It is so." })).await;
        for packet in &*reply {
            peer.speak(packet).await;
        }
        peer.tts("stop").await;
    }
}

async fn turn_server(reply: Vec<Vec<u8>>) -> (Server, mpsc::UnboundedReceiver<Vec<Vec<u8>>>) {
    let (heard, turns) = mpsc::unbounded_channel();
    let reply = Arc::new(reply);
    (Server::start(move |peer| serve_turns(peer, heard.clone(), reply.clone())).await, turns)
}

/// Everything that came is what went, byte for byte and in order, and next to nothing is missing: on a busy machine the
/// pool gives up a frame that comes too late.
fn same(came: &[Vec<u8>], went: &[Vec<u8>]) {
    let mut rest = went.iter();
    let intact = came.iter().all(|packet| rest.any(|other| other == packet));
    assert!(
        intact,
        "of {} packets that came, one is none of the {} that went, or not in order",
        came.len(),
        went.len()
    );
    assert!(came.len() * 10 >= went.len() * 9, "{} of {} packets came", came.len(), went.len());
}

/// Speaks a turn in manual mode, and stops once all of it went on to the server; the packets that went.
async fn speak_turn(device: &mut Device, pcm: &[i16], counts: &Counts) -> Vec<Vec<u8>> {
    device.listen(ListenMode::Manual).await;
    let datagrams = device.seal(pcm);
    let all = count(counts, "packets_up") + datagrams.len() as u64;
    for datagram in &datagrams {
        device.send(datagram).await;
        sleep(FAST).await;
    }
    let _ = timeout(Duration::from_secs(3), until("all goes on", || count(counts, "packets_up") == all)).await;
    device.stop_listening().await;
    datagrams.iter().map(|datagram| payload(device, datagram)).collect()
}

/// Hears until tts stop: the packets as they came, and what was said besides.
async fn hear_packets(device: &mut Device) -> (Vec<Vec<u8>>, Vec<GatewayBody>) {
    let (mut heard, mut said, mut datagram) = (Vec::new(), Vec::new(), [0; 2048]);
    loop {
        tokio::select! {
            told = timeout(PATIENCE, device.told.recv()) => match told.expect("a stop").expect("the link stands") {
                Told::Message(message) => {
                    let stop = message.body == GatewayBody::Tts(Tts::Stop);
                    said.push(message.body);
                    if stop {
                        // What came before it may still wait to be read.
                        let rest = Duration::from_millis(100);
                        while let Ok(len) = timeout(rest, device.socket.recv(&mut datagram)).await {
                            heard.push(payload(device, &datagram[..len.unwrap()]));
                        }
                        return (heard, said);
                    }
                }
                Told::Audio(payload) => heard.push(payload),
            },
            len = device.socket.recv(&mut datagram) => heard.push(payload(device, &datagram[..len.unwrap()])),
        }
    }
}

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
async fn a_server_that_drops_the_connection_is_found_again_and_told_what_the_microphone_does() {
    let (seen, mut see) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer: Peer| {
        let seen = seen.clone();
        async move {
            peer.hello().await;
            let listen = peer.next_json().await;
            seen.send((peer.number, listen["state"].clone(), listen["mode"].clone())).unwrap();
            if peer.number == 1 {
                // Begun, and never finished; no close, as a process that dies.
                peer.tts("start").await;
                return;
            }
            assert!(matches!(peer.next().await, Got::Packet { .. }), "audio follows");
            peer.say(json!({ "type": "stt", "text": "again" })).await;
            peer.listen().await;
        }
    })
    .await;
    let (mut gateway, counts) = start(server.config()).await;
    let mut device = Device::connect(&mut gateway, WELL).await;
    device.hello().await;
    device.listen(ListenMode::Realtime).await;
    let (_, said) = device.play_turn().await;
    assert_eq!(said, [Tts::Start, Tts::Stop].map(GatewayBody::Tts), "what was begun ends");
    for _ in 0..2 {
        let number = see.recv().await.unwrap();
        assert_eq!((number.1, number.2), (json!("start"), json!("realtime")), "connection {}", number.0);
    }
    device.speak(&speech()[..960 * 3], FAST).await;
    let next = device.hear().await.unwrap().body;
    assert_eq!(next, GatewayBody::Stt { text: "again".into() }, "no alert: it was back at once");
    assert_eq!((server.count(), count(&counts, "failures")), (2, 1));
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

/// The alert and the goodbye of a call whose back end is gone.
async fn ends_with_an_alert(device: &mut Device) {
    let mut alerts = 0;
    loop {
        match device.hear().await.expect("a goodbye").body {
            GatewayBody::Alert(_) => alerts += 1,
            GatewayBody::Goodbye => break,
            _ => {}
        }
    }
    assert!((1..=2).contains(&alerts), "{alerts} alerts: one when it was away for long, one at the end");
}

/// One call suffers from what `harm` does; another goes on as if nothing was.
async fn costs_only_its_own_session<F>(harm: impl Fn(Peer) -> F + Send + Sync + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let reply = packets(&answer(24_000)[..1440 * 10], SampleRate::Hz24000, 60);
    let (heard, mut turns) = mpsc::unbounded_channel();
    let (well, harm) = (Arc::new(reply.clone()), Arc::new(harm));
    let server = Server::start(move |peer: Peer| {
        let (heard, well, harm) = (heard.clone(), well.clone(), harm.clone());
        async move { if peer.is_victim() { harm(peer).await } else { serve_turns(peer, heard, well).await } }
    })
    .await;
    let (mut gateway, counts) = start(server.config()).await;
    let mut victim = Device::connect(&mut gateway, VICTIM).await;
    let mut device = Device::connect(&mut gateway, WELL).await;
    victim.hello().await;
    device.hello().await;
    victim.listen(ListenMode::Realtime).await;
    let suffering = tokio::spawn(async move { ends_with_an_alert(&mut victim).await });
    while !suffering.is_finished() {
        let sent = speak_turn(&mut device, &speech()[..960 * 10], &counts).await;
        let (heard, said) = hear_packets(&mut device).await;
        same(&turns.recv().await.unwrap(), &sent);
        same(&heard, &reply);
        assert!(!said.iter().any(|body| matches!(body, GatewayBody::Alert(_))), "{said:?}");
    }
    suffering.await.expect("it ends as it should");
    until("the other call is left", || gateway.calls() == 1).await;
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_says_hello_costs_only_its_own_session() {
    costs_only_its_own_session(|mut peer| async move { peer.listen().await }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drops_every_connection_costs_only_its_own_session() {
    costs_only_its_own_session(|mut peer| async move { drop(peer.hello().await) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_garbage_costs_only_its_own_session() {
    costs_only_its_own_session(|mut peer| async move {
        peer.hello().await;
        let mut n = 0_u32;
        loop {
            n += 1;
            let sent = match n % 3 {
                0 => peer.say(json!(["not", "an", "object", n])).await,
                1 => peer.send(vec![0xff; 300]).await,
                _ => peer.say(json!({ "no": "type" })).await,
            };
            if !sent {
                return;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_sends_a_message_beyond_all_bounds_costs_only_its_own_session() {
    costs_only_its_own_session(|mut peer| async move {
        peer.hello().await;
        peer.say(json!({ "type": "stt", "text": "a".repeat(4 << 20) })).await;
        peer.listen().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_us_ends_the_call_at_once() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let answers = tokio::spawn(async move {
        let mut connections = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            connections += 1;
            let answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer).await;
            assert_eq!(connections, 1, "asking again does not help");
        }
    });
    let (mut gateway, counts) = start(config_for(&url)).await;
    let mut device = Device::connect(&mut gateway, VICTIM).await;
    device.hello().await;
    ends_with_an_alert(&mut device).await;
    assert_eq!([count(&counts, "failures"), count(&counts, "connections")], [1, 0]);
    assert!(!answers.is_finished());
    assert!(gateway.shut_down().await);
}

/// A server behind TLS that answers one hello; its address, and its certificate.
async fn behind_tls(folder: &std::path::Path) -> (String, std::path::PathBuf) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, signed.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![signed.cert.der().clone()], key.into()).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("localhost:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            socket.next().await.unwrap().unwrap();
            for said in [json!({ "type": "hello", "session_id": "x" }), json!({ "type": "stt", "text": "in secret" })] {
                socket.send(Message::text(said.to_string())).await.unwrap();
            }
            while socket.next().await.is_some_and(|came| came.is_ok()) {}
        }
    });
    (format!("wss://localhost:{port}/"), ca)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_behind_tls_is_spoken_to_if_its_authority_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (url, ca) = behind_tls(folder.path()).await;
    let mut config = config_for(&url);
    config.bridge.ca = Some(ca);
    let (mut gateway, _) = start(config).await;
    let mut device = Device::connect(&mut gateway, WELL).await;
    device.hello().await;
    assert_eq!(device.hear().await.unwrap().body, GatewayBody::Stt { text: "in secret".into() });
    assert!(gateway.shut_down().await);

    // The authorities of the system, or another one: neither signed it.
    let other = folder.path().join("other.pem");
    std::fs::write(&other, rcgen::generate_simple_self_signed(["other".to_owned()]).unwrap().cert.pem()).unwrap();
    let mut config = config_for(&url);
    config.bridge.ca = Some(other);
    let (mut gateway, counts) = start(config).await;
    let mut device = Device::connect(&mut gateway, WELL).await;
    device.hello().await;
    ends_with_an_alert(&mut device).await;
    assert_eq!(count(&counts, "failures"), 1, "asking again does not help");
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_read_is_left_and_what_was_last_said_reaches_the_next() {
    let (seen, mut see) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer: Peer| {
        let seen = seen.clone();
        async move {
            peer.hello().await;
            if peer.number == 1 {
                // It is there, and looks elsewhere.
                sleep(Duration::from_secs(60)).await;
            }
            assert_eq!(peer.next_json().await["state"], "start");
            loop {
                match peer.next().await {
                    Got::Json(json) => seen.send(json["payload"]["id"].clone()).unwrap(),
                    Got::Packet { .. } => {}
                    Got::Closed => return,
                }
            }
        }
    })
    .await;
    let mut config = server.config();
    config.limits.messages_per_second = 10_000;
    let (mut gateway, counts) = start(config).await;
    let mut device = Device::connect(&mut gateway, WELL).await;
    device.hello().await;
    device.listen(ListenMode::Realtime).await;
    // More than the sockets of both ends hold, and less than the leg does.
    const MESSAGES: u64 = 150;
    let pad = "a".repeat(60_000);
    for id in 1..=MESSAGES {
        device.say(DeviceBody::Mcp { payload: json!({ "id": id, "pad": pad }) }).await;
        sleep(Duration::from_millis(1)).await;
    }
    until("the gateway connects anew", || server.count() == 2).await;
    let mut seen_next = async || timeout(PATIENCE, see.recv()).await.unwrap().unwrap().as_u64().unwrap();
    let first = seen_next().await;
    assert!(first > 1, "what the first connection took is gone with it");
    let mut last = first;
    while last < MESSAGES {
        let next = seen_next().await;
        assert_eq!(next, last + 1, "nothing that waited is lost, or said twice");
        last = next;
    }
    assert!(count(&counts, "failures") >= 1);
    assert_eq!(gateway.calls(), 1);
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_ends_the_call_with_an_alert() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (mut gateway, counts) = start(config_for(&format!("ws://{address}/"))).await;
    let mut device = Device::connect(&mut gateway, VICTIM).await;
    device.hello().await;
    ends_with_an_alert(&mut device).await;
    until("the call ends", || gateway.calls() == 0).await;
    assert!(count(&counts, "failures") >= 3 && count(&counts, "connections") == 0);
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_speech_waits_and_an_interruption_makes_room() {
    const PACKETS: usize = 12_000;
    let (through, mut is_through) = mpsc::unbounded_channel();
    let packet = packets(&answer(24_000)[1440 * 5..1440 * 6], SampleRate::Hz24000, 60).remove(0);
    let server = Server::start(move |mut peer: Peer| {
        let (through, packet) = (through.clone(), packet.clone());
        async move {
            peer.hello().await;
            peer.tts("start").await;
            for _ in 0..PACKETS {
                peer.speak(&packet).await;
            }
            peer.tts("stop").await;
            through.send(()).unwrap();
            peer.say(json!({ "type": "stt", "text": "after the flood" })).await;
            peer.listen().await;
        }
    })
    .await;
    let (mut gateway, counts) = start(server.config()).await;
    let mut device = Device::connect(&mut gateway, WELL).await;
    device.hello().await;
    let datagram = device.seal(&speech()[..960]).remove(0);
    device.send(&datagram).await;
    assert_eq!(device.hear().await.unwrap().body, GatewayBody::Tts(Tts::Start));
    sleep(Duration::from_millis(1_500)).await;
    let read = count(&counts, "packets_down");
    assert!((1_000..2_200).contains(&read), "{read} packets read ahead: two minutes or 512 KiB, and no more");
    device.say(DeviceBody::Abort { reason: None }).await;
    assert_eq!(device.hear().await.unwrap().body, GatewayBody::Tts(Tts::Stop));
    assert_eq!(device.hear().await.unwrap().body, GatewayBody::Stt { text: "after the flood".into() });
    assert_eq!(is_through.try_recv(), Ok(()));
    assert_eq!(count(&counts, "packets_down"), PACKETS as u64);
    assert!(count(&counts, "stray") > 9_000, "what was interrupted is dropped");
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_or_token_that_does_not_go_is_named() {
    let refused = |change: &dyn Fn(&mut Config)| {
        let mut config = config_for("ws://127.0.0.1:1/");
        change(&mut config);
        SpeechServer::new(&config.bridge).unwrap_err().to_string()
    };
    assert!(refused(&|config| config.bridge.url = None).starts_with("bridge.url: the speech server is not named"));
    let https = |config: &mut Config| config.bridge.url = Some("https://server/".into());
    assert!(refused(&https).starts_with("bridge.url: https:// is no WebSocket"));
    let user = |config: &mut Config| config.bridge.url = Some("ws://me:secret@server/".into());
    let why = refused(&user);
    assert!(why.contains("bridge.token") && !why.contains("secret"), "{why}");
    let ca = |config: &mut Config| {
        config.bridge.url = Some("wss://server/".into());
        config.bridge.ca = Some("no-such-file.pem".into());
    };
    assert!(refused(&ca).starts_with("bridge.ca = \"no-such-file.pem\""));
    let token = |config: &mut Config| {
        config.bridge.token = Some(sidetone_gateway::config::Secret::new("s3cret\n".into()));
    };
    let why = refused(&token);
    assert!(why.starts_with("bridge.token") && !why.contains("s3cret"), "{why}");
}
