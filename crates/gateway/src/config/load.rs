//! From file, environment and flags to one configuration. What comes later in this order counts.

use super::alerts::shape_problems;
use super::file::{self, ConfigFile, Entry};
use super::nearest::nearest;
use super::problem::{ConfigError, Origin, Problem};
use super::settings::{FLEET, OTHER_VARIABLES, SECTIONS, SETTINGS, Setting, TENANT_SETTINGS, VARIABLES};
use super::{Config, Kind, Secret, ServerUrl};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The file that is read where none is named, and it is there.
const DEFAULT_FILE: &str = "sidetone.toml";

/// Longest name of a tenant, in bytes.
const LONGEST_NAME: usize = 128;

/// Where a configuration comes from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file, where one is named.
    pub file: Option<PathBuf>,
    /// Variables of the environment; those that begin with `SIDETONE_` are looked at.
    pub environment: Vec<(OsString, OsString)>,
    /// Flags: name of the setting, text.
    pub flags: Vec<(&'static str, String)>,
}

/// A configuration, and where each value came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration, checked.
    pub config: Config,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// What somebody should look at, though it is no error.
    pub warnings: Vec<String>,
    pub(super) given: BTreeMap<&'static str, Given>,
}

/// A value that somebody gave.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// Flags come after variables, and they after the file.
    layer: u8,
}

#[derive(Default)]
struct Loading {
    given: BTreeMap<&'static str, Given>,
    tenants: Table,
    /// `[[alerts.rules]]`, and where each is.
    rules: Option<(Value, Vec<Origin>)>,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl Sources {
    /// Nothing but defaults.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Loads and checks a configuration. Files that it names (certificates, secrets) are read as well.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        let mut loading = Loading::default();
        let path = self.path();
        if let Some(path) = &path {
            match ConfigFile::read(path) {
                Ok(file) => loading.file(file),
                Err(problem) => loading.problems.push(problem),
            }
        }
        for (name, text) in &self.environment {
            loading.variable(name, text);
        }
        for (name, text) in &self.flags {
            loading.flag(name, text);
        }
        loading.secret_files();
        loading.finish(path)
    }

    /// The file to read.
    fn path(&self) -> Option<PathBuf> {
        let variable = || self.environment.iter().find(|(name, text)| name == "SIDETONE_CONFIG" && !text.is_empty());
        let named = self.file.clone().or_else(|| variable().map(|(_, path)| path.into()));
        named.or_else(|| Path::new(DEFAULT_FILE).is_file().then(|| DEFAULT_FILE.into()))
    }
}

impl Loading {
    fn file(&mut self, file: ConfigFile) {
        for entry in &file.entries {
            let origin = Origin::File(file.path.clone(), entry.line);
            if entry.keys[0] == "tenants" {
                self.tenant(entry, origin);
                continue;
            }
            let name = entry.name();
            if name == "alerts.rules" {
                self.rules(entry, &file.path);
                continue;
            }
            match Setting::named(&name) {
                Some(setting) => {
                    if setting.kind.is_secret() && file.open {
                        self.warnings.push(format!(
                            "{name} ({origin}): every user of this machine can read that file; chmod it to 600, or use {name}_file"
                        ));
                    }
                    self.give(setting, Ok(entry.value.clone()), origin, 0);
                }
                None => self.problems.push(unknown(&name, entry.keys.len()).from(origin)),
            }
        }
    }

    fn tenant(&mut self, entry: &Entry, origin: Origin) {
        let (name, problem) = match &entry.keys[..] {
            [_, tenant, ..] if tenant.is_empty() || tenant.len() > LONGEST_NAME => {
                (entry.name(), Some(format!("a tenant's name has 1 to {LONGEST_NAME} bytes")))
            }
            [_, tenant] if entry.value.is_table() => {
                self.tenants.entry(tenant).or_insert_with(|| Value::Table(Table::new()));
                return;
            }
            [_, tenant, key] => match TENANT_SETTINGS.iter().find(|setting| setting.name == key) {
                None => {
                    let near = nearest(key, TENANT_SETTINGS.iter().map(|setting| setting.name));
                    (entry.name(), Some(no_such_setting(near)))
                }
                Some(setting) => match setting.kind.check(&entry.value) {
                    Ok(()) => {
                        let table = self.tenants.entry(tenant).or_insert_with(|| Value::Table(Table::new()));
                        if let Value::Table(table) = table {
                            table.insert(key.clone(), entry.value.clone());
                        }
                        return;
                    }
                    Err(why) => {
                        let value = Some(setting.kind.shown(&entry.value));
                        self.problems.push(Problem { value, ..Problem::new(entry.name(), why).from(origin) });
                        return;
                    }
                },
            },
            _ => (entry.name(), Some("tenants are written as [tenants.NAME], with their quotas below".into())),
        };
        self.problems.extend(problem.map(|why| Problem::new(name, why).from(origin)));
    }

