//! Memory: nothing that was freed stays readable, and running out of it is a trap.
#![allow(unsafe_code, reason = "a global allocator is unsafe by its trait")]

use alloc::alloc::{GlobalAlloc, Layout};
use dlmalloc::GlobalDlmalloc;

/// dlmalloc that zeroes what it frees: keys that travelled in an argument, plaintext, and people's voices.
struct Zeroing;

#[global_allocator]
static ALLOCATOR: Zeroing = Zeroing;

// SAFETY: dlmalloc keeps GlobalAlloc's contract; a block that is being freed may still be written.
unsafe impl GlobalAlloc for Zeroing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on as it came.
        unsafe { GlobalDlmalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on as it came.
        unsafe { GlobalDlmalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is the caller's until dlmalloc has it back, and has the layout's size.
        unsafe {
            block.write_bytes(0, layout.size());
            GlobalDlmalloc.dealloc(block, layout);
        }
    }
}

/// Zeroises what codec calls left on the stack: a resource calls this when it is dropped. libopus goes 97 KiB deep, for
/// 120 ms of stereo at 48 kHz; the wipe takes 5 µs.
pub(crate) fn wipe_voices() {
    sidetone_packet::wipe_stack::<128>();
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
