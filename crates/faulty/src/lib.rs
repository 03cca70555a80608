//! The Sidetone component, made to fail: the same glue and the same session, with a fault in front of it that the
//! connection id asks for. Not shipped.
//!
//! A connection id of `0xfa17_kknn` makes the session fail in way `kk` (see `fault`) at its call `nn` for audio; any
//! other id makes it a session like every other.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, reason = "the WIT files say it")]

extern crate alloc;
// The component's sources name `sidetone_session`: here that is what this crate makes of it.
extern crate self as sidetone_session;
pub use faulty::Session;
pub use real::*;

#[path = "../../component/src/codec.rs"]
mod codec;
#[path = "../../component/src/convert.rs"]
mod convert;
mod fault;
mod faulty;
#[path = "../../component/src/memory.rs"]
mod memory;
#[path = "../../component/src/packet.rs"]
mod packet;
#[path = "../../component/src/session.rs"]
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
