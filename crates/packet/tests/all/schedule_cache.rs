//! The cache of key schedules: least recently used goes first, sealing and opening are kept apart.

use std::num::NonZeroUsize;

use crate::common::{hex, hex16};
use sidetone_packet::{CacheCounters, DEFAULT_CAPACITY, Header, ScheduleCache, open_with, seal_with};

fn key(n: u8) -> [u8; 16] {
    [n; 16]
}

fn cache(capacity: usize) -> ScheduleCache {
    ScheduleCache::with_capacity(NonZeroUsize::new(capacity).unwrap())
}

fn counters(hits: u64, misses: u64, evictions: u64) -> CacheCounters {
    CacheCounters { hits, misses, evictions }
}

#[test]
fn the_least_recently_used_goes_first() {
    let cases: [(&str, usize, &[u8], CacheCounters); 7] = [
        ("one key", 3, &[1, 1, 1], counters(2, 1, 0)),
        ("as many as fit", 3, &[1, 2, 3, 1, 2, 3], counters(3, 3, 0)),
        ("one too many, in turn", 3, &[1, 2, 3, 4, 1, 2, 3, 4], counters(0, 8, 5)),
        ("used again stays", 3, &[1, 2, 3, 1, 4, 1, 2], counters(2, 5, 2)),
        ("the newest stays", 3, &[1, 2, 3, 4, 4, 3, 2], counters(3, 4, 1)),
        ("room for one", 1, &[1, 1, 2, 2, 1], counters(2, 3, 2)),
        ("zero is a key as any", 2, &[0, 0], counters(1, 1, 0)),
    ];
    for (name, capacity, keys, expected) in cases {
        let mut cache = cache(capacity);
        for &n in keys {
            cache.for_sealing(&key(n));
        }
        assert_eq!(cache.sealing_counters(), expected, "{name}");
        assert_eq!(cache.opening_counters(), CacheCounters::default(), "{name}");
    }
}

#[test]
fn sealing_and_opening_do_not_evict_each_other() {
    let mut cache = cache(2);
    cache.for_sealing(&key(1));
    for n in 0..100 {
        cache.for_opening(&key(n));
    }
    cache.for_sealing(&key(1));
    assert_eq!(cache.sealing_counters(), counters(1, 1, 0));
    assert_eq!(cache.opening_counters(), counters(0, 100, 98));
}

#[test]
fn twenty_are_kept_by_default() {
    assert_eq!(DEFAULT_CAPACITY.get(), 20);
    let mut cache = ScheduleCache::default();
    for n in (0..20).chain(0..20) {
        cache.for_opening(&key(n));
    }
    assert_eq!(cache.opening_counters(), counters(20, 20, 0));
    cache.for_opening(&key(20));
    assert_eq!(cache.opening_counters(), counters(20, 21, 1));
}

#[test]
fn a_forgotten_key_is_expanded_again_and_its_place_is_free() {
    let mut cache = cache(2);
    cache.for_sealing(&key(1));
    cache.for_sealing(&key(2));
    cache.forget(&key(1));
    cache.forget(&key(9));
    cache.for_sealing(&key(3));
    cache.for_sealing(&key(2));
    assert_eq!(cache.sealing_counters(), counters(1, 3, 0));
    cache.for_sealing(&key(1));
    assert_eq!(cache.sealing_counters(), counters(1, 4, 1));

    cache.forget(&key(0));
    assert_eq!(cache.sealing_counters(), counters(1, 4, 1), "the zero key does not match an empty slot");
}

#[test]
fn keys_that_differ_in_one_bit_are_two_keys() {
    let mut cache = cache(200);
    for bit in 0..128 {
        cache.for_sealing(&(1_u128 << bit).to_be_bytes());
    }
    assert_eq!(cache.sealing_counters(), counters(0, 128, 0));
}

#[test]
fn a_cached_schedule_is_the_right_one() {
    let mut cache = cache(2);
    let cases = [
        ("ae6852f8121067cc4bf7a5765577f39e", 1),
        ("7e24067817fae0d743d6ce1f32539163", 2),
        ("7691be035e5020a8ac6e618529f9a0dc", 3),
        ("ae6852f8121067cc4bf7a5765577f39e", 4),
    ];
    for (key, sequence) in cases {
        let header = Header { connection_id: 7, sequence, ..Header::default() };
        let mut packet = [0; 21];
        seal_with(cache.for_sealing(&hex16(key)), &header, b"frame", &mut packet).unwrap();
        let mut plaintext = [0; 5];
        open_with(cache.for_opening(&hex16(key)), &packet, &mut plaintext).unwrap();
        assert_eq!(&plaintext, b"frame");
    }
    // RFC 3686, test vector 1, through a schedule that was evicted in between.
    let mut block = hex("53696e676c6520626c6f636b206d7367");
    cache.for_sealing(&hex16(cases[0].0)).apply_keystream(&hex16("00000030000000000000000000000001"), &mut block);
    assert_eq!(block, hex("e4095d4fb7a7b3792d6175a3261311b8"));
}
