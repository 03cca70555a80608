//! The built component, as bytes, with what identifies it.
//!
//! The build script compiles it (release, LTO across Rust crates, wasm SIMD); see there for how. `CORE_MODULE` is part
//! of `COMPONENT`, byte for byte: it is what a browser instantiates after the component was transpiled.
#![forbid(unsafe_code)]

/// The component: a WebAssembly component (binary format) of world `sidetone:media/processor`.
pub const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sidetone.component.wasm"));

/// The core module inside [`COMPONENT`].
pub const CORE_MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sidetone.core.wasm"));

/// SHA-256 of [`COMPONENT`], in hex.
pub const COMPONENT_SHA256: &str = env!("SIDETONE_COMPONENT_SHA256");

/// SHA-256 of [`CORE_MODULE`], in hex.
pub const CORE_SHA256: &str = env!("SIDETONE_CORE_SHA256");

/// Version of libopus inside; the component itself says the same (`codec.libopus-version`).
pub const LIBOPUS_VERSION: &str = "1.6.1";

/// What compiled the component, as it says itself: `clang 19.1.7, rustc 1.95.0`. How fast it is depends on that.
pub const COMPILERS: &str = env!("SIDETONE_COMPILERS");
