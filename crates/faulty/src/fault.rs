//! The faults. Each must end its instance, or slow it, and nothing else.
#![allow(unsafe_code, reason = "broken on purpose")]

use alloc::vec::Vec;
use core::hint::black_box;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Ways to fail, as the third byte of the connection id.
const TRAP: u8 = 1;
const LOOP: u8 = 2;
const RECURSION: u8 = 3;
const MEMORY_BOMB: u8 = 4;
const LYING_LENGTH: u8 = 5;
const SLOW: u8 = 6;
const TRAP_ON_OPEN: u8 = 7;
const TRAP_ON_RESTART: u8 = 8;
const NONCE_TWICE: u8 = 9;
const LEAVE_SECRET: u8 = 10;
const LOOK_FOR_SECRET: u8 = 11;
const RANDOM: u8 = 12;

static ID: AtomicU32 = AtomicU32::new(0);
static CALLS: AtomicU32 = AtomicU32::new(0);

/// What is to be done to a call's result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoil {
    Nothing,
    Length,
    Nonce,
}

fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

fn kind() -> u8 {
    let id = ID.load(Relaxed);
    if id >> 16 == 0xfa17 { (id >> 8) as u8 } else { 0 }
}

/// Before a session opens; `resumed`, where it is opened again.
pub(crate) fn on_open(connection_id: u32, resumed: bool) {
    ID.store(connection_id, Relaxed);
    match kind() {
        TRAP_ON_OPEN => trap(),
        TRAP_ON_RESTART if resumed => trap(),
        LEAVE_SECRET => drop(black_box(secret(0x5e)).leak()),
        LOOK_FOR_SECRET if secret(0).contains(&0x5e) => trap(),
        _ => {}
    }
}

/// Memory as it is found (`fill` 0), or filled.
fn secret(fill: u8) -> Vec<u8> {
    const PAGES: usize = 16;
    let start = core::arch::wasm32::memory_grow(0, PAGES) << 16;
    // SAFETY: the pages were just added, and nobody else knows of them.
    let bytes = unsafe { core::slice::from_raw_parts_mut(start as *mut u8, PAGES << 16) };
    if fill != 0 {
        bytes.fill(fill);
    }
    black_box(bytes).to_vec()
}

/// Before a call for audio.
pub(crate) fn on_call() -> Spoil {
    let call = CALLS.fetch_add(1, Relaxed) + 1;
    let id = ID.load(Relaxed);
    let due = call >= id & 0xff;
    match kind() {
        TRAP | TRAP_ON_RESTART if due => trap(),
        LOOP if due => loop {
            black_box(0);
        },
        RECURSION if due => drop(black_box(deep(1))),
        MEMORY_BOMB if due => loop {
            drop(black_box(Vec::<u8>::with_capacity(1 << 20)).leak());
        },
        LYING_LENGTH if due => return Spoil::Length,
        SLOW => busy(id & 0xff),
        NONCE_TWICE if due => return Spoil::Nonce,
        // One call in eight, by no pattern.
        RANDOM if (call.wrapping_add(id)).wrapping_mul(0x9e37_79b9) >> 29 == 0 => trap(),
        _ => {}
    }
    Spoil::Nothing
}

#[allow(unconditional_recursion)]
fn deep(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    deep(frame[63] + 1) + frame[0]
}

/// About `millis` ms of work: there is no clock here.
fn busy(millis: u32) {
    let mut x = 1u32;
    for _ in 0..u64::from(millis) * 250_000 {
        x = black_box(x.wrapping_mul(1_664_525).wrapping_add(1));
    }
}
