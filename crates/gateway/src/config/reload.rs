//! What of a new configuration a running gateway can take on.

use super::load::hidden;
use super::settings::{SETTINGS, Setting};
use super::validate::value_of;
use super::{Config, History, Http, Limits, Log, Mqtt, Udp};
use toml::{Table, Value};

/// What became of a new configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Settings in force from now on; `mqtt.certificate` also where its file is another one than before.
    pub applied: Vec<String>,
    /// Settings that differ, and need a restart.
    pub restart: Vec<String>,
}

impl Config {
    /// What is in force when `new` comes while this is running; the pool has room for `room` calls.
    pub(crate) fn adopt(&self, new: &Self, room: u32) -> (Self, Change) {
        let raised = new.limits.calls > self.limits.calls.max(room);
        let (shown, wanted) = (&self.mqtt, &new.mqtt);
        let effective = Self {
            // What listens with TLS cannot do without, and whoever asks for certificates goes on asking.
            mqtt: Mqtt {
                certificate: wanted.certificate.clone().or_else(|| shown.certificate.clone()),
                key: wanted.key.clone().or_else(|| shown.key.clone()),
                client_ca: wanted.client_ca.clone().or_else(|| shown.client_ca.clone()),
                ..shown.clone()
            },
            udp: Udp { public_host: new.udp.public_host.clone(), public_port: new.udp.public_port, ..self.udp.clone() },
            http: Http {
                token: new.http.token.clone(),
                dashboard_page: new.http.dashboard_page.clone(),
                device_page: new.http.device_page.clone(),
                ..self.http.clone()
            },
            audio: new.audio.clone(),
            limits: Limits { calls: if raised { self.limits.calls } else { new.limits.calls }, ..new.limits.clone() },
            session: new.session.clone(),
            history: History { file: self.history.file.clone(), ..new.history.clone() },
            alerts: new.alerts.clone(),
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
                || hidden(self, setting.name) != hidden(other, setting.name)
        };
        let mut names: Vec<_> = SETTINGS.iter().filter(differs).map(|setting| setting.name.to_owned()).collect();
        if self.alerts.rules != other.alerts.rules {
            names.push("alerts.rules".into());
        }
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

#[cfg(test)]
mod tests {
    use super::super::{Applies, Kind};
    use super::*;

    /// A value that is not the default.
    fn other(setting: &Setting, default: Option<&Value>) -> Value {
        let differs = |value: &Value| Some(value) != default;
        let mut candidates: Vec<Value> = match setting.kind {
            Kind::Listen => vec!["127.0.0.1:9".into()],
            Kind::Flag => vec![true.into(), false.into()],
            Kind::Whole(least, _) => vec![Value::Integer(least as i64), Value::Integer(least as i64 + 1)],
            Kind::Numbers(numbers) => numbers.iter().map(|&number| Value::Integer(number as i64)).collect(),
            Kind::Words(words) => words.iter().map(|&word| word.into()).collect(),
            Kind::Url(schemes) => vec![format!("{}://host", schemes[0]).into()],
            Kind::Origins => vec![vec!["https://host"].into()],
            Kind::Level => vec!["debug".into()],
            _ => vec!["other".into()],
        };
        candidates.retain(differs);
        candidates.swap_remove(0)
    }

    #[test]
    fn the_table_says_what_takes_effect_at_once() {
        let default = Config::default();
        let table = default.to_table().unwrap();
        for setting in SETTINGS.iter().filter(|setting| setting.kind != Kind::SecretFile) {
            let value = other(setting, value_of(&table, setting));
            let text = format!("[{}]\n{} = {value}", setting.section(), setting.key());
            let new: Config = toml::from_str(&text).unwrap();
            let (_, change) = default.adopt(&new, default.limits.calls);
            let (applied, restart) = match setting.applies {
                Applies::Live => (vec![setting.name.to_owned()], vec![]),
                Applies::Start => (vec![], vec![setting.name.to_owned()]),
            };
            assert_eq!(change, Change { applied, restart }, "{}", setting.name);
        }
    }

    #[test]
    fn more_calls_than_there_is_room_for_need_a_restart() {
        let (old, mut new) = (Config::default(), Config::default());
        new.limits.calls = old.limits.calls + 1;
        let (effective, change) = old.adopt(&new, old.limits.calls);
        assert_eq!((effective.limits.calls, change.restart), (old.limits.calls, vec!["limits.calls".to_owned()]));
        let (effective, change) = old.adopt(&new, old.limits.calls + 1);
        assert_eq!((effective.limits.calls, change.applied), (new.limits.calls, vec!["limits.calls".to_owned()]));
    }
}
