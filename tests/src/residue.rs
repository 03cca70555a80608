//! Looking for secrets in the memory of a guest.

use crate::core_module::Core;
use std::collections::HashSet;

/// Keys of two instances that go through the same doings. Complements of each other: where one shows, so does the other.
pub const KEYS: [[u8; 16]; 2] = [
    [0xd3, 0x1c, 0x96, 0x5a, 0xe8, 0x77, 0x42, 0xbf, 0x0b, 0x64, 0xc9, 0x8e, 0x21, 0xf5, 0xaa, 0x3d],
    [0x2c, 0xe3, 0x69, 0xa5, 0x17, 0x88, 0xbd, 0x40, 0xf4, 0x9b, 0x36, 0x71, 0xde, 0x0a, 0x55, 0xc2],
];

/// The memories of two instances after the same doings, each under its key.
pub fn memories(doings: impl Fn(&mut Core, &[u8; 16])) -> [Vec<u8>; 2] {
    KEYS.map(|key| {
        let mut core = Core::new();
        doings(&mut core, &key);
        core.memory().to_vec()
    })
}

/// Nothing in these [`memories`] comes from the keys.
///
/// # Panics
/// Where something does.
pub fn assert_keyless([ours, other]: &[Vec<u8>; 2], when: &str) {
    assert_eq!(differences(ours, other), [], "{when}: what differs with the key");
    assert_eq!(traces(ours, &KEYS[0]), [], "{when}");
    assert_eq!(traces(other, &KEYS[1]), [], "{when}");
}

/// Stretches where two memories differ, as start and length; gaps of up to 16 equal bytes do not part them.
///
/// # Panics
/// Where they are not of one size.
#[must_use]
pub fn differences(a: &[u8], b: &[u8]) -> Vec<(usize, usize)> {
    assert_eq!(a.len(), b.len(), "memories of one size");
    stretches((0..a.len()).filter(|&at| a[at] != b[at]))
}

/// Where a memory is not zero, as start and length.
#[must_use]
pub fn remains(memory: &[u8]) -> Vec<(usize, usize)> {
    stretches((0..memory.len()).filter(|&at| memory[at] != 0))
}

/// Where a memory holds at least 16 bytes of `secret` (the dull ones, of few different bytes, do not count).
#[must_use]
pub fn pieces(memory: &[u8], secret: &[u8]) -> Vec<(usize, usize)> {
    const PIECE: usize = 16;
    let dull = |piece: &[u8]| piece.iter().collect::<HashSet<_>>().len() <= PIECE / 2;
    let secrets: HashSet<&[u8]> = secret.windows(PIECE).filter(|piece| !dull(piece)).collect();
    let found = memory.windows(PIECE).enumerate().filter(|(_, piece)| secrets.contains(piece));
    stretches(found.map(|(at, _)| at))
}

fn stretches(places: impl Iterator<Item = usize>) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for at in places {
        match found.last_mut() {
            Some((start, len)) if at - (*start + *len) <= 16 => *len = at + 1 - *start,
            _ => found.push((at, 1)),
        }
    }
    found
}

/// Where an AES-128 key stands in a memory, and in which form: whole, either half as the interface carries it, or any
/// round key.
#[must_use]
pub fn traces(memory: &[u8], key: &[u8; 16]) -> Vec<(usize, String)> {
    let mut forms = vec![("the key".to_owned(), key.to_vec())];
    for (name, half) in [("high half", &key[..8]), ("low half", &key[8..])] {
        forms.push((format!("{name}, big-endian"), half.to_vec()));
        forms.push((format!("{name}, little-endian"), half.iter().rev().copied().collect()));
    }
    for (round, round_key) in round_keys(key).iter().enumerate().skip(1) {
        forms.push((format!("round key {round}"), round_key.to_vec()));
    }
    let mut found = Vec::new();
    for (name, form) in forms {
        let places = memory.windows(form.len()).enumerate().filter(|(_, part)| *part == form);
        found.extend(places.map(|(at, _)| (at, name.clone())));
    }
    found
}

/// The key expansion of FIPS 197, section 5.2. Its S-box is made, not copied: the inverse in GF(2^8), then the affine
/// map.
#[must_use]
pub fn round_keys(key: &[u8; 16]) -> [[u8; 16]; 11] {
    let mut keys = [*key; 11];
    let mut constant = 1;
    for round in 1..11 {
        let last = keys[round - 1];
        for place in 0..16 {
            let before = match place {
                0 => substitute(last[13]) ^ constant,
                1..4 => substitute(last[12 + (place + 1) % 4]),
                _ => keys[round][place - 4],
            };
            keys[round][place] = last[place] ^ before;
        }
        constant = double(constant);
    }
    keys
}

const fn double(x: u8) -> u8 {
    x << 1 ^ if x & 0x80 == 0 { 0 } else { 0x1b }
}

fn multiply(a: u8, b: u8) -> u8 {
    let step = |(sum, a), bit: u8| (if b >> bit & 1 == 1 { sum ^ a } else { sum }, double(a));
    (0..8).fold((0, a), step).0
}

fn substitute(x: u8) -> u8 {
    let inverse = (0..=255).find(|&y| multiply(x, y) == 1).unwrap_or(0);
    (0..5).fold(0x63, |sum, turn| sum ^ inverse.rotate_left(turn))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{hex, to_hex};

    #[test]
    fn round_keys_are_those_of_fips_197_appendix_a() {
        let keys = round_keys(&hex("2b7e151628aed2a6abf7158809cf4f3c").try_into().unwrap());
        assert_eq!(to_hex(&keys[1]), "a0fafe1788542cb123a339392a6c7605");
        assert_eq!(to_hex(&keys[10]), "d014f9a8c9ee2589e13f0cc8b6630ca6");
    }

    #[test]
    fn every_form_of_a_key_is_found() {
        let key: [u8; 16] = std::array::from_fn(|n| (n as u8).wrapping_mul(17).wrapping_add(3));
        let mut memory = vec![0; 200];
        assert_eq!(traces(&memory, &key), []);
        memory[40..56].copy_from_slice(&key);
        memory[60..68].copy_from_slice(&key.map(|byte| byte)[..8].iter().rev().copied().collect::<Vec<_>>());
        memory[100..116].copy_from_slice(&round_keys(&key)[7]);
        let found: Vec<_> = traces(&memory, &key).into_iter().map(|(at, _)| at).collect();
        assert_eq!(found, [40, 40, 60, 48, 100]);
        assert_eq!(pieces(&memory, &key), [(40, 1)]);
        assert_eq!(remains(&memory), [(40, 28), (100, 16)]);
    }
}
