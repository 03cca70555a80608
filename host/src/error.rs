//! What can go wrong between the host and a guest.

use crate::guest_error::{CodecError, ConfigError, OpenError, SealError, SendError};
use std::time::Duration;
use thiserror::Error;

/// An error of the host. [`is_fatal`](Self::is_fatal) tells whether the instance survived it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// wasmtime did not start with these settings on this machine.
    #[error("the engine does not start: {0}")]
    Engine(String),
    /// The bytes are no WebAssembly component.
    #[error("not a WebAssembly component that this engine compiles: {0}")]
    Compile(String),
    /// The component asks the host for something.
    #[error("the component imports {}; a Sidetone component imports nothing", .0.join(", "))]
    Imports(Vec<String>),
    /// The component is not of the world `sidetone:media/processor`.
    #[error("not a Sidetone component of this version: {0}")]
    World(String),
    /// Every slot of the pool is taken.
    #[error("all {instances} instances are in use")]
    Busy {
        /// Slots of the pool.
        instances: u32,
    },
    /// The machine does not give what a further instance needs.
    #[error("the machine has no room for a further instance (memory, or vm.max_map_count): {why}")]
    Exhausted {
        /// In wasmtime's words.
        why: String,
    },
    /// The guest failed, and its instance is gone.
    #[error(transparent)]
    Failed(Failure),
    /// The instance failed before.
    #[error("the instance has failed before and is gone")]
    Dead,
    /// The guest refused a setting or a frame.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The guest refused to open a session.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The guest dropped a datagram.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The guest did not seal a payload.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The guest did not send PCM.
    #[error(transparent)]
    Send(#[from] SendError),
}

impl Error {
    pub(crate) fn engine(error: wasmtime::Error) -> Self {
        Self::Engine(format!("{error:#}"))
    }

    /// Whether the instance is gone.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Dead)
    }
}

impl Error {
    /// A word for it, for metrics. Of what a guest refuses, the reason.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Engine(_) => "engine",
            Self::Compile(_) => "compile",
            Self::Imports(_) => "imports",
            Self::World(_) => "world",
            Self::Busy { .. } => "busy",
            Self::Exhausted { .. } => "exhausted",
            Self::Failed(_) => "failed",
            Self::Dead => "dead",
            Self::Codec(_) | Self::Send(SendError::Codec(_)) => "codec",
            Self::Config(_) => "config",
            Self::Open(error) => error.label(),
            Self::Seal(_) | Self::Send(SendError::Seal(_)) => "seal",
            Self::Send(SendError::Uneven(_)) => "uneven",
            Self::Send(SendError::TooLong { .. }) => "too_long",
        }
    }
}

/// How a guest failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the guest failed: {cause}")]
pub struct Failure {
    /// Why.
    pub cause: Cause,
    /// The guest's functions at that moment, innermost first; for a log.
    pub backtrace: String,
}

/// Why a guest failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Cause {
    /// It took longer than it may.
    #[error("it missed its deadline of {0:?}")]
    Deadline(Duration),
    /// It asked for more memory than it may have.
    #[error("it needs more than its {limit} bytes of memory")]
    Memory {
        /// Most linear memory, in bytes.
        limit: usize,
    },
    /// It called too deeply.
    #[error("it overflowed its stack")]
    StackOverflow,
    /// Any other trap, in wasmtime's words.
    #[error("{0}")]
    Trap(String),
    /// It returned something that is no value of the type it should have, or called where it must not.
    #[error("it broke the interface: {0}")]
    BrokenReturn(String),
}
