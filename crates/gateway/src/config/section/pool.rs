//! `[pool]`: the workers that run the component.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The pool.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolConfig {
    /// Worker threads; none: one a processor.
    pub workers: Option<usize>,
    /// A component file to run instead of the one built in.
    pub component: Option<PathBuf>,
}
