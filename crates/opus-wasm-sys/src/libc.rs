//! The functions of a C library that libopus calls, for a target that has none.
//!
//! Memory comes from Rust's allocator, mathematics from the crate `libm`; `memcpy` and its kin are in
//! `compiler_builtins`. What one instruction can do (`sqrt`, `floor`, `lrintf`, …) is inline in
//! `libc/include/math.h`. There is no I/O: a failed assertion of libopus is a trap.

use alloc::alloc::{Layout, alloc, dealloc};
use core::ffi::c_void;
use core::ptr;

/// Every block starts with its size, in a header that keeps 16-byte alignment.
const HEADER: usize = 16;

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEADER)?, HEADER).ok()
}

#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    let Some(layout) = layout(size) else { return ptr::null_mut() };
    // SAFETY: the layout is never of size zero; the header lies inside the block just allocated.
    unsafe {
        let block = alloc(layout);
        if block.is_null() {
            return ptr::null_mut();
        }
        block.cast::<usize>().write(size);
        block.add(HEADER).cast()
    }
}

/// # Safety
/// `pointer` is null or came from [`malloc`] and was not freed yet.
#[unsafe(no_mangle)]
unsafe extern "C" fn free(pointer: *mut c_void) {
    if pointer.is_null() {
        return;
    }
    // SAFETY: by contract the block starts HEADER bytes earlier, with the size `malloc` wrote there.
    unsafe {
        let block = pointer.cast::<u8>().sub(HEADER);
        let size = block.cast::<usize>().read();
        if let Some(layout) = layout(size) {
            dealloc(block, layout);
        }
    }
}

// Those that are called in the end. libopus's sources name more, in code that is left out when the module is linked; what is
// defined here is exported, and so stays in the module.
macro_rules! math {
    ($($name:ident($($arg:ident),*) -> $type:ty;)*) => {
        $(#[unsafe(no_mangle)]
        extern "C" fn $name($($arg: $type),*) -> $type {
            libm::$name($($arg),*)
        })*
    };
}

math! {
    acos(x) -> f64;
    exp(x) -> f64;
    log(x) -> f64;
    log10(x) -> f64;
}
