//! The corpus's packets, as devices and other gateways send them, byte for byte.

use crate::common::{Corpus, CorpusPacket, corpus, hex, hex16};
use sidetone_packet::{
    Accepted, Direction, Header, HeaderError, KeySchedule, OpenError, Opener, OpenerConfig, Sealer, SealerState,
    open_with, seal_with,
};

fn opener(corpus: &Corpus, direction: Direction, accept_unmarked_downlink: bool) -> Opener {
    let config = OpenerConfig { accept_unmarked_downlink, ..OpenerConfig::default() };
    Opener::new(&hex16(&corpus.key), connection_id(corpus), direction, config)
}

fn connection_id(corpus: &Corpus) -> u32 {
    Header::parse(&hex16(&corpus.nonce)).unwrap().connection_id
}

#[test]
fn the_hello_nonce_names_the_connection() {
    let Some(corpus) = corpus("hello nonce of the corpus") else { return };
    assert_eq!(connection_id(&corpus), 0xa1b2_c3d4);
    assert_eq!(Header::hello_nonce(0xa1b2_c3d4), hex16(&corpus.nonce));
}

#[test]
fn headers_parse_and_write_back() {
    let Some(corpus) = corpus("headers of the corpus") else { return };
    for packet in &corpus.packets {
        let wire = hex(&packet.packet);
        let (header, ciphertext) = Header::split(&wire).unwrap();
        assert_eq!(header, packet.header(), "{}", packet.name);
        assert_eq!(header.to_bytes(), hex16(&packet.iv), "{}", packet.name);
        assert_eq!(ciphertext.len(), hex(&packet.plaintext).len(), "{}", packet.name);
        assert_eq!(header.packet_len(), wire.len(), "{}", packet.name);
    }
}

#[test]
fn every_packet_seals_to_its_wire_form_and_opens_to_its_plaintext() {
    let Some(corpus) = corpus("sealed packets of the corpus, stateless") else { return };
    let schedule = KeySchedule::new(&hex16(&corpus.key));
    assert_eq!(corpus.packets.len(), 8);
    for packet in &corpus.packets {
        let (wire, plaintext) = (hex(&packet.packet), hex(&packet.plaintext));

        let mut sealed = [0xee; 2048];
        let len = seal_with(&schedule, &packet.header(), &plaintext, &mut sealed).unwrap();
        assert_eq!(sealed[..len], wire, "{}", packet.name);
        assert!(sealed[len..].iter().all(|&byte| byte == 0xee), "{}: nothing is written behind", packet.name);

        let mut opened = [0xee; 2048];
        let header = open_with(&schedule, &wire, &mut opened).unwrap();
        assert_eq!(header, packet.header(), "{}", packet.name);
        assert_eq!(opened[..plaintext.len()], plaintext, "{}", packet.name);
        assert!(opened[plaintext.len()..].iter().all(|&byte| byte == 0xee), "{}", packet.name);
    }
}

#[test]
fn a_stream_of_each_direction_opens_in_order() {
    let Some(corpus) = corpus("streams of the corpus") else { return };
    // The test client numbers its texts from 0 in a stream of its own.
    let streams: [(&str, Direction, &[u32]); 3] = [
        ("up-", Direction::Uplink, &[1, 2, 3, 4]),
        ("down-", Direction::Downlink, &[1, 2]),
        ("client.py", Direction::Uplink, &[0, 1]),
    ];
    for (part, direction, sequences) in streams {
        let mut opener = opener(&corpus, direction, true);
        let mut seen = Vec::new();
        for packet in corpus.packets.iter().filter(|packet| packet.name.contains(part)) {
            assert_eq!(packet.direction(), direction, "{}", packet.name);
            let Accepted { header, gap, late, .. } = open_and_accept(&mut opener, packet);
            assert_eq!((gap, late), (0, false), "{}", packet.name);
            seen.push(header.sequence);
        }
        assert_eq!(seen, sequences, "{part}");
        assert_eq!(opener.counters().accepted, sequences.len() as u64);
    }
}

fn open_and_accept(opener: &mut Opener, packet: &CorpusPacket) -> Accepted {
    let mut plaintext = [0; 1024];
    let candidate = opener.open(&hex(&packet.packet), &mut plaintext).unwrap();
    assert_eq!(plaintext[..candidate.payload_len()], hex(&packet.plaintext), "{}", packet.name);
    opener.accept(candidate).unwrap()
}

#[test]
fn a_device_sealer_sends_what_firmware_sends() {
    let Some(corpus) = corpus("uplink sealing of the corpus") else { return };
    let mut sealer = Sealer::new(&hex16(&corpus.key), connection_id(&corpus), Direction::Uplink);
    for packet in corpus.packets.iter().filter(|packet| packet.name.starts_with("up-")) {
        let mut sealed = [0; 2048];
        let header = sealer.seal(packet.header.timestamp, &hex(&packet.plaintext), &mut sealed).unwrap();
        assert_eq!(sealed[..header.packet_len()], hex(&packet.packet), "{}", packet.name);
    }
    assert_eq!(sealer.state(), SealerState { next_sequence: 5, last_timestamp: 61440 });
}

#[test]
fn a_gateway_without_the_direction_bit_is_heard_only_on_request() {
    let Some(corpus) = corpus("unmarked downlink of the corpus") else { return };
    let mut strict = opener(&corpus, Direction::Downlink, false);
    for packet in corpus.packets.iter().filter(|packet| packet.direction() == Direction::Downlink) {
        let refused = strict.open(&hex(&packet.packet), &mut [0; 1024]).unwrap_err();
        assert_eq!(refused, OpenError::WrongDirection { flags: 0 }, "{}", packet.name);
    }
    assert_eq!(strict.counters().wrong_direction, 2);
}

#[test]
fn a_damaged_packet_is_refused_by_its_cause() {
    let Some(corpus) = corpus("damaged packets of the corpus") else { return };
    let mut opener = opener(&corpus, Direction::Uplink, false);
    for packet in corpus.packets.iter().filter(|packet| packet.direction() == Direction::Uplink) {
        let wire = hex(&packet.packet);
        let declared = packet.header.payload_len;
        let cut = &wire[..wire.len() - 1];
        let long = [&wire[..], &[0]].concat();
        let mut other_type = wire.clone();
        other_type[0] = 2;
        let mut other_connection = wire.clone();
        other_connection[7] ^= 1;
        let mut reflected = wire.clone();
        reflected[1] |= 1;
        let (id, len) = (connection_id(&corpus), usize::from(declared));
        let cases: [(&[u8], OpenError); 6] = [
            (&wire[..15], HeaderError::Truncated { len: 15 }.into()),
            (cut, HeaderError::LengthMismatch { declared, actual: len - 1 }.into()),
            (&long, HeaderError::LengthMismatch { declared, actual: len + 1 }.into()),
            (&other_type, HeaderError::UnknownType { found: 2 }.into()),
            (&other_connection, OpenError::ForeignConnection { found: id ^ 1, expected: id }),
            (&reflected, OpenError::WrongDirection { flags: 1 }),
        ];
        for (datagram, error) in cases {
            assert_eq!(opener.open(datagram, &mut [0; 1024]).unwrap_err(), error, "{}", packet.name);
        }
    }
    assert_eq!(opener.counters().opened, 0);
}
