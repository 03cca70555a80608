//! What of a new configuration a running gateway can take on.

use super::load::secret;
use super::settings::{SETTINGS, Setting};
use super::validate::value_of;
use super::{Config, Http, Limits, Log, Udp};
use toml::{Table, Value};

/// What became of a new configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Settings in force from now on.
    pub applied: Vec<String>,
    /// Settings that differ, and need a restart.
    pub restart: Vec<String>,
}

impl Config {
    /// What is in force when `new` comes while this is running; the pool has room for `room` calls.
    pub(crate) fn adopt(&self, new: &Self, room: u32) -> (Self, Change) {
        let raised = new.limits.calls > self.limits.calls.max(room);
        let effective = Self {
            udp: Udp { public_host: new.udp.public_host.clone(), public_port: new.udp.public_port, ..self.udp.clone() },
            http: Http { token: new.http.token.clone(), ..self.http.clone() },
            audio: new.audio.clone(),
            limits: Limits { calls: if raised { self.limits.calls } else { new.limits.calls }, ..new.limits.clone() },
            session: new.session.clone(),
            log: Log { level: new.log.level.clone(), ..self.log.clone() },
            tenants: new.tenants.clone(),
            ..self.clone()
        };
        let change = Change { applied: self.differences(&effective), restart: effective.differences(new) };
        (effective, change)
    }

    /// Names of settings that differ; a tenant's all together.
    fn differences(&self, other: &Self) -> Vec<String> {
        // Both were checked, and so can be written.
        let (ours, theirs) = (self.to_table().unwrap_or_default(), other.to_table().unwrap_or_default());
        let differs = |setting: &&Setting| {
            value_of(&ours, setting) != value_of(&theirs, setting)
                || secret(self, setting.name) != secret(other, setting.name)
        };
        let mut names: Vec<_> = SETTINGS.iter().filter(differs).map(|setting| setting.name.to_owned()).collect();
        let tenants = |table: &Table| table.get("tenants").and_then(Value::as_table).cloned().unwrap_or_default();
        let (ours, theirs) = (tenants(&ours), tenants(&theirs));
        let mut all: Vec<_> = ours.keys().chain(theirs.keys()).collect();
        all.sort_unstable();
        all.dedup();
        names.extend(
            all.into_iter().filter(|name| ours.get(*name) != theirs.get(*name)).map(|name| format!("tenants.{name}")),
        );
        names
    }
}
