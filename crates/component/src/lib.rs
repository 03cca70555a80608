//! The component's glue: WIT on one side, `sidetone-session`, `-opus` and `-packet` on the other, nothing in between.
//!
//! Invariant: no import. There is no `std` here, so that none can slip in; a panic is a trap.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, reason = "the WIT files say it")]

extern crate alloc;

mod codec;
mod convert;
mod memory;
mod packet;
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

struct Component;

#[allow(unsafe_code, clippy::undocumented_unsafe_blocks)]
mod exports {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);
}
