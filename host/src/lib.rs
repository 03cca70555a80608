//! Runs the Sidetone component in wasmtime.
//!
//! An [`Engine`] compiles a [`Component`] once (0.3-0.4 s); each [`Instance`] of it is a sandbox of its own, with its
//! own memory, made in some ten microseconds from a pool of slots. Every call into an instance has a deadline, enforced
//! inside the guest: an endless loop ends like any other failure. Whatever makes an instance fail (trap, deadline,
//! memory limit) ends that instance alone; it is dropped at once and never called again.
//!
//! ```no_run
//! use sidetone_host::{Engine, EngineConfig, Key};
//! use sidetone_session::Config;
//!
//! let engine = Engine::new(&EngineConfig::default())?;
//! let component = engine.compile(sidetone_artifact::COMPONENT)?;
//!
//! let key = Key::new([7; 16]);
//! let mut device = component.open(&key, &Config::device(1))?;
//! let mut gateway = component.open(&key, &Config::gateway(1))?;
//! for datagram in device.send(&[0; 960], 0)? {
//!     assert_eq!(gateway.receive(&datagram)?.samples.len(), 960);
//! }
//! # Ok::<(), sidetone_host::Error>(())
//! ```
//!
//! That is one session on the caller's thread. For many sessions of many tenants, use a [`Pool`]: it runs them on worker
//! threads, restarts what fails without using a nonce twice, and holds tenants to their quotas. Its metrics are listed in
//! [`metrics`]; see [`pool`] for what each failure costs.
#![forbid(unsafe_code)]

mod bindings;
mod bounds;
mod codec;
mod component;
mod config;
mod convert;
mod engine;
mod error;
mod guest_error;
mod instance;
mod key;
pub mod metrics;
mod packet;
pub mod pool;
mod session;
mod ticker;
mod world;

pub use codec::{Decoder, Encoder, EncoderConfig};
pub use component::Component;
pub use config::{DEADLINE, EngineConfig, INIT_DEADLINE};
pub use engine::Engine;
pub use error::{Cause, Error, Failure};
pub use guest_error::{CodecError, ConfigError, OpenError, SealError, SendError};
pub use instance::{Instance, Limits};
pub use key::{Key, KeyError};
pub use packet::{CacheCounts, Candidate, Opener, Packets, Sealer};
pub use pool::{Pool, PoolDecoder, PoolEncoder, PoolError, PoolSession, Quota};
pub use session::{Received, Session, Stats};
pub use world::Difference;
