//! What is taken for a packet of a call's device, and what is sent to it: by sockets that do what no device should.

use crate::common::{Device, FRAME_TIME};
use crate::protection::{call, counted, echoes, opus_payload};
use sidetone_packet::{HEADER_LEN, Header, KeySchedule, seal_with};
use tokio::time::sleep;

/// Any payload under the call's key, with any sequence number.
fn sealed(device: &Device, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let udp = device.media.as_ref().and_then(|media| media.udp.as_ref()).expect("after hello");
    let (connection_id, payload_len) = (udp.nonce.connection_id(), payload.len() as u16);
    let header = Header { flags: 0, payload_len, connection_id, timestamp: 0, sequence };
    let mut datagram = vec![0; HEADER_LEN + payload.len()];
    seal_with(&KeySchedule::new(udp.key.expose()), &header, payload, &mut datagram).unwrap();
    datagram
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_speech_that_was_agreed_on_moves_nothing_and_is_not_played() {
    let (gateway, mut device, datagrams) = call("shape").await;
    let opus = opus_payload(&mut device);
    let toc = |byte: u8| [&[byte], &opus[1..]].concat();
    let strange = [
        ("20 ms", toc(0x48)),
        ("40 ms", toc(0x50)),
        ("stereo", toc(opus[0] | 4)),
        ("two frames of 60 ms", vec![0x59; 41]),
        ("PCM, which nobody agreed on", 0i16.to_le_bytes().repeat(480)),
        ("no frames", vec![0x5b, 0]),
    ];
    // So far ahead, that what the device sends next were too old, had any of them moved the window.
    for ((what, payload), sequence) in strange.into_iter().zip(400..) {
        let before = gateway.counts()["dropped.implausible"];
        device.send(&sealed(&device, sequence, &payload)).await;
        counted(&gateway, "dropped.implausible", before + 1).await;
        assert_eq!(gateway.calls(), 1, "{what}");
    }
    echoes(&mut device, &datagrams[0]).await;
    assert_eq!(gateway.counts()["wrong_key"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_far_jump_is_believed_after_three_packets_in_a_row_and_what_was_before_is_old() {
    let (gateway, mut device, datagrams) = call("jumps").await;
    let opus = opus_payload(&mut device);
    for sequence in 100_000..100_002 {
        device.send(&sealed(&device, sequence, &opus)).await;
        sleep(FRAME_TIME).await;
    }
    counted(&gateway, "dropped.far_ahead", 2).await;
    let third = sealed(&device, 100_002, &opus);
    echoes(&mut device, &third).await;
    device.send(&datagrams[0]).await;
    counted(&gateway, "dropped.replayed", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packet_that_was_overtaken_is_counted_as_late() {
    let (gateway, mut device, datagrams) = call("late").await;
    device.send(&datagrams[1]).await;
    device.receive().await;
    device.send(&datagrams[0]).await;
    counted(&gateway, "dropped.late", 1).await;
    assert_eq!(gateway.counts()["uplink_lost"], 1, "what it brought was made up for already");
}

/// The key is one for both directions: a direction bit and a clock that never stands still keep every block apart.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_uses_no_nonce_twice() {
    let (_gateway, device, datagrams) = call("nonces").await;
    let (mut sequence, mut timestamp, mut buffer) = (3, None, [0; 2048]);
    for datagram in &datagrams[..20] {
        device.send(datagram).await;
        let len = device.socket.recv(&mut buffer).await.unwrap();
        let (header, _) = Header::split(&buffer[..len]).unwrap();
        sequence += 1;
        assert_eq!((header.sequence, header.is_downlink()), (sequence, true));
        assert!(timestamp.is_none_or(|last| header.timestamp > last), "{timestamp:?}, then {}", header.timestamp);
        timestamp = Some(header.timestamp);
        sleep(FRAME_TIME).await;
    }
}
