//! The gateway: devices connect to it, every stream of theirs runs in a pooled instance of the component, and their
//! speech goes on to a back end through a [`bridge`].
//!
//! ```text
//!  edges                    one task a device                        worker threads
//!  MQTT, broker, WebSocket ── Link ──▶ GatewaySession (protocol)
//!  UDP, WebTransport ── datagrams ──▶ Call ── PoolSession ──────────▶ instance (open, decode / encode, seal)
//!                                      │
//!                                      └── Leg ──▶ bridge: echo, speech server, recorder, one of your own
//! ```
//!
//! Every queue is bounded, every wait has a deadline. What a queue drops, and what a call refuses, is counted.

#![forbid(unsafe_code)]

mod alerts;
pub mod bridge;
mod calendar;
mod calls;
pub mod config;
mod counters;
mod descriptors;
mod detect;
mod device;
mod edge;
mod error;
pub mod exported;
mod gateway;
mod history;
mod http;
pub mod link;
mod listeners;
mod media;
mod memory;
mod monitor;
mod prometheus;
mod protect;
mod registry;
mod retry;
mod security;
mod shared;

pub use config::Config;
pub use edge::WebTransportInfo;
pub use error::StartError;
pub use gateway::Gateway;
pub use listeners::{Addresses, LoopbackMqtt};
pub use monitor::reference as series_reference;
