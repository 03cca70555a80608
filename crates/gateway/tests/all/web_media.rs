//! Sealed datagrams over WebSocket and WebTransport: the rules of UDP hold there too.

use crate::common::web::{Road, ended, next, open, web_transport, with_web};
use crate::common::{Device, FRAME_TIME, PATIENCE, PAUSE, likeness, speech, until};
use futures_util::SinkExt;
use sidetone_gateway::{Config, Gateway};
use sidetone_packet::{Direction, HEADER_LEN, Header, Sealer};
use sidetone_protocol::message::{GatewayBody, ListenMode, Tts};
use std::time::Duration;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use wtransport::error::ConnectingError;

const FRAME: usize = 960;

async fn socket(gateway: &Gateway) -> Road {
    Road::WebSocket(Box::new(open(gateway, "/media", &[]).await.unwrap()))
}

fn pin(gateway: &Gateway) -> String {
    gateway.web_transport().unwrap().sha256.expect("the certificate was made here")
}

async fn transport(gateway: &Gateway) -> Road {
    Road::WebTransport(web_transport(gateway, &pin(gateway), "/media", None).await.unwrap())
}

/// A device in a realtime call that was not heard yet, and what it has to say.
async fn call(config: Config) -> (Gateway, Device, Vec<Vec<u8>>) {
    let mut gateway = Gateway::start(config).await.unwrap();
    let mut device = Device::connect(&mut gateway, "device").await;
    device.hello().await;
    device.listen(ListenMode::Realtime).await;
    assert_eq!(device.hear().await.unwrap().body, GatewayBody::Tts(Tts::Start));
    let datagrams = device.seal(&speech().repeat(2)[..FRAME * 120]);
    (gateway, device, datagrams)
}

/// Sends a datagram, and hears it come back the same way.
async fn echoes(device: &mut Device, road: &mut Road, datagram: &[u8]) -> Vec<i16> {
    road.send(datagram).await;
    let answer = road.receive(PATIENCE).await.expect("it comes back");
    sleep(FRAME_TIME).await;
    device.session.as_mut().unwrap().receive(&answer).unwrap().samples.to_vec()
}

