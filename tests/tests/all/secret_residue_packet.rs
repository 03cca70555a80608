//! What the packet crypto by itself leaves in memory: nothing of a key, once its sealer or opener is dropped, or the
//! cache has let go of it. The method is that of `secret_residue`.

use sidetone_packet::{Direction, Header};
use sidetone_tests::core_module::{Core, int, key};
use sidetone_tests::datagrams::{CONNECTION, of, sealed};
use sidetone_tests::residue::{KEYS, assert_keyless, differences, memories, traces};

/// Nobody's.
const ANOTHER: [u8; 16] = [0x99; 16];

const PAYLOAD: [u8; 100] = [0x58; 100];

const HEADER: Header = Header { flags: 0, payload_len: 100, connection_id: CONNECTION, timestamp: 0, sequence: 1 };

/// Seals one packet, statelessly.
fn seal(core: &mut Core, secret: &[u8; 16]) {
    let [high, low] = key(secret);
    let at = core.put(&PAYLOAD, 1);
    let Header { flags, payload_len, connection_id, timestamp, sequence } = HEADER;
    let [flags, len] = [flags.into(), payload_len.into()].map(int);
    let header = [flags, len, int(connection_id), int(timestamp), int(sequence)];
    let arguments = [&[high, low], &header[..], &[int(at), int(100)]].concat();
    let returned = core.call_in("packet", "seal", &arguments).unwrap();
    assert_eq!(core.list_at(returned.address, 4), sealed(secret, &HEADER, &PAYLOAD));
    core.free(returned);
}

/// Opens one packet, statelessly.
fn open(core: &mut Core, secret: &[u8; 16]) {
    let [high, low] = key(secret);
    let at = core.put(&sealed(secret, &HEADER, &PAYLOAD), 1);
    let returned = core.call_in("packet", "open", &[high, low, int(at), int(116)]).unwrap();
    assert_eq!(core.list_at(returned.address, 20), PAYLOAD);
    core.free(returned);
}

/// A sealer or an opener for uplink.
fn made(core: &mut Core, resource: &str, secret: &[u8; 16]) -> u32 {
    let [high, low] = key(secret);
    let arguments = [high, low, int(CONNECTION), int(0)];
    core.call_in("packet", &format!("[constructor]{resource}"), &arguments).unwrap().address
}

fn sealer_used(core: &mut Core, secret: &[u8; 16]) -> u32 {
    let sealer = made(core, "sealer", secret);
    let at = core.put(&PAYLOAD, 1);
    let returned = core.call_in("packet", "[method]sealer.seal", &[sealer, 0, at, 100].map(int)).unwrap();
    assert_eq!(core.list_at(returned.address, 4), sealed(secret, &HEADER, &PAYLOAD));
    core.free(returned);
    sealer
}

fn opener_used(core: &mut Core, secret: &[u8; 16]) -> u32 {
    let opener = made(core, "opener", secret);
    for datagram in [sealed(secret, &HEADER, &PAYLOAD), of(Direction::Downlink, 1, &PAYLOAD)] {
        let at = core.put(&datagram, 1);
        let returned = core.call_in("packet", "[method]opener.open", &[opener, at, 116].map(int)).unwrap();
        core.free(returned);
    }
    opener
}

#[test]
fn a_live_sealer_or_opener_holds_a_schedule_and_never_the_key_itself() {
    for (name, used) in [("sealer", sealer_used as fn(&mut Core, &[u8; 16]) -> u32), ("opener", opener_used)] {
        let [ours, other] = memories(|core, secret| {
            used(core, secret);
        });
        let found = differences(&ours, &other);
        assert!(found.iter().any(|(_, len)| (160..=176).contains(len)), "{name}: {found:x?}");
        assert_eq!(traces(&ours, &KEYS[0]), [], "{name}");
    }
}

#[test]
fn a_dropped_sealer_or_opener_leaves_nothing_of_its_key() {
    for (name, used) in [("sealer", sealer_used as fn(&mut Core, &[u8; 16]) -> u32), ("opener", opener_used)] {
        let drop = |core: &mut Core, handle| core.call_in("packet", &format!("[dtor]{name}"), &[int(handle)]).unwrap();
        let unused = |core: &mut Core, secret: &[u8; 16]| {
            let handle = made(core, name, secret);
            drop(core, handle);
        };
        assert_keyless(&memories(unused), &format!("{name}, unused"));
        let dropped = |core: &mut Core, secret: &[u8; 16]| {
            let handle = used(core, secret);
            drop(core, handle);
        };
        assert_keyless(&memories(dropped), &format!("{name}, used"));
    }
}

#[test]
fn the_cache_keeps_a_key_until_it_is_told_or_needs_the_room() {
    let kept = memories(|core, secret| {
        seal(core, secret);
        open(core, secret);
    });
    let whole = traces(&kept[0], &KEYS[0]).into_iter().filter(|(_, form)| form == "the key").count();
    assert_eq!(whole, 2, "one to seal with and one to open with: this search finds what is there");

    let forgotten = memories(|core, secret| {
        seal(core, secret);
        open(core, secret);
        core.call_in("packet", "forget", &key(secret)).unwrap();
    });
    assert_keyless(&forgotten, "forgotten");

    let evicted = memories(|core, secret| {
        core.call_in("packet", "set-cache-capacity", &[int(1)]).unwrap();
        for secret in [secret, &ANOTHER] {
            seal(core, secret);
            open(core, secret);
        }
    });
    assert_keyless(&evicted, "evicted");

    let emptied = memories(|core, secret| {
        seal(core, secret);
        open(core, secret);
        core.call_in("packet", "set-cache-capacity", &[int(20)]).unwrap();
    });
    assert_keyless(&emptied, "emptied");
}
