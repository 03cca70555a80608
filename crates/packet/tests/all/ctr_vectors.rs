//! The keystream against published vectors, and against another implementation.

use crate::common::{KEY, hex, hex16};
use aes::Aes128;
use ctr::cipher::{KeyIvInit, StreamCipher};
use proptest::prelude::*;
use sidetone_packet::KeySchedule;

struct Vector {
    source: &'static str,
    key: &'static str,
    counter: &'static str,
    plaintext: &'static str,
    ciphertext: &'static str,
}

const VECTORS: [Vector; 4] = [
    Vector {
        source: "SP 800-38A F.5.1 and F.5.2, CTR-AES128",
        key: "2b7e151628aed2a6abf7158809cf4f3c",
        counter: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        plaintext: "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
                    30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710",
        ciphertext: "874d6191b620e3261bef6864990db6ce 9806f66b7970fdff8617187bb9fffdff
                     5ae4df3edbd5d35e5b4f09020db03eab 1e031dda2fbe03d1792170a0f3009cee",
    },
    Vector {
        source: "RFC 3686 test vector 1",
        key: "ae6852f8121067cc4bf7a5765577f39e",
        counter: "00000030 0000000000000000 00000001",
        plaintext: "53696e676c6520626c6f636b206d7367",
        ciphertext: "e4095d4fb7a7b3792d6175a3261311b8",
    },
    Vector {
        source: "RFC 3686 test vector 2",
        key: "7e24067817fae0d743d6ce1f32539163",
        counter: "006cb6db c0543b59da48d90b 00000001",
        plaintext: "000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f",
        ciphertext: "5104a106168a72d9790d41ee8edad388 eb2e1efc46da57c8fce630df9141be28",
    },
    Vector {
        source: "RFC 3686 test vector 3",
        key: "7691be035e5020a8ac6e618529f9a0dc",
        counter: "00e0017b 27777f3f4a1786f0 00000001",
        plaintext: "000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f 20212223",
        ciphertext: "c1cf48a89f2ffdd9cf4652e9efdb72d7 4540a42bde6d7836d59a5ceaaef31053 25b2072f",
    },
];

#[test]
fn published_vectors_encrypt_and_decrypt() {
    for vector in VECTORS {
        let schedule = KeySchedule::new(&hex16(vector.key));
        let (plaintext, ciphertext) = (hex(vector.plaintext), hex(vector.ciphertext));
        for (from, to) in [(&plaintext, &ciphertext), (&ciphertext, &plaintext)] {
            let mut data = from.clone();
            schedule.apply_keystream(&hex16(vector.counter), &mut data);
            assert_eq!(&data, to, "{}", vector.source);
        }
    }
}

#[test]
fn no_data_takes_no_keystream() {
    KeySchedule::new(&KEY).apply_keystream(&[0xff; 16], &mut []);
}

#[test]
fn every_length_up_to_two_packets_agrees_with_the_ctr_crate() {
    let schedule = KeySchedule::new(&KEY);
    let iv = hex16("01000054a1b2c3d40000000000000002");
    for len in 0..=2048 {
        let mut ours = vec![0; len];
        schedule.apply_keystream(&iv, &mut ours);
        assert_eq!(ours, reference_keystream(&KEY, &iv, len), "{len} bytes");
    }
}

proptest! {
    #[test]
    fn any_key_and_counter_agree_with_the_ctr_crate(key: [u8; 16], iv: [u8; 16], len in 0..1100_usize) {
        let mut ours = vec![0; len];
        KeySchedule::new(&key).apply_keystream(&iv, &mut ours);
        prop_assert_eq!(ours, reference_keystream(&key, &iv, len));
    }
}

fn reference_keystream(key: &[u8; 16], iv: &[u8; 16], len: usize) -> Vec<u8> {
    let mut keystream = vec![0; len];
    ctr::Ctr128BE::<Aes128>::new(key.into(), iv.into()).apply_keystream(&mut keystream);
    keystream
}
