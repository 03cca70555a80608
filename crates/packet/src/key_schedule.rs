//! The AES-128 key schedule, the keystream it makes, and how neither leaves copies behind.

use alloc::boxed::Box;
use core::fmt;

use aes::{Aes128Enc, Block};
use cipher::consts::U16;
use cipher::typenum::Unsigned;
use cipher::{BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, KeyInit, ParBlocks};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::header::{BLOCK_LEN, HEADER_LEN};

/// Bytes of an AES-128 key.
pub const KEY_LEN: usize = 16;

/// Stack that key expansion and encryption use for working copies of round keys, in KiB, with room to spare.
const WORKING_STACK_KIB: usize = 4;

/// Batches up to this many blocks are encrypted whole even where the data does not fill them: in the bitsliced
/// implementation, which is what WebAssembly gets, one block costs as much as a whole batch of four.
const LARGEST_PADDED_BATCH: usize = 8;

/// An expanded AES-128 key. CTR mode needs the encryption schedule only, for sealing and for opening.
///
/// It lives in a box of its own, is zeroised when dropped, and is not `Clone`. Building one costs about 1 µs in
/// WebAssembly and 0.3 µs natively, which is why it is kept for a session's life.
pub struct KeySchedule(Box<Aes128Enc>);

impl KeySchedule {
    /// Expands a key. The working copies that expansion leaves on the stack are wiped.
    #[must_use]
    pub fn new(key: &[u8; KEY_LEN]) -> Self {
        let schedule = expand(key);
        wipe_stack::<WORKING_STACK_KIB>();
        Self(schedule)
    }

    /// XORs `data` with the keystream that starts at counter block `iv`: both encrypts and decrypts.
    ///
    /// The whole block is one 128-bit big-endian counter (SP 800-38A, section 6.5, with the increment of appendix B.1
    /// over all 128 bits), so that a carry runs from the header's sequence into its timestamp. Working copies of round
    /// keys may remain on the stack until it is used again; see [`wipe_stack`].
    pub fn apply_keystream(&self, iv: &[u8; HEADER_LEN], data: &mut [u8]) {
        // `ctr::CtrCore` could borrow the cipher too, but it sets up the bitsliced round keys twice a packet (whole
        // blocks, then the tail) and encrypts what does not fill a batch one block at a time: in WebAssembly it takes
        // up to 1.6 times as long for packets of the size of speech frames.
        self.0.encrypt_with_backend(Keystream { counter: u128::from_be_bytes(*iv), data });
    }
}

impl Drop for KeySchedule {
    fn drop(&mut self) {
        // The schedule itself is zeroised by `Aes128Enc`, right after this.
        wipe_stack::<WORKING_STACK_KIB>();
    }
}

impl ZeroizeOnDrop for KeySchedule {}

impl fmt::Debug for KeySchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySchedule { .. }")
    }
}

// Holds only while the `aes` crate is built with its `zeroize` feature.
const _: () = {
    const fn zeroised_on_drop<T: ZeroizeOnDrop>() {}
    zeroised_on_drop::<Aes128Enc>();
};

/// Not inlined, so that the copy which moves into the box lies below the caller's frame, where the caller can wipe it.
#[inline(never)]
fn expand(key: &[u8; KEY_LEN]) -> Box<Aes128Enc> {
    Box::new(Aes128Enc::new(key.into()))
}

/// Overwrites `KIB` KiB of stack below the caller's frame with zeros.
///
/// Key expansion and encryption copy round keys to the stack, and what they leave stays until other calls overwrite
/// it. [`KeySchedule`] wipes after expansion and when dropped; a caller that has sealed or opened from deeper in its
/// call tree than where it drops the schedule calls this from its outermost frame, with `KIB` as deep as the packet
/// calls went. Costs about 40 ns a KiB.
#[inline(never)]
pub fn wipe_stack<const KIB: usize>() {
    let mut stack = [[0u64; 128]; KIB];
    // Zeroize writes volatile: the compiler cannot drop stores to memory that nobody reads again.
    stack.zeroize();
}

struct Keystream<'d> {
    counter: u128,
    data: &'d mut [u8],
}

impl BlockSizeUser for Keystream<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Keystream<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let Self { mut counter, data } = self;
        let batch_blocks = B::ParBlocksSize::USIZE;
        let batch_len = batch_blocks * BLOCK_LEN;
        let batched_len = match batch_blocks <= LARGEST_PADDED_BATCH {
            true => data.len(),
            false => data.len() - data.len() % batch_len,
        };
        let (batched, tail) = data.split_at_mut(batched_len);

        for chunk in batched.chunks_mut(batch_len) {
            let mut batch = ParBlocks::<B>::default();
            for block in &mut batch {
                *block = next_block(&mut counter);
            }
            backend.encrypt_par_blocks_inplace(&mut batch);
            for (bytes, block) in chunk.chunks_mut(BLOCK_LEN).zip(&batch) {
                xor(bytes, block);
            }
        }
        for bytes in tail.chunks_mut(BLOCK_LEN) {
            let mut block = next_block(&mut counter);
            backend.encrypt_block_inplace(&mut block);
            xor(bytes, &block);
        }
    }
}

#[inline(always)]
fn next_block(counter: &mut u128) -> Block {
    let block = counter.to_be_bytes().into();
    *counter = counter.wrapping_add(1);
    block
}

/// XORs up to a block of keystream into `bytes`. The whole block is told apart for speed.
#[inline(always)]
fn xor(bytes: &mut [u8], keystream: &Block) {
    if let Ok(whole) = <&mut [u8; BLOCK_LEN]>::try_from(&mut *bytes) {
        *whole = (u128::from_ne_bytes(*whole) ^ u128::from_ne_bytes((*keystream).into())).to_ne_bytes();
    } else {
        bytes.iter_mut().zip(keystream).for_each(|(byte, key)| *byte ^= key);
    }
}
