//! The component that fails on purpose (`crates/faulty`), built. For tests.
#![forbid(unsafe_code)]

/// A component of world `sidetone:media/processor`.
pub const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/faulty.component.wasm"));
