//! A configuration as TOML, and the reference of all settings.

use super::alerts::RULE_KEYS;
use super::load::Loaded;
use super::problem::Origin;
use super::settings::{Applies, SECTIONS, SETTINGS, Setting, TENANT_SETTINGS};
use super::validate::value_of;
use super::{Config, Kind};
use std::fmt::Write as _;
use toml::{Table, Value};

/// A value as TOML has it.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => toml::Value::String(text.clone()).to_string(),
        Value::Table(_) => "a table".into(),
        other => other.to_string(),
    }
}

/// A key as TOML has it: bare where it may be.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { name.to_owned() } else { Value::String(name.to_owned()).to_string() }
}

impl Loaded {
    /// The configuration as a file that can be read back: every setting with its origin, secrets left out.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = String::from("# The configuration in force, by `sidetone serve --print-config`.\n");
        // It was written once already, when it was checked.
        let table = self.config.to_table().unwrap_or_default();
        for &(section, about) in SECTIONS {
            // Writing to a String cannot fail.
            let _ = write!(out, "\n# {about}\n[{section}]\n");
            for setting in SETTINGS.iter().filter(|setting| setting.section() == section) {
                self.line(&mut out, &table, setting);
            }
        }
        self.rules(&mut out, &table);
        for (name, quotas) in table.get("tenants").and_then(Value::as_table).into_iter().flatten() {
            let _ = write!(out, "\n[tenants.{}]\n", key(name));
            for (name, value) in quotas.as_table().into_iter().flatten() {
                let _ = writeln!(out, "{name} = {}", literal(value));
            }
        }
        out
    }

    /// The rules for alerts: one's own, and as remarks those that are built in.
    fn rules(&self, out: &mut String, table: &Table) {
        for rule in table.get("alerts").and_then(|alerts| alerts.get("rules")?.as_array()).into_iter().flatten() {
            out.push_str("\n[[alerts.rules]]\n");
            for (name, value) in rule.as_table().into_iter().flatten() {
                let _ = writeln!(out, "{name} = {}", literal(value));
            }
        }
        if self.config.alerts.defaults {
            out.push_str("\n# Built in, by alerts.defaults; a rule above with the same name takes the place of one.\n");
            for rule in crate::alerts::defaults() {
                let _ = writeln!(out, "# {}", rule.to_inline());
            }
        }
    }

    fn line(&self, out: &mut String, table: &Table, setting: &Setting) {
        let key = setting.key();
        let value = match setting.kind {
            Kind::SecretFile => self.given.get(setting.name).map(|given| &given.value),
            _ => value_of(table, setting),
        };
        let _ = match (setting.kind, value) {
            (_, None) => writeln!(out, "# {key} =  # not set"),
            (Kind::Secret, Some(_)) => {
                let by_file = self.given.keys().any(|name| name.strip_suffix("_file") == Some(setting.name));
                let from = if by_file { "from the file below".into() } else { self.said(setting) };
                writeln!(out, "# {key} = \"***\"  # {from}; not shown")
            }
            // Read back, the mask would be taken for what it hides.
            (Kind::Url(_), Some(Value::String(url))) if url.contains("***") => {
                writeln!(
                    out,
                    "# {key} = {}  # {}; not shown whole",
                    literal(&Value::String(url.clone())),
                    self.said(setting)
                )
            }
            (_, Some(value)) => writeln!(out, "{key} = {}  # {}", literal(value), self.said(setting)),
        };
    }

    fn said(&self, setting: &Setting) -> String {
        match self.origin(setting.name) {
            Origin::Default => "default".into(),
            origin => origin.to_string(),
        }
    }
}

/// The reference of all settings, in Markdown.
#[must_use]
pub fn reference() -> String {
    let table = Config::default().to_table().unwrap_or_default();
    let mut out = String::new();
    for &(section, about) in SECTIONS {
        let _ = write!(out, "\n## [{section}]\n\n{about}.\n\n");
        out.push_str("| key | what for | allowed | default | change |\n|---|---|---|---|---|\n");
        for setting in SETTINGS.iter().filter(|setting| setting.section() == section) {
            row(&mut out, setting, value_of(&table, setting));
        }
    }
    out.push_str("\n## [[alerts.rules]]\n\nRules of one's own, in the file alone: each begins with [[alerts.rules]]. SIGHUP takes them on.\n\n");
    out.push_str("| key | allowed | what for |\n|---|---|---|\n");
    for (key, allowed, about) in RULE_KEYS {
        let _ = writeln!(out, "| `{key}` | {allowed} | {about} |");
    }
    out.push_str("\nBuilt in, as long as `alerts.defaults` is true:\n\n```toml\n[alerts]\nrules = [\n");
    for rule in crate::alerts::defaults() {
        let _ = writeln!(out, "  {},", rule.to_inline());
    }
    out.push_str("]\n```\n");
    out.push_str("\n## [tenants.NAME]\n\nQuotas of a tenant; what is left out is not limited. In the file alone.\n\n");
    out.push_str("| key | what for | allowed | default | change |\n|---|---|---|---|---|\n");
    for setting in TENANT_SETTINGS {
        row(&mut out, setting, None);
    }
    out
}

fn row(out: &mut String, setting: &Setting, default: Option<&Value>) {
    let allowed = setting.kind.allowed();
    let allowed = allowed.strip_prefix("must be ").unwrap_or(&allowed).replace('|', "\\|");
    let default = default.map_or_else(String::new, |value| format!("`{}`", literal(value)));
    let change = match setting.applies {
        Applies::Start => "restart",
        Applies::Live => "SIGHUP",
    };
    let _ = writeln!(out, "| `{}` | {} | {allowed} | {default} | {change} |", setting.key(), setting.help);
}
