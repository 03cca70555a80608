//! Tenants and their quotas, as a worker is told of them: `toys:frames=2000,cpu=0.5,memory=32M,sessions=2`.

use sidetone_host::Quota;
use std::time::Duration;

/// The tenant of jobs that name none; always known, without bounds.
pub const NOBODY: &str = "batch";

/// Longest name of a tenant, bytes.
const MOST: usize = 64;

/// A tenant and what its jobs may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its name.
    pub name: String,
    /// What it may use, all its jobs together.
    pub quota: Quota,
}

impl Tenant {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, bounds) = text.split_once(':').unwrap_or((text, ""));
        let name = checked_name(name)?.to_owned();
        let mut quota = Quota::UNLIMITED;
        for bound in bounds.split(',').filter(|bound| !bound.is_empty()) {
            let (what, value) = bound.split_once('=').unwrap_or((bound, ""));
            let bad = |allowed: &str| format!("{what}={value}: {allowed}");
            let whole = || value.parse::<u32>().ok().filter(|&number| number > 0);
            match what {
                "sessions" => {
                    quota.sessions = Some(whole().ok_or_else(|| bad("instances at a time, a whole number above 0"))?);
                }
                "frames" => {
                    quota.frames_per_second =
                        Some(whole().ok_or_else(|| bad("frames a second, a whole number above 0"))?);
                }
                "cpu" => {
                    let cores = value.parse().ok().filter(|&cores: &f64| cores > 0.0 && cores <= 1024.0);
                    let cores = cores.ok_or_else(|| bad("cores, such as 0.5"))?;
                    quota.cpu_per_second = Some(Duration::from_secs_f64(cores));
                }
                "memory" => quota.memory = Some(memory(value).ok_or_else(|| bad("bytes of an instance, such as 32M"))?),
                "deadline" => {
                    let millis = whole().ok_or_else(|| bad("ms of one call, a whole number above 0"))?;
                    quota.deadline = Some(Duration::from_millis(millis.into()));
                }
                _ => return Err(format!("{what:?} is no quota; there are sessions, frames, cpu, memory and deadline")),
            }
        }
        Ok(Self { name, quota })
    }
}

/// A name of a tenant, if it is one.
///
/// # Errors
/// What is allowed.
pub fn checked_name(name: &str) -> Result<&str, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if (1..=MOST).contains(&name.len()) && name.chars().all(allowed) {
        Ok(name)
    } else {
        Err(format!("a tenant's name is 1 to {MOST} letters, digits, dots, dashes and underscores"))
    }
}

fn memory(text: &str) -> Option<usize> {
    let (number, unit) = match text.char_indices().next_back()? {
        (end, 'K' | 'k') => (&text[..end], 1 << 10),
        (end, 'M' | 'm') => (&text[..end], 1 << 20),
        _ => (text, 1),
    };
    number.parse::<usize>().ok()?.checked_mul(unit).filter(|&bytes| bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_read_bound_by_bound() {
        let tenant = Tenant::parse("toys:frames=2000,cpu=0.5,memory=32M,sessions=2,deadline=500").unwrap();
        let quota = Quota {
            sessions: Some(2),
            frames_per_second: Some(2000),
            cpu_per_second: Some(Duration::from_millis(500)),
            memory: Some(32 << 20),
            deadline: Some(Duration::from_millis(500)),
            ..Quota::UNLIMITED
        };
        assert_eq!(tenant, Tenant { name: "toys".to_owned(), quota });
        assert_eq!(Tenant::parse("toys").unwrap().quota, Quota::UNLIMITED);
    }

    #[test]
    fn what_is_no_quota_is_named() {
        for (text, message) in [
            ("", "a tenant's name is 1 to 64 letters, digits, dots, dashes and underscores"),
            ("a b", "a tenant's name is 1 to 64 letters, digits, dots, dashes and underscores"),
            ("a:speed=3", "\"speed\" is no quota; there are sessions, frames, cpu, memory and deadline"),
            ("a:frames=0", "frames=0: frames a second, a whole number above 0"),
            ("a:cpu=-1", "cpu=-1: cores, such as 0.5"),
            ("a:memory=lots", "memory=lots: bytes of an instance, such as 32M"),
        ] {
            assert_eq!(Tenant::parse(text).unwrap_err(), message, "{text}");
        }
    }
}
