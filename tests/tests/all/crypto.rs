//! The packet crypto inside the component, against published values, the corpus and native code.
//!
//! Counter blocks here are always packet headers, whose first byte is 1. The counters of SP 800-38A and RFC 3686 begin
//! otherwise and cannot be asked of the component; crates/packet tests those on the same code natively. What can be
//! asked is compared with OpenSSL, with key and plaintext of SP 800-38A.

use sidetone_packet::{Direction, Header};
use sidetone_tests::raw::{Guest, key, packet as wit, types};
use sidetone_tests::{corpus, datagrams, hex};

/// SP 800-38A, appendix F.5.
const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const PLAINTEXT: &str = "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
                         30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710";

/// `openssl enc -aes-128-ctr` (3.0) of that plaintext under that key: what carries, the header, the ciphertext.
const OPENSSL: [(&str, &str, &str); 3] = [
    (
        "sequence into timestamp",
        "01000040 a1b2c3d4 00000000 fffffffd",
        "9e2e3d29022669ad1513147ff86bc649 380cb6b760fc309018e94f50317ae061
         3adfcfdc347ea08d9c20aa6a799ccbd3 edee64c8a0c5a910401227294d39c6cd",
    ),
    (
        "last byte of the sequence",
        "01010040 f4f5f6f7 f8f9fafb fcfdfeff",
        "8d2744064d0b352d9b0348d6058edfca ebc3fcd054a6cc09cfbee24596ce4a3e
         5beb42ba48caf2422595339270d33516 a0cbf05cd3f0629f1544f7c48c6f57a0",
    ),
    (
        "timestamp into connection id",
        "01ff0040 f4f5f6f7 ffffffff ffffffff",
        "44c21b5883cb265672663ff1051712dc cbc3ff7968627007d48c693496986f99
         f82ae9de57b80ac066b84591070c7ef8 31abe21d328b9eebb76ed9859b9119f1",
    ),
];

fn to_wit(header: &Header) -> types::Header {
    let Header { flags, payload_len, connection_id, timestamp, sequence } = *header;
    types::Header { flags, payload_len, connection_id, timestamp, sequence }
}

fn hex16(text: &str) -> [u8; 16] {
    hex(text).try_into().unwrap()
}

fn seal(guest: &mut Guest, bytes: &[u8; 16], header: &Header, payload: &[u8]) -> Vec<u8> {
    let Guest { store, exports } = guest;
    exports.sidetone_media_packet().call_seal(store, key(bytes), to_wit(header), payload).unwrap().unwrap()
}

fn open(guest: &mut Guest, bytes: &[u8; 16], datagram: &[u8]) -> Result<wit::Candidate, types::OpenError> {
    let Guest { store, exports } = guest;
    exports.sidetone_media_packet().call_open(store, key(bytes), datagram).unwrap()
}

#[test]
fn the_keystream_is_openssls_and_the_counter_carries() {
    let mut guest = Guest::new();
    let (bytes, plaintext) = (hex16(KEY), hex(PLAINTEXT));
    for (carry, counter, ciphertext) in OPENSSL {
        let counter = hex16(counter);
        let header = Header::parse(&counter).unwrap();
        let sealed = seal(&mut guest, &bytes, &header, &plaintext);
        assert_eq!(sealed[..16], counter, "{carry}");
        assert_eq!(sealed[16..], hex(ciphertext), "{carry}");
        let opened = open(&mut guest, &bytes, &sealed).unwrap();
        assert_eq!((opened.header, opened.payload), (to_wit(&header), plaintext.clone()), "{carry}");
    }
}

#[test]
fn the_corpus_seals_and_opens_byte_for_byte() {
    let Some((bytes, packets)) = corpus::packets("sealed packets of the corpus in the component") else { return };
    let mut guest = Guest::new();
    assert_eq!(packets.len(), 8);
    for packet in &packets {
        let sealed = seal(&mut guest, &bytes, &packet.header, &packet.plaintext);
        assert_eq!(sealed, packet.datagram, "{}", packet.name);
        let opened = open(&mut guest, &bytes, &packet.datagram).unwrap();
        assert_eq!((opened.header, &opened.payload), (to_wit(&packet.header), &packet.plaintext), "{}", packet.name);
    }
}

