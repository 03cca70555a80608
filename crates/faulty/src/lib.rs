//! The Sidetone component, made to fail: the same world over the same crates, with faults that the caller asks for. Not
//! shipped.
//!
//! A fault is `kknn`: in way `kk` (see `fault`), at call `nn`. A session is asked for it by the connection id
//! `0xfa17_kknn`, an encoder by a bitrate of `0x1_kknn`, the packet functions by a key that starts with the bytes
//! `fa 17 kk nn`; a decoder fails in way `kk` at a packet that ends with `fa 17 kk`. Everything else is served as the
//! real component does.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, reason = "the WIT files say it")]

extern crate alloc;

mod codecs;
mod fault;
mod packets;
mod stream;

// The real component's glue: its conversions, its allocator, and what has no fault.
#[path = "../../component/src/codec.rs"]
#[allow(dead_code)]
mod codec;
#[path = "../../component/src/convert.rs"]
mod convert;
#[path = "../../component/src/memory.rs"]
mod memory;
#[path = "../../component/src/packet.rs"]
mod packet;
#[path = "../../component/src/session.rs"]
#[allow(dead_code)]
mod session;

// The generated glue of an exported resource is unsafe by nature.
#[allow(unsafe_code, unreachable_pub, clippy::all, clippy::undocumented_unsafe_blocks)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "processor",
        pub_export_macro: true,
        generate_all,
    });
}

/// What the real glue is written for.
struct Component;

/// What is exported.
struct Faulty;

#[allow(unsafe_code, clippy::undocumented_unsafe_blocks)]
mod exports {
    use super::{Faulty, bindings};
    bindings::export!(Faulty with_types_in bindings);
}
