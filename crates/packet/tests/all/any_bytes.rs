//! Whatever comes from the network is answered with a value.

use crate::common::{CONNECTION, KEY, uplink_opener};
use proptest::prelude::*;
use sidetone_packet::{Direction, Header, KeySchedule, MAX_PAYLOAD, Opener, OpenerConfig, Sealer, open_with};

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Uplink), Just(Direction::Downlink)]
}

proptest! {
    #[test]
    fn sealed_packets_open_to_what_was_sealed(
        key: [u8; 16],
        connection_id: u32,
        direction in direction(),
        payloads in prop::collection::vec((any::<u16>(), prop::collection::vec(any::<u8>(), 1..=MAX_PAYLOAD)), 1..8),
    ) {
        let mut sealer = Sealer::new(&key, connection_id, direction);
        let mut opener = Opener::new(&key, connection_id, direction, OpenerConfig::default());
        for (timestamp, payload) in payloads {
            let mut packet = vec![0; 16 + MAX_PAYLOAD];
            let sent = sealer.seal(u32::from(timestamp), &payload, &mut packet).unwrap();
            let mut plaintext = vec![0; MAX_PAYLOAD];
            let candidate = opener.open(&packet[..sent.packet_len()], &mut plaintext).unwrap();
            prop_assert_eq!(candidate.header(), &sent);
            prop_assert_eq!(&plaintext[..candidate.payload_len()], &payload[..]);
            let accepted = opener.accept(candidate).unwrap();
            prop_assert_eq!((accepted.gap, accepted.late, accepted.resynchronised), (0, false, false));
        }
    }

    #[test]
    fn any_datagram_is_answered(datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..1200), 0..8)) {
        let mut opener = uplink_opener();
        let schedule = KeySchedule::new(&KEY);
        for datagram in &datagrams {
            let mut out = [0; MAX_PAYLOAD];
            // The connection id alone makes a hit as likely as 2^-32.
            prop_assert!(opener.open(datagram, &mut out).is_err());
            let _ = open_with(&schedule, datagram, &mut out);
        }
    }

    #[test]
    fn any_well_formed_packet_is_answered_whatever_the_caller_decides(
        packets in prop::collection::vec((any::<u8>(), any::<u32>(), any::<u32>(), 1..=MAX_PAYLOAD, 0..3_u8), 1..60),
        near in any::<bool>(),
        unmarked in any::<bool>(),
        direction in direction(),
    ) {
        let config = OpenerConfig { accept_unmarked_downlink: unmarked, ..OpenerConfig::default() };
        let mut opener = Opener::new(&KEY, CONNECTION, direction, config);
        for (flags, timestamp, sequence, len, decision) in packets {
            let sequence = if near { sequence % 1200 } else { sequence };
            let header = Header { flags, payload_len: len as u16, connection_id: CONNECTION, timestamp, sequence };
            let datagram = [&header.to_bytes()[..], &vec![0; len]].concat();
            let Ok(candidate) = opener.open(&datagram, &mut [0; MAX_PAYLOAD]) else { continue };
            match decision {
                0 => drop(opener.accept(candidate)),
                1 => opener.reject(candidate).unwrap(),
                _ => drop(candidate),
            }
        }
        let c = opener.counters();
        prop_assert!(c.accepted + c.rejected + c.held + c.overtaken <= c.opened);
    }

    #[test]
    fn headers_survive_writing_and_parsing(
        flags: u8, payload_len: u16, connection_id: u32, timestamp: u32, sequence: u32,
    ) {
        let header = Header { flags, payload_len, connection_id, timestamp, sequence };
        prop_assert_eq!(Header::parse(&header.to_bytes()), Ok(header));
    }
}