#[test]
fn a_sealer_in_the_component_sends_what_the_corpus_devices_sent() {
    let Some((bytes, packets)) = corpus::packets("uplink of the corpus through a sealer in the component") else {
        return;
    };
    let Guest { mut store, exports } = Guest::new();
    let sealer = exports.sidetone_media_packet().sealer();
    let connection = packets[0].header.connection_id;
    let handle = sealer.call_constructor(&mut store, key(&bytes), connection, types::Direction::Uplink).unwrap();
    for packet in packets.iter().filter(|packet| packet.name.starts_with("up-")) {
        let sealed = sealer.call_seal(&mut store, handle, packet.header.timestamp, &packet.plaintext).unwrap().unwrap();
        assert_eq!(sealed, packet.datagram, "{}", packet.name);
    }
    let state = sealer.call_state(&mut store, handle).unwrap();
    assert_eq!((state.next_sequence, state.last_timestamp), (5, 61_440));
}

#[test]
fn packets_of_every_length_are_sealed_as_natively_and_open_there() {
    let mut guest = Guest::new();
    let payload: Vec<u8> = (0..1024u32).map(|n| (n * 151 / 4) as u8).collect();
    for len in (1..=200).chain([255, 256, 257, 1008, 1009, 1023, 1024]) {
        let header = Header {
            flags: len as u8,
            payload_len: len as u16,
            connection_id: datagrams::CONNECTION,
            timestamp: 60 * len as u32,
            sequence: u32::MAX - len as u32 % 3,
        };
        let native = datagrams::sealed(&datagrams::KEY, &header, &payload[..len]);
        assert_eq!(seal(&mut guest, &datagrams::KEY, &header, &payload[..len]), native, "{len} bytes");
        assert_eq!(open(&mut guest, &datagrams::KEY, &native).unwrap().payload, payload[..len], "{len} bytes");
    }
}

#[test]
fn sealers_here_and_there_agree_in_both_directions() {
    let mut guest = Guest::new();
    for (direction, wit) in
        [(Direction::Uplink, types::Direction::Uplink), (Direction::Downlink, types::Direction::Downlink)]
    {
        let Guest { store, exports } = &mut guest;
        let sealer = exports.sidetone_media_packet().sealer();
        let handle = sealer.call_constructor(&mut *store, key(&datagrams::KEY), datagrams::CONNECTION, wit).unwrap();
        let mut native = sidetone_packet::Sealer::new(&datagrams::KEY, datagrams::CONNECTION, direction);
        // A clock that stands still, runs back, and jumps.
        for timestamp in [0, 0, 60, 30, 120, u32::MAX - 1, u32::MAX - 1] {
            let payload = timestamp.to_be_bytes();
            let mut expected = [0; 20];
            native.seal(timestamp, &payload, &mut expected).unwrap();
            assert_eq!(sealer.call_seal(&mut *store, handle, timestamp, &payload).unwrap().unwrap(), expected);
        }
        let (ours, native) = (sealer.call_state(&mut *store, handle).unwrap(), native.state());
        assert_eq!((ours.next_sequence, ours.last_timestamp), (native.next_sequence, native.last_timestamp));
    }
}

#[test]
fn the_schedule_cache_counts_evicts_and_forgets() {
    let mut guest = Guest::new();
    let header = Header { payload_len: 1, connection_id: 1, sequence: 1, ..Header::default() };
    let keys: Vec<[u8; 16]> = (0..21).map(|n| [n; 16]).collect();
    let counts = |guest: &mut Guest| {
        let (seal, open) = guest.exports.sidetone_media_packet().call_cache(&mut guest.store).unwrap();
        [seal, open].map(|c| (c.hits, c.misses, c.evictions))
    };
    for bytes in &keys[..20] {
        seal(&mut guest, bytes, &header, &[0]);
        seal(&mut guest, bytes, &header, &[0]);
    }
    assert_eq!(counts(&mut guest), [(20, 20, 0), (0, 0, 0)], "twenty by default, apart from those for opening");
    seal(&mut guest, &keys[20], &header, &[0]);
    seal(&mut guest, &keys[0], &header, &[0]);
    assert_eq!(counts(&mut guest)[0], (20, 22, 2), "the least recently used left");

    let datagram = seal(&mut guest, &keys[0], &header, &[0]);
    open(&mut guest, &keys[0], &datagram).unwrap();
    open(&mut guest, &keys[0], &datagram).unwrap();
    guest.exports.sidetone_media_packet().call_forget(&mut guest.store, key(&keys[0])).unwrap();
    open(&mut guest, &keys[0], &datagram).unwrap();
    assert_eq!(counts(&mut guest), [(21, 22, 2), (1, 2, 0)]);

    guest.exports.sidetone_media_packet().call_set_cache_capacity(&mut guest.store, 0).unwrap();
    for bytes in [&keys[0], &keys[1], &keys[1]] {
        seal(&mut guest, bytes, &header, &[0]);
    }
    assert_eq!(counts(&mut guest), [(1, 2, 1), (0, 0, 0)], "emptied, and 0 counts as 1");
}
