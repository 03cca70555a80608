//! Generated from the WIT files. Not public: the records here would show a key to whoever prints them.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]

wasmtime::component::bindgen!({
    path: "wit",
    world: "processor",
});
