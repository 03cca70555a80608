//! The device protocol beside the audio: what devices and gateways say to each other, and when.
//!
//! - [`message`]: every message both ways, tolerant in, exact out.
//! - [`topic`]: client ids, the topics of three dialects, the envelope of a broker's rule.
//! - [`credential`]: MQTT user name and password.
//! - [`websocket`]: binary frames of the WebSocket flavours.
//! - [`session`]: the gateway's end of a connection, as a state machine; [`device`]: the device's end.
//!
//! # ⚠️ What the protocol does not give
//!
//! The key of the audio travels in a hello reply, in the clear but for TLS below it. Here keys are zeroised when
//! dropped, shown by no `Debug`, and repeated in no error; texts of hello replies are zeroised by
//! [`GatewayMessage::to_json`](message::GatewayMessage::to_json)'s return type.
//!
//! Nothing here owns a socket, a clock, a thread or a random source: [`Time`] and random bytes come in as arguments.
//! Gateway, fleet and browser share this crate; it builds for wasm32.

#![forbid(unsafe_code)]

pub mod credential;
pub mod device;
mod media;
pub mod message;
mod secret;
pub mod session;
mod time;
pub mod topic;
pub mod websocket;

pub use media::Media;
pub use secret::{HelloNonce, SecretError, SessionKey};
pub use time::Time;
