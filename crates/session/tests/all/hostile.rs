//! Datagrams from anybody: refused with a value, and nothing moves that should not.

use crate::common::{CONNECTION, DTX, KEY, cases, device, gateway, send, uplink, voice};
use proptest::prelude::*;
use sidetone_opus::{Channels, SampleRate};
use sidetone_packet::{Header, PACKET_TYPE};
use sidetone_session::{Config, Kind, ReceiveError, Session};

#[test]
fn a_wrong_key_is_told_by_implausible_packets_and_moves_little() {
    let mut other = KEY;
    other[0] ^= 1;
    let mut gateway = Session::new(&other, &Config::gateway(CONNECTION)).unwrap();
    let datagrams = send(&mut device(), &voice(SampleRate::Hz16000, Channels::Mono, 30.0), 0);
    let (mut implausible, mut longest) = (0u64, 0);
    for datagram in &datagrams {
        let before = gateway.state();
        match gateway.receive(datagram) {
            Err(error) => {
                assert!(error.is_implausible(), "{error}");
                assert_eq!(gateway.state(), before, "an implausible packet moves nothing");
                implausible += 1;
            }
            Ok(received) => assert_eq!(received.kind, Kind::Audio),
        }
        longest = longest.max(gateway.stats().implausible_in_a_row);
    }
    assert_eq!(implausible, gateway.stats().packets.rejected);
    assert!(implausible * 100 > datagrams.len() as u64 * 95, "{implausible} of {}", datagrams.len());
    assert!(longest > 20, "{longest} in a row");
}

#[test]
fn implausible_packets_are_counted_in_a_row_until_one_is_believed() {
    let mut gateway = gateway();
    // Another duration; stereo; no Opus.
    for (sequence, payload) in (1..).zip([&[0x08, 0][..], &[0x5C, 0], &[0x59, 0, 0, 0]]) {
        let error = gateway.receive(&uplink(sequence, payload)).unwrap_err();
        assert!(error.is_implausible(), "{error}");
        assert_eq!(gateway.stats().implausible_in_a_row, sequence);
    }
    assert!(matches!(gateway.receive(&uplink(900, DTX)), Err(ReceiveError::Accept(_))));
    assert_eq!(gateway.stats().implausible_in_a_row, 3, "one that is held is not believed yet");
    gateway.receive(&uplink(1, DTX)).unwrap();
    assert_eq!(gateway.stats().implausible_in_a_row, 0);
}

#[test]
fn messages_say_what_came_and_what_was_negotiated() {
    let mut gateway = gateway();
    let message = |gateway: &mut crate::common::Call, payload: &[u8]| {
        gateway.receive(&uplink(1, payload)).unwrap_err().to_string()
    };
    assert_eq!(
        message(&mut gateway, &[0x5C]),
        "implausible payload: 60000 µs on 2 channel(s), negotiated were 60000 µs on 1"
    );
    assert_eq!(
        message(&mut gateway, &[0x48]),
        "implausible payload: 20000 µs on 1 channel(s), negotiated were 60000 µs on 1"
    );
    assert_eq!(message(&mut gateway, &[0x59, 1]), "implausible payload: two equal frames in 1 bytes");
}

#[test]
fn datagrams_of_every_length_are_refused_or_judged() {
    let mut gateway = gateway();
    for len in (0..1_100).chain([1_500, 9_000, 65_535]) {
        // As foreign as can be; then with this session's header, but an honest length field only where it fits.
        for ours in [false, true] {
            let mut datagram = vec![0xA5; len];
            if ours && len >= 16 {
                let payload_len = (len - 16) as u16;
                let header = Header { payload_len, connection_id: CONNECTION, sequence: 1, ..Header::default() };
                datagram[..16].copy_from_slice(&header.to_bytes());
                assert_eq!(datagram[0], PACKET_TYPE);
            }
            let before = gateway.state();
            match gateway.receive(&datagram) {
                Ok(_) => assert!((17..=1_040).contains(&len)),
                Err(error) => {
                    assert_eq!(gateway.state(), before, "{error}");
                    let well_formed = ours && (17..=1_040).contains(&len);
                    assert!(well_formed || matches!(error, ReceiveError::Open(_)), "{len}: {error}");
                }
            }
        }
    }
    assert_eq!(gateway.stats().packets.truncated, 32);
}

