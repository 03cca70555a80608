//! `[http]`: health, metrics and the operator's pages.

use super::super::{Listen, Secret};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// HTTP for operators.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where it listens.
    pub listen: Listen,
    /// What callers must present (`Authorization: Bearer …`). Needed to listen beyond loopback.
    pub token: Option<Secret>,
    /// Folder of a dashboard that is served at `/` instead of the one that is built in.
    pub dashboard_page: Option<PathBuf>,
    /// Folder of a device page that is served at `/device/` instead of the one that is built in.
    pub device_page: Option<PathBuf>,
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: Listen::loopback(8080), token: None, dashboard_page: None, device_page: None }
    }
}
