//! `[tenants.NAME]`: quotas.

use super::QualityName;
use serde::{Deserialize, Serialize};

/// What a tenant may use. What is left out is not limited.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenant {
    /// Calls at a time.
    pub calls: Option<u32>,
    /// Frames a second, both directions.
    pub frames_per_second: Option<u32>,
    /// Milliseconds of guests' time a second.
    pub cpu_ms_per_second: Option<u64>,
    /// Quality, whatever the load.
    pub quality: Option<QualityName>,
}

impl From<&Tenant> for sidetone_host::Quota {
    fn from(tenant: &Tenant) -> Self {
        Self {
            sessions: tenant.calls,
            frames_per_second: tenant.frames_per_second,
            cpu_per_second: tenant.cpu_ms_per_second.map(std::time::Duration::from_millis),
            pin: tenant.quality.map(Into::into),
            ..Self::UNLIMITED
        }
    }
}
