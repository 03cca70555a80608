//! A fleet of virtual devices: load and trouble for a gateway, over real MQTT and UDP, and a report of how it fared.
//!
//! [`Fleet::run`] is the whole of it: [`Config`] says what devices there are and what they do, [`report::Report`] what
//! came of it. A device here is the same state machine as in the emulator (`sidetone_protocol::device`) with a
//! connection and a UDP port of its own; its speech is encoded once and shared, so that thousands fit into a process.
//!
//! - [`speech`]: what devices say, and how latency from mouth to ear is measured by marks in it.
//! - [`impairment`]: what happens to packets on the way.
//! - [`hostile`]: attacks, to see what the devices that behave lose by them.
//! - [`threshold`]: when a run has failed.
//! - [`cli`]: the arguments of `sidetone fleet`, and what it does.
//!
//! Everything random is drawn from one seed. What the network and the scheduler do is not: two runs are alike, not
//! equal; only the impairment's decisions are the same, packet by packet.
//!
//! Memory is bounded: a device without a call is its MQTT connection, one in a call has queues of fixed length.
//! Latencies are counted in [buckets](stats::Histogram), not kept.

#![forbid(unsafe_code)]

pub mod cli;
mod config;
mod device;
mod error;
mod fleet;
pub mod hostile;
pub mod impairment;
pub mod metric;
mod random;
pub mod report;
pub mod speech;
pub mod stats;
pub mod threshold;

pub use config::{Config, Kind, MOST_DEVICES, Pattern};
pub use error::Error;
pub(crate) use error::trouble;
pub(crate) use fleet::Shared;
pub use fleet::{Fleet, Progress};
pub use random::Random;
