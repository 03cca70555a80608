//! One device's voice stream: sealed datagrams to PCM, and PCM to sealed datagrams.
//!
//! [`Session`] joins the packet crypto and the codec and adds what lies between them: gap detection,
//! concealment and recovery of what was lost, framing, quality steps, and the counters an operator asks for. It owns
//! no socket, no thread and no clock: time comes in as an argument, datagrams go out through a closure.
//!
//! The [`Role`] says which end this is. A gateway opens uplink and seals downlink; a device does the opposite, and so
//! the same code is the heart of a device emulator.
//!
//! ```
//! use sidetone_session::{Config, Role, Session};
//!
//! let key = [7; 16];
//! let mut device = Session::new(&key, &Config::device(0xa1b2_c3d4))?;
//! let mut gateway = Session::new(&key, &Config::gateway(0xa1b2_c3d4))?;
//!
//! // The device speaks 60 ms at 16 kHz …
//! let mut datagrams = Vec::new();
//! device.send(&[0; 960], 0, |datagram| datagrams.push(datagram.to_vec()))?;
//!
//! // … and the gateway hears it.
//! let heard = gateway.receive(&datagrams[0])?;
//! assert_eq!(heard.samples.len(), 960);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Hazards
//!
//! A session codes ONE stream, in order. After an error every session stays usable. A session that is opened anew
//! with an old key must be given the [`State`] of the one before it, or nonces repeat.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod codec;
mod config;
mod error;
mod incoming;
mod outgoing;
mod quality;
mod session;
mod stats;
mod text;

#[cfg(feature = "libopus")]
pub use codec::Libopus;
pub use codec::{Codec, FrameDecoder, FrameEncoder};
pub use config::{Config, Delivery, Incoming, Outgoing, Payload, Role, Timestamps};
pub use error::{ConfigError, ReceiveError, SendError};
pub use incoming::{Kind, PREFIX_LEN, Received, Undecodable};
pub use quality::Quality;
pub use session::{Session, State};
pub use stats::Stats;
