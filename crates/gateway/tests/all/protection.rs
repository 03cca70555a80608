//! What strangers can do to a call: every rule against a hostile socket, with its counter.

use crate::common::{Device, FRAME_TIME, PATIENCE, PAUSE, config, speech, until};
use sidetone_gateway::Gateway;
use sidetone_packet::{Direction, HEADER_LEN, Header, Sealer};
use sidetone_protocol::message::{DeviceBody, GatewayBody, ListenMode, Tts};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep, timeout};

const FRAME: usize = 960;

/// A gateway, and a device in a realtime call with it that was heard.
pub(crate) async fn call(name: &str) -> (Gateway, Device, Vec<Vec<u8>>) {
    let mut gateway = Gateway::start(config()).await.unwrap();
    let (device, datagrams) = join(&mut gateway, name).await;
    (gateway, device, datagrams)
}

/// A device in a realtime call that was heard, and datagrams that it has yet to send.
async fn join(gateway: &mut Gateway, name: &str) -> (Device, Vec<Vec<u8>>) {
    let mut device = Device::connect(gateway, name).await;
    device.hello().await;
    device.listen(ListenMode::Realtime).await;
    assert_eq!(device.hear().await.unwrap().body, GatewayBody::Tts(Tts::Start));
    let mut datagrams = device.seal(&speech()[..FRAME * 60]);
    for datagram in datagrams.drain(..3) {
        echoes(&mut device, &datagram).await;
    }
    (device, datagrams)
}

/// Sends a datagram, and hears it come back.
pub(crate) async fn echoes(device: &mut Device, datagram: &[u8]) {
    device.send(datagram).await;
    device.receive().await;
    sleep(FRAME_TIME).await;
}

async fn stranger() -> UdpSocket {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap()
}

pub(crate) async fn counted(gateway: &Gateway, name: &str, value: u64) {
    until(&format!("{name} = {value}: {:?}", gateway.counts()), || gateway.counts()[name] == value).await;
}

