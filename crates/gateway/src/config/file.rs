//! The configuration file: values, and the line each came from.

use super::problem::{Origin, Problem};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

/// The largest file that is read: far more than any configuration, and no accident.
const LARGEST: u64 = 1 << 20;

/// A file that was read: what it says, by dotted name, with lines.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    /// Whether others than its owner may read it.
    pub(super) open: bool,
    /// Everything that is no table, in the order of the file.
    pub(super) entries: Vec<Entry>,
}

/// One line of it.
#[derive(Debug)]
pub(super) struct Entry {
    /// `mqtt.listen`, `tenants.toys.calls`.
    pub(super) keys: Vec<String>,
    pub(super) value: Value,
    pub(super) line: usize,
    /// Of a list: the line of each item.
    pub(super) lines: Vec<usize>,
}

impl Entry {
    pub(super) fn name(&self) -> String {
        self.keys.join(".")
    }
}

impl ConfigFile {
    pub(super) fn read(path: &Path) -> Result<Self, Problem> {
        let (text, open) = read(path).map_err(|why| Problem::new(path.display().to_string(), why))?;
        Self::parse(path, &text, open)
    }

    fn parse(path: &Path, text: &str, open: bool) -> Result<Self, Problem> {
        // The message alone: the error's own display shows the line, where a secret may stand.
        let bad = |error: &toml::de::Error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            Problem::new("syntax", format!("{}; the file must be TOML", error.message()))
                .from(Origin::File(path.to_owned(), line))
        };
        let spans = DeTable::parse(text).map_err(|error| bad(&error))?;
        let values: Table = text.parse().map_err(|error| bad(&error))?;
        let mut file = Self { path: path.to_owned(), open, entries: Vec::new() };
        file.walk(text, &mut Vec::new(), spans.get_ref(), &values);
        file.entries.sort_by_key(|entry| entry.line);
        Ok(file)
    }

    fn walk(&mut self, text: &str, keys: &mut Vec<String>, spans: &DeTable<'_>, values: &Table) {
        for (key, span) in spans {
            let name = key.get_ref().to_string();
            let Some(value) = values.get(&name) else { continue };
            let line = line_of(text, key.span().start);
            keys.push(name);
            match (span.get_ref(), value) {
                (DeValue::Table(spans), Value::Table(values)) if keys.len() < 3 => {
                    self.walk(text, keys, spans, values);
                    if values.is_empty() && keys[0] == "tenants" {
                        self.entries.push(Entry { keys: keys.clone(), value: value.clone(), line, lines: Vec::new() });
                    }
                }
                (span, _) => {
                    let items = span.as_array().into_iter().flat_map(|items| items.iter());
                    let lines = items.map(|item| line_of(text, item.span().start)).collect();
                    self.entries.push(Entry { keys: keys.clone(), value: value.clone(), line, lines });
                }
            }
            keys.pop();
        }
    }
}

/// A file's text, and whether others may read it.
pub(super) fn read(path: &Path) -> Result<(String, bool), String> {
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let about = file.metadata().map_err(|error| unreadable(&error))?;
    if about.is_dir() {
        return Err("is a folder; name a file".into());
    }
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    if text.len() as u64 > LARGEST {
        return Err(format!("has more than {LARGEST} bytes, and is hardly what was meant"));
    }
    Ok((text, is_open(&about)))
}

fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".into(),
        ErrorKind::InvalidData => "is no text (UTF-8)".into(),
        _ => format!("cannot be read: {error}"),
    }
}

#[cfg(unix)]
fn is_open(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.permissions().mode() & 0o004 != 0
}

#[cfg(not(unix))]
const fn is_open(_: &std::fs::Metadata) -> bool {
    false
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ConfigFile, Problem> {
        ConfigFile::parse(Path::new("s.toml"), text, false)
    }

    #[test]
    fn entries_know_their_line_however_they_are_written() {
        let text =
            "audio.rate = 8000\n[mqtt]\n\nlisten = \"off\"\n[tenants]\ntoys = { calls = 5 }\n[tenants.\"a b\"]\n";
        let file = parse(text).unwrap();
        let seen: Vec<_> = file.entries.iter().map(|entry| (entry.name(), entry.line)).collect();
        let expected = [("audio.rate", 1), ("mqtt.listen", 4), ("tenants.toys.calls", 6), ("tenants.a b", 7)];
        assert_eq!(seen, expected.map(|(name, line)| (name.to_owned(), line)));
    }

    #[test]
    fn a_syntax_error_names_its_line_and_shows_none() {
        let problem = parse("[http]\ntoken = \"hunter2\nx = 1\n").unwrap_err().to_string();
        assert!(
            problem.starts_with("syntax (s.toml:2): ") && problem.ends_with("; the file must be TOML"),
            "{problem}"
        );
        assert!(!problem.contains("hunter2"));
        assert!(parse("a = 1\na = 2").unwrap_err().to_string().starts_with("syntax (s.toml:2): "));
    }
}