#[derive(Debug, Clone)]
enum Datagram {
    Bytes(Vec<u8>),
    Payload(u32, Vec<u8>),
    Genuine(usize),
    Damaged(usize, prop::sample::Index, u8),
}

fn datagram() -> impl Strategy<Value = Datagram> {
    let sequence = prop_oneof![0u32..40, 0u32..2_000, (u32::MAX - 5)..=u32::MAX, any::<u32>()];
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..=1024),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(|mut tail| {
            tail.insert(0, 0x58);
            tail
        }),
        Just(b"ping:x".to_vec()),
    ];
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..1_100).prop_map(Datagram::Bytes),
        4 => (sequence, payload).prop_map(|(sequence, payload)| Datagram::Payload(sequence, payload)),
        2 => (0usize..30).prop_map(Datagram::Genuine),
        2 => (0usize..30, any::<prop::sample::Index>(), 1u8..).prop_map(|(n, at, bits)| Datagram::Damaged(n, at, bits)),
    ]
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn any_datagrams_in_any_order_leave_every_count_right(
        datagrams in prop::collection::vec(datagram(), 1..60),
        position in prop_oneof![Just(0u64), any::<u64>()],
    ) {
        let genuine = send(&mut device(), &voice(SampleRate::Hz16000, Channels::Mono, 1.8), 0);
        let mut config = Config::gateway(CONNECTION);
        config.resume.position = position;
        let mut gateway = Session::new(&KEY, &config).unwrap();
        let mut place = position;
        for datagram in &datagrams {
            let bytes = match datagram {
                Datagram::Bytes(bytes) => bytes.clone(),
                Datagram::Payload(sequence, payload) => uplink(*sequence, payload),
                Datagram::Genuine(index) => genuine[*index].clone(),
                Datagram::Damaged(index, at, bits) => {
                    let mut bytes = genuine[*index].clone();
                    *at.get_mut(&mut bytes) ^= bits;
                    bytes
                }
            };
            let before = gateway.state();
            match gateway.receive(&bytes) {
                Ok(received) => {
                    prop_assert_eq!(received.lost, received.skipped + received.concealed + received.recovered);
                    prop_assert!(received.recovered <= 1 && received.concealed + received.recovered <= 5);
                    prop_assert!(received.position >= place);
                    let own = matches!(received.kind, Kind::Audio | Kind::Undecodable);
                    let frames = received.concealed + received.recovered + u32::from(own);
                    prop_assert_eq!(received.samples.len(), 960 * frames as usize);
                    place = received.position.saturating_add(960 * u64::from(frames));
                }
                Err(_) => prop_assert_eq!(gateway.state(), before),
            }
            prop_assert_eq!(gateway.state().position, place);
        }
        let stats = gateway.stats();
        prop_assert_eq!(stats.lost, stats.skipped + stats.concealed + stats.recovered);
        prop_assert_eq!(stats.lost, stats.packets.skipped);
        let late = stats.packets.accepted - stats.received;
        prop_assert!(late <= stats.text + stats.packets.late);
        prop_assert_eq!(stats.packets.opened, stats.packets.accepted + stats.packets.rejected + stats.packets.held);
    }
}

#[test]
fn no_debug_output_shows_the_key() {
    let mut gateway = gateway();
    let forms = |bytes: &[u8]| {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        [hex.clone(), hex.to_uppercase(), format!("{bytes:?}"), format!("{bytes:x?}"), format!("{bytes:02x?}")]
            .map(|form| form.trim_matches(['[', ']']).to_string())
    };
    gateway.receive(&uplink(1, DTX)).unwrap();
    let error = gateway.receive(&uplink(1, DTX)).unwrap_err();
    for shown in [
        format!("{gateway:?}"),
        format!("{gateway:#?}"),
        format!("{error:?} {error}"),
        format!("{:?}", gateway.stats()),
    ] {
        for window in [&KEY[..4], &KEY[6..10], &KEY[12..]] {
            for form in forms(window) {
                assert!(!shown.contains(&form), "{shown}");
            }
        }
    }
}
