//! A voice device in a browser: everything of it but sockets, audio hardware, codec and crypto.
//!
//! - [`control`]: [`Device`](sidetone_protocol::device::Device) with JSON in and out.
//! - [`mqtt`]: an MQTT 3.1.1 client that is given bytes and gives bytes.
//! - [`impairment`]: loses, delays, reorders and repeats packets, the same ones for the same seed.
//! - [`playout`]: from packets to a frame of audio whenever one is due: as firmware does, or better.
//! - [`jitter`]: interarrival jitter (RFC 3550).
//! - [`resample`]: from the rate of a sound card to the rate of a call, and back.
//! - [`identity`]: client id and credentials.
//!
//! Time comes in as milliseconds since a start that the caller chooses; nothing here owns a clock, a socket or a random
//! source. The bindings for JavaScript are in [`bindings`], and decide nothing.

pub mod bindings;
pub mod control;
pub mod identity;
pub mod impairment;
pub mod jitter;
pub mod mqtt;
pub mod playout;
mod random;
pub mod resample;
