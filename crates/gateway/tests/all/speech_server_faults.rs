//! Speech servers that are slow, dead, lying or not to be trusted: each costs its own calls, and nothing else.

use crate::common::speech_server::{Got, Peer, Server, config_for, packets};
use crate::common::turns::{FAST, VICTIM, WELL, answer, count, hear_packets, same, serve_turns, speak_turn, start};
use crate::common::{Device, PATIENCE, speech, until};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use sidetone_gateway::Config;
use sidetone_gateway::bridge::SpeechServer;
use sidetone_opus::SampleRate;
use sidetone_protocol::message::{DeviceBody, GatewayBody, ListenMode, Tts};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

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
