//! One key serves both directions; the direction bit keeps a packet from being played back to its sender.

use crate::common::{CONNECTION, KEY, sealed};
use sidetone_packet::{Direction, FLAG_DOWNLINK, Header, OpenError, Opener, OpenerConfig, Sealer};

fn seal(direction: Direction) -> Vec<u8> {
    let mut packet = [0; 64];
    let header = Sealer::new(&KEY, CONNECTION, direction).seal(60, b"frame", &mut packet).unwrap();
    packet[..header.packet_len()].to_vec()
}

fn opener(direction: Direction, accept_unmarked_downlink: bool) -> Opener {
    let config = OpenerConfig { accept_unmarked_downlink, ..OpenerConfig::default() };
    Opener::new(&KEY, CONNECTION, direction, config)
}

#[test]
fn only_the_gateway_sets_the_bit() {
    assert_eq!(FLAG_DOWNLINK, 1);
    assert_eq!(seal(Direction::Uplink)[..2], [1, 0]);
    assert_eq!(seal(Direction::Downlink)[..2], [1, 1]);
}

#[test]
fn a_reflected_packet_is_refused_by_its_sender() {
    for (own, flags) in [(Direction::Uplink, 0), (Direction::Downlink, 1)] {
        let peer = match own {
            Direction::Uplink => Direction::Downlink,
            Direction::Downlink => Direction::Uplink,
        };
        let packet = seal(own);
        let mut sender = opener(peer, false);
        let error = sender.open(&packet, &mut [0; 1024]).unwrap_err();
        assert_eq!(error, OpenError::WrongDirection { flags }, "{own:?}");
        assert_eq!(sender.counters().wrong_direction, 1);

        let mut receiver = opener(own, false);
        assert!(receiver.open(&packet, &mut [0; 1024]).is_ok(), "{own:?}");
    }
}

#[test]
fn other_flag_bits_are_nobodys_business() {
    for flags in [0x02, 0x80, 0xfe] {
        let header = Header { flags, connection_id: CONNECTION, sequence: 1, ..Header::default() };
        let candidate = opener(Direction::Uplink, false).open(&sealed(&header, b"frame"), &mut [0; 1024]).unwrap();
        assert_eq!(candidate.header().flags, flags);

        let marked = Header { flags: flags | FLAG_DOWNLINK, ..header };
        let candidate = opener(Direction::Downlink, false).open(&sealed(&marked, b"frame"), &mut [0; 1024]).unwrap();
        assert_eq!(candidate.header().flags, flags | FLAG_DOWNLINK);
    }
}

#[test]
fn unmarked_downlink_is_taken_on_request_and_never_uplink() {
    let (unmarked, marked) = (seal(Direction::Uplink), seal(Direction::Downlink));
    assert!(opener(Direction::Downlink, true).open(&unmarked, &mut [0; 1024]).is_ok());
    assert!(opener(Direction::Downlink, true).open(&marked, &mut [0; 1024]).is_ok());
    let error = opener(Direction::Uplink, true).open(&marked, &mut [0; 1024]).unwrap_err();
    assert_eq!(error, OpenError::WrongDirection { flags: 1 });
}
