//! The module under test: `check(kernel, seed)` compares one kernel with libopus's C on random input.
#![allow(unsafe_code, reason = "calls C and is called from outside the module")]

#[cfg(target_arch = "wasm32")]
mod module {
    use opus_wasm_sys as _;

    unsafe extern "C" {
        fn sidetone_check(kernel: i32, seed: u32) -> f64;
    }

    /// Greatest deviation of the kernel, or -1 where there is none of that number.
    #[unsafe(no_mangle)]
    extern "C" fn check(kernel: i32, seed: u32) -> f64 {
        // SAFETY: takes two numbers; its buffers are its own.
        unsafe { sidetone_check(kernel, seed) }
    }
}