/// Nothing was ever sent to this socket.
async fn never_answered(socket: &UdpSocket) {
    let mut buffer = [0; 2048];
    let answer = timeout(Duration::from_millis(50), socket.recv(&mut buffer)).await;
    assert!(answer.is_err(), "a stranger was answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_dropped_wherever_it_comes_from() {
    let (gateway, mut device, datagrams) = call("replay").await;
    let thief = stranger().await;
    echoes(&mut device, &datagrams[0]).await;
    device.send(&datagrams[0]).await;
    counted(&gateway, "dropped.replayed", 1).await;
    sleep(PAUSE).await;
    thief.send_to(&datagrams[0], device.gateway).await.unwrap();
    counted(&gateway, "dropped.replayed", 2).await;
    echoes(&mut device, &datagrams[1]).await;
    never_answered(&thief).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_far_jump_is_not_believed_alone() {
    let (gateway, mut device, datagrams) = call("jump").await;
    let udp = device.media.as_ref().unwrap().udp.clone().unwrap();
    let mut sealer = Sealer::new(udp.key.expose(), udp.nonce.connection_id(), Direction::Uplink);
    sealer.skip_ahead(100_000);
    let payload = &opus_payload(&mut device);
    let mut far = vec![0; HEADER_LEN + payload.len()];
    sealer.seal(0, payload, &mut far).unwrap();
    device.send(&far).await;
    counted(&gateway, "dropped.far_ahead", 1).await;
    echoes(&mut device, &datagrams[0]).await;
}

/// A plausible payload: what the device coded last, opened.
pub(crate) fn opus_payload(device: &mut Device) -> Vec<u8> {
    let udp = device.media.as_ref().unwrap().udp.clone().unwrap();
    let datagram = device.seal(&speech()[..FRAME]).remove(0);
    let schedule = sidetone_packet::KeySchedule::new(udp.key.expose());
    let mut payload = vec![0; datagram.len() - HEADER_LEN];
    sidetone_packet::open_with(&schedule, &datagram, &mut payload).unwrap();
    payload
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_ends_in_goodbye_and_only_its_own_call() {
    let (mut gateway, mut good, datagrams) = call("good").await;
    let mut wrong = Device::connect(&mut gateway, "wrong").await;
    wrong.hello().await;
    let id = wrong.media.as_ref().unwrap().connection_id().unwrap();
    let mut sealer = Sealer::new(&[0x55; 16], id, Direction::Uplink);
    let payload = opus_payload(&mut wrong);
    let mut datagram = vec![0; HEADER_LEN + payload.len()];
    // One in eighty passes for Opus by chance, and starts the count anew.
    for n in 0..60 {
        sealer.seal(n, &payload, &mut datagram).unwrap();
        wrong.send(&datagram).await;
        sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(wrong.hear().await.unwrap().body, GatewayBody::Goodbye);
    counted(&gateway, "wrong_key", 1).await;
    assert!(gateway.counts()["dropped.implausible"] >= 16);
    echoes(&mut good, &datagrams[0]).await;
    assert_eq!(gateway.calls(), 1);
}

/// What a stranger sends who knows the connection id and not the key. A packet in eighty would pass for Opus all the
/// same; which ones, the test knows, and leaves out: no rule holds those off where the device is silent.
fn guesses(device: &Device, count: usize) -> Vec<Vec<u8>> {
    let udp = device.media.as_ref().unwrap().udp.clone().unwrap();
    let schedule = sidetone_packet::KeySchedule::new(udp.key.expose());
    let mut sealer = Sealer::new(&[0x55; 16], udp.nonce.connection_id(), Direction::Uplink);
    let guess = |n| {
        let (mut datagram, mut opened) = (vec![0; HEADER_LEN + 100], [0; 100]);
        sealer.seal(n, &[n as u8; 100], &mut datagram).unwrap();
        sidetone_packet::open_with(&schedule, &datagram, &mut opened).unwrap();
        sidetone_opus::packet::Packet::parse(&opened).is_err().then_some(datagram)
    };
    (0..).filter_map(guess).take(count).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_cannot_end_a_call_nor_draw_its_audio_to_itself() {
    let (gateway, mut device, datagrams) = call("spoofed").await;
    let thief = stranger().await;
    // As many as would end the call, were they the device's; then the same after a pause.
    for (caught, pause) in [(0, Duration::ZERO), (6, PAUSE)] {
        sleep(pause).await;
        let before = gateway.counts()["datagrams"];
        for guess in guesses(&device, 100) {
            thief.send_to(&guess, device.gateway).await.unwrap();
        }
        // A packet of the device itself, caught and sent on from elsewhere before it arrived, is one packet, not a move.
        thief.send_to(&datagrams[caught], device.gateway).await.unwrap();
        until("the flood is through", || gateway.counts()["datagrams"] == before + 101).await;
        for datagram in &datagrams[caught + 1..caught + 6] {
            echoes(&mut device, datagram).await;
        }
    }
    never_answered(&thief).await;
    let counts = gateway.counts();
    assert_eq!((counts["wrong_key"], counts["rebound"]), (0, 0));
    assert!(counts["dropped.rate"] > 0, "a stranger's packets take a stranger's share: {counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_device_speaks_nobody_else_is_listened_to() {
    let (gateway, mut device, datagrams) = call("heard").await;
    let thief = stranger().await;
    for pair in datagrams.chunks_exact(2) {
        let strange = gateway.counts()["dropped.stranger"];
        let all = gateway.counts()["datagrams"] + 2;
        let begun = Instant::now();
        echoes(&mut device, &pair[0]).await;
        // Better than any guess: the very packet that the device sends next. Were it taken, the device's own were a replay.
        thief.send_to(&pair[1], device.gateway).await.unwrap();
        until("it has come", || gateway.counts()["datagrams"] == all).await;
        if begun.elapsed() < Duration::from_millis(500) {
            assert_eq!(gateway.counts()["dropped.stranger"], strange + 1);
            return echoes(&mut device, &pair[1]).await;
        }
        // This machine stood still, as if the device were silent.
    }
    panic!("a machine that stands still for half a second, {} times", datagrams.len() / 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_address_changed_is_found_again_after_two_seconds() {
    let (gateway, mut device, datagrams) = call("moved").await;
    device.socket = stranger().await;
    let mut found = None;
    let mut buffer = [0; 2048];
    for (n, datagram) in datagrams.iter().enumerate() {
        device.send(datagram).await;
        if timeout(FRAME_TIME, device.socket.recv(&mut buffer)).await.is_ok() {
            found = Some(n);
            break;
        }
    }
    let found = found.expect("the new address is answered");
    assert!(found >= 3, "not before three packets: {found}");
    assert_eq!(gateway.counts()["rebound"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_packet_is_counted_by_what_is_wrong_with_it() {
    let (gateway, mut device, datagrams) = call("garbage").await;
    let id = device.media.as_ref().unwrap().connection_id().unwrap();
    let header = |payload_len, flags| Header { flags, payload_len, connection_id: id, timestamp: 0, sequence: 9 };
    let with = |header: Header, payload: usize| [&header.to_bytes()[..], &vec![0; payload]].concat();
    let mut foreign_type = with(header(20, 0), 20);
    foreign_type[0] = 2;
    for (name, datagram) in [
        ("dropped.truncated", vec![]),
        ("dropped.truncated", vec![1; 7]),
        ("dropped.oversized", vec![1; 1041]),
        ("dropped.oversized", vec![1; 65_507]),
        ("dropped.malformed", with(header(20, 0), 19)),
        ("dropped.malformed", with(header(0, 0), 0)),
        ("dropped.malformed", foreign_type),
        ("dropped.malformed", with(header(20, 1), 20)),
    ] {
        let before = gateway.counts()[name];
        device.send(&datagram).await;
        counted(&gateway, name, before + 1).await;
    }
    echoes(&mut device, &datagrams[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_floods_its_own_call_is_held_to_its_rate() {
    let (gateway, mut device, datagrams) = call("flood").await;
    let before = gateway.counts()["datagrams"];
    for _ in 0..400 {
        device.send(&datagrams[0]).await;
    }
    until("all have come", || gateway.counts()["datagrams"] == before + 400).await;
    let counts = gateway.counts();
    assert!(counts["dropped.rate"] >= 240, "a burst of 120, and what comes back meanwhile: {counts:?}");
    let refilled = Duration::from_secs(1);
    sleep(refilled).await;
    // The flood was one packet, many times: its echo comes first.
    device.receive().await;
    echoes(&mut device, &datagrams[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keystream_that_firmware_uses_twice_is_counted() {
    let (gateway, mut device, _) = call("overlap").await;
    let udp = device.media.as_ref().unwrap().udp.clone().unwrap();
    let payload = opus_payload(&mut device);
    let schedule = sidetone_packet::KeySchedule::new(udp.key.expose());
    let taken = gateway.counts()["uplink_packets"];
    for sequence in 200..203 {
        // As firmware does it: the clock stands still.
        let (flags, payload_len) = (0, payload.len() as u16);
        let header = Header { flags, payload_len, connection_id: udp.nonce.connection_id(), timestamp: 0, sequence };
        let mut datagram = vec![0; HEADER_LEN + payload.len()];
        sidetone_packet::seal_with(&schedule, &header, &payload, &mut datagram).unwrap();
        device.send(&datagram).await;
    }
    counted(&gateway, "uplink_packets", taken + 3).await;
    device.say(DeviceBody::Goodbye).await;
    until("the call ends", || gateway.calls() == 0).await;
    assert_eq!(gateway.counts()["keystream_overlap"], 2, "each but the first");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_is_swallowed_and_counted() {
    let (gateway, mut device, _) = call("text").await;
    let udp = device.media.as_ref().unwrap().udp.clone().unwrap();
    let mut sealer = Sealer::new(udp.key.expose(), udp.nonce.connection_id(), Direction::Uplink);
    sealer.skip_ahead(70);
    let words = ["ping:1", "keepalive:2", "pong", "hello", "goodbye"];
    for text in words {
        let mut datagram = vec![0; HEADER_LEN + text.len()];
        sealer.seal(0, text.as_bytes(), &mut datagram).unwrap();
        device.send(&datagram).await;
    }
    counted(&gateway, "dropped.text", words.len() as u64).await;
    assert!(device.receive_within(Duration::from_millis(300)).await.is_none(), "text is not played");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_ids_at_fifty_thousand_a_second_cost_a_call_nothing() {
    let (gateway, mut device, datagrams) = call("flooded").await;
    let (gateway, target) = (Arc::new(gateway), device.gateway);
    let flooded = gateway.clone();
    let flood = tokio::task::spawn_blocking(move || flood(&flooded, target, Duration::from_secs(2), 50_000));
    sleep(Duration::from_millis(100)).await;
    for datagram in &datagrams[..25] {
        // None may be lost: the wait for its echo would be in vain.
        echoes(&mut device, datagram).await;
    }
    let sent = flood.await.unwrap();
    println!("a flood of {sent} datagrams in two seconds");
    let counts = gateway.counts();
    assert!(counts["dropped.unknown"] > 0 && counts["unknown_flood"] > 0, "{counts:?}");
}

/// Sends datagrams of random connection ids; returns how many. A machine that does not get that many read is sent fewer:
/// what the system itself drops, when its buffer is full, says nothing of the gateway.
fn flood(gateway: &Gateway, target: SocketAddr, lasting: Duration, per_second: u64) -> u64 {
    const UNREAD: u64 = 250;
    let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (start, mut sent) = (Instant::now(), 0u64);
    let before = gateway.counts()["datagrams"];
    while start.elapsed() < lasting.min(PATIENCE) {
        let due = (start.elapsed().as_secs_f64() * per_second as f64) as u64;
        let read = gateway.counts()["datagrams"] - before;
        while sent < due.min(read + UNREAD) {
            let id = (sent as u32).wrapping_mul(0x9e37_79b9);
            let header = Header { flags: 0, payload_len: 100, connection_id: id, timestamp: 0, sequence: 1 };
            let datagram = [&header.to_bytes()[..], &[7; 100]].concat();
            // A full buffer of ours is no failure of theirs.
            sent += u64::from(socket.send_to(&datagram, target).is_ok());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut [0; 1]).is_err(), "a stranger was answered");
    sent
}