    fn rules(&mut self, entry: &Entry, path: &Path) {
        let line = |index: usize| entry.lines.get(index).copied().unwrap_or(entry.line);
        let problems = shape_problems(&entry.value);
        if problems.is_empty() {
            let origins = (0..entry.lines.len()).map(|index| Origin::File(path.to_owned(), line(index)));
            self.rules = Some((entry.value.clone(), origins.collect()));
        }
        for (index, key, value, why) in problems {
            let origin = Origin::File(path.to_owned(), index.map_or(entry.line, line));
            let name = if key.is_empty() { entry.name() } else { format!("{}.{key}", entry.name()) };
            self.problems.push(Problem { value, ..Problem::new(name, why).from(origin) });
        }
    }

    fn variable(&mut self, name: &OsString, text: &OsString) {
        let Some(name) = name.to_str().filter(|name| name.starts_with(VARIABLES)) else { return };
        // An empty variable is as good as none, as usual.
        if OTHER_VARIABLES.contains(&name) || name.starts_with(FLEET) || text.is_empty() {
            return;
        }
        let origin = Origin::Variable(name.to_owned());
        let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) else {
            let names: Vec<_> = SETTINGS.iter().map(Setting::variable).collect();
            let meant = nearest(name, names.iter().map(String::as_str));
            let hint = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
            // No error: Kubernetes sets variables of this prefix for a service named sidetone.
            self.warnings.push(format!("environment variable {name} is no setting, and has no effect{hint}"));
            return;
        };
        match text.to_str() {
            Some(text) => self.give(setting, setting.kind.parse(text).map_err(|why| (why, text.to_owned())), origin, 1),
            None => self.problems.push(Problem::new(setting.name, "is no text (UTF-8)").from(origin)),
        }
    }

    fn flag(&mut self, name: &str, text: &str) {
        let Some(setting) = Setting::named(name) else {
            self.problems.push(unknown(name, 2));
            return;
        };
        if setting.kind.is_secret() {
            self.warnings.push(format!(
                "{flag}: every user of this machine can read command lines; use {flag}-file or {variable}",
                flag = setting.flag(),
                variable = setting.variable()
            ));
        }
        let value = setting.kind.parse(text).map_err(|why| (why, text.to_owned()));
        self.give(setting, value, Origin::Flag(setting.flag()), 2);
    }

    fn give(&mut self, setting: &'static Setting, value: Result<Value, (String, String)>, origin: Origin, layer: u8) {
        let checked = value.and_then(|value| match setting.kind.check(&value) {
            Ok(()) => Ok(value),
            Err(why) => Err((why, setting.kind.shown(&value))),
        });
        match checked {
            Ok(value) => {
                self.given.insert(setting.name, Given { value, origin, layer });
            }
            Err((why, text)) => {
                let shown = match origin {
                    Origin::File(..) => text,
                    _ => setting.kind.shown(&Value::String(text)),
                };
                self.problems.push(Problem { value: Some(shown), ..Problem::new(setting.name, why).from(origin) });
            }
        }
    }

    /// Reads secrets from their files. Between a secret and its file, the later layer counts.
    fn secret_files(&mut self) {
        for setting in SETTINGS.iter().filter(|setting| setting.kind.is_secret()) {
            let Some(by_file) = SETTINGS.iter().find(|other| other.name.strip_suffix("_file") == Some(setting.name))
            else {
                continue;
            };
            let Some(given) = self.given.get(by_file.name) else { continue };
            if let Some(direct) = self.given.get(setting.name) {
                if direct.layer == given.layer {
                    let why = format!("{} is set as well ({}); set one of them", setting.name, direct.origin);
                    self.problems.push(Problem::new(by_file.name, why).from(given.origin.clone()));
                    continue;
                }
                let loser = if direct.layer > given.layer { by_file.name } else { setting.name };
                self.given.remove(loser);
            }
            let Some(given) = self.given.get(by_file.name) else { continue };
            let path = given.value.as_str().unwrap_or_default();
            let text = file::read(Path::new(path)).map(|(text, _)| text.trim_end_matches(['\r', '\n']).to_owned());
            let checked = text.and_then(|text| {
                let value = Value::String(text);
                setting.kind.check(&value).map(|()| value).map_err(|why| format!("what the file holds {why}"))
            });
            let origin = given.origin.clone();
            match checked {
                Ok(value) => {
                    let layer = given.layer;
                    self.given.insert(setting.name, Given { value, origin, layer });
                }
                Err(why) => {
                    let value = Some(format!("{path:?}"));
                    self.problems.push(Problem { value, ..Problem::new(by_file.name, why).from(origin) });
                }
            }
        }
    }

    fn finish(mut self, file: Option<PathBuf>) -> Result<Loaded, ConfigError> {
        ConfigError::unless_empty(std::mem::take(&mut self.problems))?;
        let mut table = Table::new();
        for (name, given) in &self.given {
            let Some(setting) = Setting::named(name) else { continue };
            if setting.kind == Kind::SecretFile {
                continue;
            }
            let section = table.entry(setting.section()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = section {
                section.insert(setting.key().to_owned(), given.value.clone());
            }
        }
        table.insert("tenants".into(), Value::Table(self.tenants));
        let rule_origins = self.rules.map_or_else(Vec::new, |(rules, origins)| {
            let alerts = table.entry("alerts").or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(alerts) = alerts {
                alerts.insert("rules".into(), rules);
            }
            origins
        });
        let config: Config = serde_path_to_error::deserialize(table).map_err(|error| {
            // Every value was checked: the table of settings and the structs do not agree.
            Problem::new(error.path().to_string(), "is not understood, which is a fault of this program")
        })?;
        for setting in SETTINGS.iter().filter(|setting| setting.kind.is_secret()) {
            // What is kept for printing holds no secret.
            if let Some(given) = self.given.get_mut(setting.name) {
                given.value = Value::String("***".into());
            }
        }
        let loaded = Loaded { config, file, warnings: self.warnings, given: self.given };
        let locate = |problem: Problem| match loaded.given.get(problem.what.as_str()) {
            Some(given) => problem.from(given.origin.clone()),
            None => match loaded.config.alerts.rule_of(&problem.what).and_then(|index| rule_origins.get(index)) {
                Some(origin) => problem.from(origin.clone()),
                None => problem,
            },
        };
        let problems = loaded.config.problems().into_iter().map(locate).collect();
        ConfigError::unless_empty(problems)?;
        Ok(loaded)
    }
}

