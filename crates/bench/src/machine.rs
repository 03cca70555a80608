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
    /// What compiled the component measured.
    pub compilers: &'static str,
    /// SHA-256 of it.
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
            compilers: sidetone_artifact::COMPILERS,
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

/// Watches how much of the machine's time others take: other processes, and other machines on the same processors.
#[derive(Debug)]
pub struct Others(Option<Times>);

/// In the clock ticks that Linux counts by.
#[derive(Debug, Clone, Copy)]
struct Times {
    /// Of all processors together.
    all: u64,
    /// Of that, idle.
    idle: u64,
    /// Taken by this process, and by its children that have ended.
    own: u64,
}

impl Others {
    /// Begins to watch.
    #[must_use]
    pub fn watch() -> Self {
        Self(Times::now())
    }

    /// The share of the machine's time that others have taken since, from 0 to 1; `None` where the system does not tell.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let (before, now) = (self.0?, Times::now()?);
        let all = now.all.saturating_sub(before.all);
        let busy = all.saturating_sub(now.idle.saturating_sub(before.idle));
        let others = busy.saturating_sub(now.own.saturating_sub(before.own));
        (all > 0).then(|| others as f64 / all as f64)
    }
}

impl Times {
    fn now() -> Option<Self> {
        Self::read(&fs::read_to_string("/proc/stat").ok()?, &fs::read_to_string("/proc/self/stat").ok()?)
    }

    fn read(machine: &str, process: &str) -> Option<Self> {
        // user nice system idle iowait irq softirq steal; guests' time is in user's already.
        let line = machine.lines().next()?.strip_prefix("cpu ")?;
        let times: Vec<u64> = line.split_whitespace().take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
        // The name, in brackets, may have spaces; the 14th to 17th fields are utime, stime, cutime, cstime.
        let (_, fields) = process.rsplit_once(')')?;
        let own = fields.split_whitespace().skip(11).take(4).map(str::parse::<u64>).sum::<Result<_, _>>().ok()?;
        Some(Self { all: times.iter().sum(), idle: times.get(3)? + times.get(4)?, own })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_times_are_read_as_they_are_written() {
        let machine = "cpu  100 1 50 800 40 3 5 1 7 0\ncpu0 50 0 25 400 20 1 2 0 0 0\n";
        let process = "42 (a (strange) name) S 1 42 42 0 -1 4194560 900 800 0 0 30 20 4 1 20 0 9 0 100 1 2 3\n";
        let times = Times::read(machine, process).expect("reads");
        assert_eq!((times.all, times.idle, times.own), (1000, 840, 55));
        assert!(Times::read("intr 5", process).is_none() && Times::read(machine, "").is_none());
    }
}
