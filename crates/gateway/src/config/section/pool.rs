//! `[pool]`: the workers that run the component.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The pool.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolConfig {
    /// Worker threads; none: one a processor.
    pub workers: Option<usize>,
    /// Milliseconds that an instance may take for a frame.
    pub deadline: u64,
    /// Milliseconds that a frame may wait for its worker; none: as long as the frame lasts.
    pub wait: Option<u64>,
    /// A component file to run instead of the one built in.
    pub component: Option<PathBuf>,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self { workers: None, deadline: 50, wait: None, component: None }
    }
}