impl Loaded {
    /// Where a setting's value came from.
    #[must_use]
    pub fn origin(&self, name: &str) -> Origin {
        self.given.get(name).map_or(Origin::Default, |given| given.origin.clone())
    }
}

fn unknown(name: &str, depth: usize) -> Problem {
    let sections = SECTIONS.iter().map(|&(section, _)| section).chain(["tenants"]);
    let section = name.split('.').next().unwrap_or(name);
    let known_section = sections.clone().any(|known| known == section);
    let why = if depth == 1 && known_section {
        format!("is a section: write [{section}], with its settings below")
    } else if depth == 1 {
        // A setting without its section, or a slip in a section that holds nothing.
        let whole = SETTINGS.iter().find(|setting| setting.key() == name).map(|setting| setting.name);
        no_such_setting(whole.or_else(|| nearest(name, sections)))
    } else {
        no_such_setting(nearest(name, SETTINGS.iter().map(|setting| setting.name)))
    };
    Problem::new(name, why)
}

fn no_such_setting(meant: Option<&str>) -> String {
    let hint =
        meant.map_or_else(|| "`sidetone serve --help` lists all".to_owned(), |meant| format!("did you mean {meant}?"));
    format!("there is no such setting; {hint}")
}

/// What a setting hides from all output, where it does.
pub(super) fn hidden<'a>(config: &'a Config, name: &str) -> Option<&'a str> {
    let secret = match name {
        "mqtt.signature_key" => &config.mqtt.signature_key,
        "broker.password" => &config.broker.password,
        "http.token" => &config.http.token,
        "bridge.token" => &config.bridge.token,
        "alerts.webhook" => &config.alerts.webhook,
        "alerts.webhook_token" => &config.alerts.webhook_token,
        "bridge.url" => return config.bridge.url.as_ref().map(ServerUrl::expose),
        _ => return None,
    };
    secret.as_ref().map(Secret::expose)
}
