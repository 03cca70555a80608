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
const HANG_ON_OPEN: u8 = 13;
const LYING_POINTER: u8 = 14;
const LYING_COUNT: u8 = 15;
const HANG_ON_RESTART: u8 = 16;
const SWOLLEN: u8 = 17;

static ID: AtomicU32 = AtomicU32::new(0);
static CALLS: AtomicU32 = AtomicU32::new(0);

/// What is to be done to a call's result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoil {
    Nothing,
    Length,
    Nonce,
    /// A list that lies outside of the memory.
    Pointer,
    /// A list that starts inside and ends far outside.
    Count,
    /// Thousands of lists, each of which is the same half of the memory.
    Swollen,
}

impl Spoil {
    /// Spoils where a list lies, if that is asked for.
    pub(crate) fn list<T>(self, list: &mut Vec<T>) {
        let (start, count) = match self {
            Self::Pointer => (0xffff_0000_usize, list.len().max(1)),
            Self::Count => (1 << 16, 0x7fff_fff0 / size_of::<T>()),
            _ => return,
        };
        // SAFETY: none. It is handed to the host and never looked at here.
        *list = unsafe { Vec::from_raw_parts(start as *mut T, count, count) };
    }

    /// Spoils how many lists there are, if that is asked for.
    pub(crate) fn lists(self, lists: &mut Vec<Vec<u8>>) {
        if self == Self::Swollen {
            let half = core::arch::wasm32::memory_size(0) << 15;
            // SAFETY: none, as above.
            *lists = (0..10_000).map(|_| unsafe { Vec::from_raw_parts((1 << 16) as *mut u8, half, half) }).collect();
        }
    }
}

fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

fn kind() -> u8 {
    let id = ID.load(Relaxed);
    if id >> 16 == 0xfa17 { (id >> 8) as u8 } else { 0 }
}

/// From now on, fails as a connection id asks for.
pub(crate) fn arm(id: u32) {
    ID.store(id, Relaxed);
}

/// From now on, fails as `0xkknn` asks for.
pub(crate) fn arm_kind(kknn: u32) {
    arm(0xfa17 << 16 | kknn & 0xffff);
}

/// Before a session or codec opens; `resumed`, where it is known to be opened again.
pub(crate) fn on_open(resumed: bool) {
    match kind() {
        TRAP_ON_OPEN => trap(),
        TRAP_ON_RESTART if resumed => trap(),
        HANG_ON_OPEN => hang(),
        HANG_ON_RESTART if resumed => hang(),
        LEAVE_SECRET => leave_secret(),
        LOOK_FOR_SECRET if finds_secret() => trap(),
        _ => {}
    }
}

fn hang() -> ! {
    loop {
        black_box(0);
    }
}

const SECRET: u8 = 0x5e;

/// Bytes of the stack, counted from its far end (address 0), that nothing here goes down to.
const DEEP: core::ops::Range<usize> = 0x1000..0x2_0000;

/// Fills what a slot might keep: the far end of the stack, the heap, pages that were added.
fn leave_secret() {
    let _ = black_box(alloc::vec![SECRET; 100 << 10]).leak();
    let added = core::arch::wasm32::memory_grow(0, 16) << 16;
    for start in [DEEP, added..added + (16 << 16)] {
        start.for_each(|address| {
            // SAFETY: memory that nobody uses.
            unsafe { (address as *mut u8).write_volatile(SECRET) };
        });
    }
}

/// Whether the secret lies anywhere in this memory, or in pages added to it.
fn finds_secret() -> bool {
    core::arch::wasm32::memory_grow(0, 16);
    let end = core::arch::wasm32::memory_size(0) << 16;
    let mut run = 0;
    (DEEP.start..end).any(|address| {
        // SAFETY: within the memory.
        let byte = unsafe { (address as *const u8).read_volatile() };
        run = if byte == SECRET { run + 1 } else { 0 };
        run == 16
    })
}

/// Before a call for audio.
pub(crate) fn on_call() -> Spoil {
    let call = CALLS.fetch_add(1, Relaxed) + 1;
    let id = ID.load(Relaxed);
    let due = call >= id & 0xff;
    match kind() {
        TRAP | TRAP_ON_RESTART if due => trap(),
        LOOP | HANG_ON_RESTART if due => hang(),
        RECURSION if due => drop(black_box(deep(1))),
        MEMORY_BOMB if due => loop {
            let _ = black_box(Vec::<u8>::with_capacity(1 << 20)).leak();
        },
        LYING_LENGTH if due => return Spoil::Length,
        SLOW => busy(id & 0xff),
        NONCE_TWICE if due => return Spoil::Nonce,
        LYING_POINTER if due => return Spoil::Pointer,
        LYING_COUNT if due => return Spoil::Count,
        SWOLLEN if due => return Spoil::Swollen,
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
