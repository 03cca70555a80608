//! The component on its WIT interface, without the host crate: any value that the interface can carry.

use std::sync::LazyLock;
use wasmtime::component::{Component, Linker, ResourceAny};
use wasmtime::{Engine, Store};

/// Generated from the WIT files.
#[allow(missing_docs, clippy::all, reason = "generated")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "processor",
        additional_derives: [PartialEq],
    });
}

pub use bindings::Processor;
pub use bindings::exports::sidetone::media::{codec, packet, session, types};

static COMPONENT: LazyLock<Component> = LazyLock::new(|| {
    Component::from_binary(&Engine::default(), sidetone_artifact::COMPONENT).expect("the component compiles")
});

/// An instance.
pub struct Guest {
    /// Where it lives.
    pub store: Store<()>,
    /// Its exports.
    pub exports: Processor,
}

impl Guest {
    /// A fresh one.
    ///
    /// # Panics
    /// Where there is none to be had.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it is not cheap")]
    pub fn new() -> Self {
        let mut store = Store::new(COMPONENT.engine(), ());
        let exports = Processor::instantiate(&mut store, &COMPONENT, &Linker::new(COMPONENT.engine()));
        Self { exports: exports.expect("an instance"), store }
    }

    /// Drops what a resource stands for.
    ///
    /// # Panics
    /// Where the guest traps.
    pub fn drop(&mut self, resource: ResourceAny) {
        resource.resource_drop(&mut self.store).expect("dropping traps not");
    }
}

/// A key as it crosses the interface.
#[must_use]
pub const fn key(bytes: &[u8; 16]) -> types::Key {
    let value = u128::from_be_bytes(*bytes);
    types::Key { high: (value >> 64) as u64, low: value as u64 }
}

/// An encoder's configuration: voice, 24 kbit/s, complexity 5.
#[must_use]
pub const fn voice(sample_rate: u32, channels: u8) -> codec::EncoderConfig {
    codec::EncoderConfig {
        sample_rate,
        channels,
        application: types::Application::Voip,
        bitrate: types::Bitrate::BitsPerSecond(24_000),
        complexity: 5,
        vbr: true,
        dtx: false,
        fec: false,
        expected_loss: 0,
        max_bandwidth: types::Bandwidth::Full,
        signal: types::Signal::Auto,
        split: types::Split::Auto,
    }
}

/// A session's configuration: the gateway's end of a call with a usual device, as `sidetone_session::Config::gateway`.
#[must_use]
pub const fn gateway(connection_id: u32) -> session::Config {
    session::Config {
        role: session::Role::Gateway,
        connection_id,
        incoming: session::Incoming {
            payload: session::Payload::Opus,
            delivery: session::Delivery::Pcm,
            frame: 60_000,
            channels: 1,
            sample_rate: 16_000,
            max_concealed: 5,
            forward_limit: 500,
            accept_unmarked_downlink: false,
        },
        outgoing: session::Outgoing {
            payload: session::Payload::Opus,
            frame: 60_000,
            channels: 1,
            sample_rate: 24_000,
            application: types::Application::Voip,
            bitrate: types::Bitrate::Auto,
            vbr: true,
            dtx: false,
            fec: false,
            expected_loss: 0,
            signal: types::Signal::Auto,
            split: types::Split::Auto,
            timestamps: session::Timestamps::Elapsed,
        },
        quality: session::Quality::Full,
        resume: None,
    }
}
