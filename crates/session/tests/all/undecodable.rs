//! Audio that was believed and cannot be decoded: made up, counted, shown as hex, never played.

use crate::common::{CONNECTION, KEY, MADE_UP, Told, uplink};
use sidetone_session::{Config, Kind, PREFIX_LEN, Session};

fn session() -> Session<Told> {
    Session::with_codec(&KEY, &Config::gateway(CONNECTION)).unwrap()
}

#[test]
fn what_cannot_be_decoded_is_made_up_and_counted() {
    for byte in [0xEE, 0xFE] {
        let mut session = session();
        session.receive(&uplink(1, &[0x58, 1])).unwrap();
        let received = session.receive(&uplink(2, &[0x58, byte])).unwrap();
        assert_eq!((received.kind, received.position, received.concealed), (Kind::Undecodable, 960, 0));
        assert_eq!(received.samples, [MADE_UP; 960]);
        let received = session.receive(&uplink(3, &[0x58, 2])).unwrap();
        assert_eq!((received.kind, received.samples), (Kind::Audio, &[2; 960][..]));
        let stats = session.stats();
        assert_eq!((stats.received, stats.undecodable, stats.concealed, stats.lost), (3, 1, 0, 0));
    }
}

#[test]
fn a_gap_before_it_is_filled_all_the_same() {
    let mut session = session();
    session.receive(&uplink(1, &[0x58, 1])).unwrap();
    let received = session.receive(&uplink(4, &[0x58, 0xEE])).unwrap();
    assert_eq!((received.kind, received.lost, received.concealed), (Kind::Undecodable, 2, 2));
    assert_eq!(received.samples, [MADE_UP; 3 * 960]);
}

#[test]
fn its_start_is_kept_as_hex_and_no_more_than_its_start() {
    let mut session = session();
    assert_eq!(session.undecodable(), None);
    let mut payload = vec![0x58, 0xEE, 0x00, 0xFF];
    session.receive(&uplink(1, &payload)).unwrap();
    let short = session.undecodable().unwrap();
    assert_eq!((short.prefix(), short.payload_len), (&payload[..], 4));
    assert_eq!((short.to_string(), format!("{short:?}")), ("58ee00ff".into(), "58ee00ff".into()));

    payload.resize(PREFIX_LEN, 0xAB);
    session.receive(&uplink(2, &payload)).unwrap();
    assert_eq!(session.undecodable().unwrap().to_string(), "58ee00ffabababababababababababab");

    payload.resize(1024, 0xCD);
    session.receive(&uplink(3, &payload)).unwrap();
    let long = session.undecodable().unwrap();
    assert_eq!((long.prefix().len(), long.payload_len), (PREFIX_LEN, 1024));
    assert_eq!(long.to_string(), "58ee00ffabababababababababababab… (1024 bytes)");

    session.receive(&uplink(4, &[0x58, 1])).unwrap();
    assert_eq!(session.undecodable(), Some(long), "kept until the next one");
}
