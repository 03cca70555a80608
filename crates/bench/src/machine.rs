//! What the figures were measured on.

use serde::Serialize;
use std::fs;

/// The machine and the versions behind a report.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Model of the processor, as the system calls it.
    pub cpu: String,
    /// Processors this process may use.
    pub cores: usize,
    /// Operating system and architecture.
    pub system: String,
    /// Version of libopus.
    pub libopus: &'static str,
    /// SHA-256 of the component measured.
    pub component: &'static str,
    /// Load average of the last minute at the start, where the system tells.
    pub load: Option<f64>,
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn here() -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        Self {
            cpu: model.map_or_else(|| "unknown".to_owned(), |(_, name)| name.trim().to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            libopus: sidetone_artifact::LIBOPUS_VERSION,
            component: sidetone_artifact::COMPONENT_SHA256,
            load: fs::read_to_string("/proc/loadavg").ok().and_then(|l| l.split(' ').next()?.parse().ok()),
        }
    }
}

/// Resident memory of this process in KiB; `None` where the system does not tell.
#[must_use]
pub fn resident_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}
