//! The module under test: `check(kernel, seed)` compares one kernel with libopus's C on random input, `time(kernel, ours,
//! rounds)` runs one or the other.
#![allow(unsafe_code, reason = "calls C and is called from outside the module")]

#[cfg(target_arch = "wasm32")]
mod module {
    use opus_wasm_sys as _;

    unsafe extern "C" {
        fn sidetone_check(kernel: i32, seed: u32) -> f64;
        fn sidetone_time(kernel: i32, ours: i32, rounds: i32) -> i32;
    }

    /// Greatest deviation of the kernel, or -1 where there is none of that number.
    #[unsafe(no_mangle)]
    extern "C" fn check(kernel: i32, seed: u32) -> f64 {
        // SAFETY: takes two numbers; its buffers are its own.
        unsafe { sidetone_check(kernel, seed) }
    }

    /// Samples of a round, or -1 where there is no kernel of that number.
    #[unsafe(no_mangle)]
    extern "C" fn time(kernel: i32, ours: i32, rounds: i32) -> i32 {
        // SAFETY: takes three numbers; its buffers are its own.
        unsafe { sidetone_time(kernel, ours, rounds) }
    }
}

/// Builds the module below `target`, with the cargo that built this.
///
/// # Errors
/// A sentence, where it does not build.
#[cfg(not(target_arch = "wasm32"))]
pub fn build(target: &std::path::Path) -> Result<std::path::PathBuf, String> {
    let target = target.join("kernel-tests");
    let status = std::process::Command::new(env!("CARGO"))
        .args(["build", "--release", "--lib", "--target", "wasm32-unknown-unknown"])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "--target-dir"])
        .arg(&target)
        .env_remove("RUSTFLAGS")
        // As the component is built: crates/artifact/build/wasm.rs.
        .env("CARGO_ENCODED_RUSTFLAGS", "-Clink-arg=-mllvm=-disable-lsr")
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if status.success() {
        Ok(target.join("wasm32-unknown-unknown/release/opus_kernel_tests.wasm"))
    } else {
        Err("the kernels did not build for wasm32: run `cargo xtask setup`".to_owned())
    }
}
