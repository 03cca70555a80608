//! What a configuration must be as a whole, whoever made it.

use super::load::hidden;
use super::problem::{ConfigError, Problem};
use super::settings::{SETTINGS, Setting, TENANT_SETTINGS};
use super::{BridgeKind, Config, Listen, certified_key};
use crate::alerts::parse_webhook;
use std::path::Path;
use toml::{Table, Value};

impl Config {
    /// Checks everything that can be known before it starts: values, what they need of each other, and the files that
    /// they name.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_empty(self.problems())
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = self.values();
        if problems.is_empty() {
            self.together(&mut problems);
            self.files(&mut problems);
            problems.extend(crate::security::problems(self).into_iter().map(|(name, why)| Problem::new(name, why)));
        }
        problems
    }

    fn values(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let table = match self.to_table() {
            Ok(table) => table,
            // A number beyond what TOML holds.
            Err(error) => return vec![Problem::new("configuration", error.message())],
        };
        for setting in SETTINGS {
            if let Some(value) = value_of(&table, setting) {
                problems.extend(judge(setting.name, setting, value, hidden(self, setting.name)));
            }
        }
        for (index, key, value, why) in self.alerts.rule_problems() {
            let name = self.alerts.rules.get(index).map_or("?", |rule| rule.name.as_str());
            problems.push(Problem { value, ..Problem::new(format!("alerts.rules.{name}.{key}"), why) });
        }
        let tenants = table.get("tenants").and_then(Value::as_table).into_iter().flatten();
        for (tenant, quotas) in tenants {
            for setting in TENANT_SETTINGS {
                if let Some(value) = quotas.get(setting.name) {
                    problems.extend(judge(&format!("tenants.{tenant}.{}", setting.name), setting, value, None));
                }
            }
        }
        problems
    }

    /// As TOML, secrets masked.
    pub(super) fn to_table(&self) -> Result<Table, SerializeError> {
        Table::try_from(self).map_err(|error| SerializeError(error.to_string()))
    }

    fn together(&self, problems: &mut Vec<Problem>) {
        let mut needs = |there: bool, given: bool, name: &'static str, other: &str| {
            if there && !given {
                problems.push(Problem::new(name, format!("needs {other}, which is not set")));
            }
        };
        let (mqtt, broker) = (&self.mqtt, &self.broker);
        needs(mqtt.certificate.is_some(), mqtt.key.is_some(), "mqtt.certificate", "mqtt.key");
        needs(mqtt.key.is_some(), mqtt.certificate.is_some(), "mqtt.key", "mqtt.certificate");
        needs(mqtt.tls_listen != Listen::OFF, mqtt.certificate.is_some(), "mqtt.tls_listen", "mqtt.certificate");
        needs(self.web.tls_listen != Listen::OFF, mqtt.certificate.is_some(), "web.tls_listen", "mqtt.certificate");
        needs(mqtt.client_ca.is_some(), mqtt.certificate.is_some(), "mqtt.client_ca", "mqtt.certificate");
        needs(broker.certificate.is_some(), broker.key.is_some(), "broker.certificate", "broker.key");
        needs(broker.key.is_some(), broker.certificate.is_some(), "broker.key", "broker.certificate");
        needs(broker.password.is_some(), broker.username.is_some(), "broker.password", "broker.username");
        needs(broker.username.is_some(), broker.url.is_some(), "broker.username", "broker.url");
        needs(broker.envelope_topic.is_some(), broker.url.is_some(), "broker.envelope_topic", "broker.url");
        needs(self.bridge.kind == BridgeKind::Websocket, self.bridge.url.is_some(), "bridge.kind", "bridge.url");
        let alerts = &self.alerts;
        needs(alerts.webhook_token.is_some(), alerts.webhook.is_some(), "alerts.webhook_token", "alerts.webhook");
        needs(alerts.webhook_ca.is_some(), alerts.webhook.is_some(), "alerts.webhook_ca", "alerts.webhook");
        if let Some(Err(why)) = alerts.webhook.as_ref().map(|webhook| parse_webhook(webhook.expose())) {
            problems.push(Problem::new("alerts.webhook", why));
        }
        if alerts
            .webhook_token
            .as_ref()
            .is_some_and(|token| token.expose().bytes().any(|byte| !(0x20..0x7f).contains(&byte)))
        {
            let why = "holds a character that no HTTP header takes: use visible ASCII";
            problems.push(Problem::new("alerts.webhook_token", why));
        }
        self.shared_ports(problems);
    }

    /// Two that would listen at the same place.
    fn shared_ports(&self, problems: &mut Vec<Problem>) {
        let tcp = [
            ("mqtt.listen", self.mqtt.listen),
            ("mqtt.tls_listen", self.mqtt.tls_listen),
            ("web.listen", self.web.listen),
            ("web.tls_listen", self.web.tls_listen),
            ("http.listen", self.http.listen),
        ];
        let udp = [("udp.listen", self.udp.listen), ("web.transport_listen", self.web.transport_listen)];
        for places in [&tcp[..], &udp[..]] {
            for (index, &(name, listen)) in places.iter().enumerate() {
                let taken = |&&(_, other): &&(&str, Listen)| {
                    other == listen && listen.address().is_some_and(|address| address.port() != 0)
                };
                if let Some((other, _)) = places[..index].iter().find(taken) {
                    problems.push(Problem::new(
                        name,
                        format!("{listen} is where {other} listens; give each a port of its own"),
                    ));
                }
            }
        }
    }

    fn files(&self, problems: &mut Vec<Problem>) {
        let pairs = [
            ("mqtt.certificate", "mqtt.key", &self.mqtt.certificate, &self.mqtt.key),
            ("broker.certificate", "broker.key", &self.broker.certificate, &self.broker.key),
        ];
        for (certificate_name, key_name, certificate, key) in pairs {
            if let (Some(certificate), Some(key)) = (certificate, key)
                && let Err(error) = certified_key(certificate, key)
            {
                let (name, path) = if error.is_of_key() { (key_name, key) } else { (certificate_name, certificate) };
                problems.push(bad_file(name, path, error));
            }
        }
        for (name, path) in [
            ("mqtt.client_ca", &self.mqtt.client_ca),
            ("broker.ca", &self.broker.ca),
            ("bridge.ca", &self.bridge.ca),
            ("alerts.webhook_ca", &self.alerts.webhook_ca),
        ] {
            if let Some(path) = path
                && let Err(error) = super::certificates::certificates(path)
            {
                problems.push(bad_file(name, path, error));
            }
        }
        if let Some(path) = &self.pool.component
            && let Err(error) = std::fs::File::open(path)
        {
            problems.push(bad_file("pool.component", path, error));
        }
    }
}

/// A configuration that cannot be written as TOML.
#[derive(Debug)]
pub(super) struct SerializeError(String);

impl SerializeError {
    pub(super) fn message(&self) -> &str {
        &self.0
    }
}

fn bad_file(name: &str, path: &Path, why: impl ToString) -> Problem {
    Problem { value: Some(format!("{path:?}")), ..Problem::new(name, why.to_string()) }
}

fn judge(name: &str, setting: &Setting, value: &Value, hidden: Option<&str>) -> Option<Problem> {
    let verdict = match hidden {
        // The table has a mask in its place.
        Some(hidden) => setting.kind.check(&Value::String(hidden.to_owned())),
        None => setting.kind.check(value),
    };
    let why = verdict.err()?;
    Some(Problem { value: Some(setting.kind.shown(value)), ..Problem::new(name, why) })
}

/// The value of a setting in a table that holds sections.
pub(super) fn value_of<'a>(table: &'a Table, setting: &Setting) -> Option<&'a Value> {
    table.get(setting.section())?.get(setting.key())
}