/// Speaks frame by frame, and hears each come back.
async fn converse(mut device: Device, mut road: Road, datagrams: &[Vec<u8>]) {
    let mut heard = Vec::new();
    for datagram in &datagrams[..50] {
        heard.extend(echoes(&mut device, &mut road, datagram).await);
    }
    assert_eq!(heard.len(), 50 * 1440);
    let likeness = likeness(&speech()[..FRAME * 50], &heard);
    assert!(likeness > 0.9, "{likeness}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_over_binary_frames() {
    let (gateway, device, datagrams) = call(with_web()).await;
    converse(device, socket(&gateway).await, &datagrams).await;
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_over_webtransport() {
    let (gateway, device, datagrams) = call(with_web()).await;
    converse(device, transport(&gateway).await, &datagrams).await;
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_moves_from_udp_to_a_websocket_to_webtransport_and_back() {
    let (gateway, mut device, datagrams) = call(with_web()).await;
    let mut datagrams = datagrams.iter();
    let first = datagrams.next().unwrap();
    device.send(first).await;
    device.receive().await;
    let roads = [socket(&gateway).await, transport(&gateway).await];
    for (moves, mut road) in (1..).zip(roads) {
        let mut sent = 0;
        loop {
            road.send(datagrams.next().expect("it is found before all is said")).await;
            sent += 1;
            if road.receive(Duration::from_millis(120)).await.is_some() {
                break;
            }
        }
        assert!(sent >= 3, "not before three packets: {sent}");
        assert_eq!(gateway.counts()["rebound"], moves);
    }
    // What went there before the first move.
    while device.socket.try_recv(&mut [0; 2048]).is_ok() {}
    let mut found = false;
    for datagram in datagrams {
        device.send(datagram).await;
        let mut buffer = [0; 2048];
        let answer = tokio::time::timeout(Duration::from_millis(120), device.socket.recv(&mut buffer)).await;
        if answer.is_ok() {
            found = true;
            break;
        }
    }
    assert!(found, "UDP is answered again");
    assert_eq!(gateway.counts()["rebound"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_datagrams_are_counted_never_answered_and_cost_a_call_nothing() {
    for by_socket in [true, false] {
        let (gateway, mut device, datagrams) = call(with_web()).await;
        let mut home = if by_socket { socket(&gateway).await } else { transport(&gateway).await };
        let mut thief = if by_socket { socket(&gateway).await } else { transport(&gateway).await };
        echoes(&mut device, &mut home, &datagrams[0]).await;
        let id = device.media.as_ref().unwrap().connection_id().unwrap();
        let header = |id| Header { flags: 0, payload_len: 20, connection_id: id, timestamp: 0, sequence: 9 };
        let with = |header: Header, payload: usize| [&header.to_bytes()[..], &vec![0; payload]].concat();
        let mut wrong_key = vec![0; HEADER_LEN + 100];
        let mut sealer = Sealer::new(&[0x55; 16], id, Direction::Uplink);
        sealer.skip_ahead(5);
        sealer.seal(0, &[7; 100], &mut wrong_key).unwrap();
        // While the device speaks, nobody else is listened to.
        sleep(PAUSE).await;
        for (name, datagram) in [
            ("dropped.truncated", vec![1; 7]),
            ("dropped.oversized", vec![1; 1041]),
            ("dropped.unknown", with(header(id ^ 1), 20)),
            ("dropped.malformed", with(header(id), 19)),
            ("dropped.implausible", wrong_key),
            ("dropped.replayed", datagrams[0].clone()),
        ] {
            let before = gateway.counts()[name];
            thief.send(&datagram).await;
            until(&format!("{name} counts"), || gateway.counts()[name] == before + 1).await;
        }
        for _ in 0..1000 {
            thief.send(&with(header(id ^ 1), 20)).await;
        }
        for datagram in &datagrams[1..10] {
            echoes(&mut device, &mut home, datagram).await;
        }
        assert_eq!(thief.receive(Duration::from_millis(50)).await, None, "a stranger is not answered");
        assert_eq!((gateway.counts()["wrong_key"], gateway.counts()["rebound"]), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_datagram_ends_the_websocket() {
    let gateway = Gateway::start(with_web()).await.unwrap();
    let mut talker = open(&gateway, "/media", &[]).await.unwrap();
    talker.send(Message::text("hello")).await.unwrap();
    let Some(Message::Close(Some(close))) = next(&mut talker).await else { panic!("not closed") };
    assert_eq!(close.code, CloseCode::Unsupported);
    let mut huge = open(&gateway, "/media", &[]).await.unwrap();
    // It may be refused before all of it was sent.
    let _ = huge.send(Message::binary(vec![0; 1 << 20])).await;
    ended(&mut huge).await;
    until("both are counted", || gateway.counts()["connections_broken"] == 2).await;
    assert_eq!(gateway.counts()["datagrams"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn webtransport_checks_certificate_path_origin_and_places() {
    let mut config = with_web();
    config.web.source_connections = 1;
    let gateway = Gateway::start(config).await.unwrap();
    let pin = pin(&gateway);
    let wrong = "00".repeat(32);
    assert!(web_transport(&gateway, &wrong, "/media", None).await.is_err(), "another certificate is not trusted");
    let rejected = |result: Result<_, ConnectingError>| matches!(result, Err(ConnectingError::SessionRejected));
    until("its place is free", || gateway.counts()["connections_refused"] == 1).await;
    assert!(rejected(web_transport(&gateway, &pin, "/elsewhere", None).await.map(drop)));
    until("its place is free", || gateway.counts()["connections_refused"] == 2).await;
    assert!(rejected(web_transport(&gateway, &pin, "/media", Some("https://evil.example")).await.map(drop)));
    until("its place is free", || gateway.counts()["connections_refused"] == 3).await;
    let kept = web_transport(&gateway, &pin, "/media", Some("http://localhost:8080")).await.unwrap();
    assert!(web_transport(&gateway, &pin, "/media", None).await.is_err(), "one source has one place");
    drop(kept);
    assert_eq!(gateway.counts()["connections_refused"], 4);
}
