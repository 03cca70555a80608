//! What a setting's value may be: from text, and whether a value is one.

use super::Listen;
use super::server_url::masked;
use toml::Value;
use url::Url;

/// Longest text that a setting may be.
const LONGEST: usize = 4096;

/// What a setting's value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An address with port, or `off`.
    Listen,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds, both included.
    Whole(u64, u64),
    /// One of these numbers.
    Numbers(&'static [u64]),
    /// One of these words.
    Words(&'static [&'static str]),
    /// Some text.
    Text,
    /// Some text, or none.
    TextOrNone,
    /// A host name or an IP address.
    Host,
    /// A URL of one of these schemes.
    Url(&'static [&'static str]),
    /// Origins of web pages: `https://host`, several with commas between.
    Origins,
    /// A file or folder.
    Path,
    /// A secret: shown nowhere.
    Secret,
    /// A file that holds the secret of the setting whose name comes before `_file`.
    SecretFile,
    /// Log levels.
    Level,
}

impl Kind {
    /// A value from a variable of the environment or a flag.
    ///
    /// # Errors
    /// What is allowed.
    pub(super) fn parse(self, text: &str) -> Result<Value, String> {
        let value = match self {
            Self::Flag => match text {
                "true" | "1" => Value::Boolean(true),
                "false" | "0" => Value::Boolean(false),
                _ => return Err(self.allowed()),
            },
            Self::Whole(..) | Self::Numbers(_) => {
                Value::Integer(text.replace('_', "").parse().map_err(|_| self.allowed())?)
            }
            Self::Origins => {
                Value::Array(text.split(',').map(|origin| Value::String(origin.trim().to_owned())).collect())
            }
            _ => Value::String(text.to_owned()),
        };
        self.check(&value).map(|()| value)
    }

    /// Whether a value is one of this kind.
    ///
    /// # Errors
    /// What is allowed.
    pub(super) fn check(self, value: &Value) -> Result<(), String> {
        let good = match (self, value) {
            (Self::Flag, Value::Boolean(_)) => true,
            (Self::Whole(least, most), Value::Integer(number)) => {
                u64::try_from(*number).is_ok_and(|number| (least..=most).contains(&number))
            }
            (Self::Numbers(numbers), Value::Integer(number)) => {
                u64::try_from(*number).is_ok_and(|number| numbers.contains(&number))
            }
            (Self::Origins, Value::Array(origins)) => {
                origins.iter().all(|origin| origin.as_str().is_some_and(is_origin))
            }
            (Self::Flag | Self::Whole(..) | Self::Numbers(_) | Self::Origins, _) => false,
            (Self::TextOrNone, Value::String(text)) if text.is_empty() => true,
            (_, Value::String(text)) if !is_text(text) => false,
            (Self::Listen, Value::String(text)) => text.parse::<Listen>().is_ok(),
            (Self::Words(words), Value::String(text)) => words.contains(&text.as_str()),
            (Self::Host, Value::String(text)) => is_host(text),
            (Self::Url(schemes), Value::String(text)) => is_url(text, schemes),
            (Self::Level, Value::String(text)) => is_level(text),
            // As it is shown in place of one.
            (Self::Secret, Value::String(text)) => text != "***",
            (_, Value::String(_)) => true,
            _ => false,
        };
        if good { Ok(()) } else { Err(self.allowed()) }
    }

    /// What is allowed, as the end of a sentence about a value that is not.
    #[must_use]
    pub fn allowed(self) -> String {
        match self {
            Self::Listen => "must be IP:PORT, such as \"0.0.0.0:1883\" or \"[::]:1883\", or \"off\"".into(),
            Self::Flag => "must be true or false".into(),
            Self::Whole(least, most) => format!("must be a whole number from {least} to {most}"),
            Self::Numbers(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(u64::to_string).collect();
                format!("must be {}", listed(&numbers))
            }
            Self::Words(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("must be {}", listed(&words))
            }
            Self::Text => format!("must be text in one line, of 1 to {LONGEST} bytes"),
            Self::TextOrNone => format!("must be text in one line, of at most {LONGEST} bytes"),
            Self::Host => "must be a host name or an IP address, without scheme or port".into(),
            Self::Url(schemes) => {
                let schemes: Vec<_> = schemes.iter().map(|scheme| format!("{scheme}://HOST")).collect();
                format!("must be a URL, {}, without user name and password", listed(&schemes))
            }
            Self::Origins => "must be origins of web pages, such as \"https://voice.example\", without a path".into(),
            Self::Path | Self::SecretFile => "must be the path of a file or folder".into(),
            Self::Secret => "must be the secret's text, in one line".into(),
            Self::Level => {
                "must be off, error, warn, info, debug or trace, or such by module: \"info,sidetone_gateway=debug\""
                    .into()
            }
        }
    }

    /// Whether values are kept from all output.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Secret)
    }

    /// How a value is shown in an error.
    pub(super) fn shown(self, value: &Value) -> String {
        match (self, value) {
            (Self::Secret, _) => "***".into(),
            // A password may be in there, and not be allowed to.
            (Self::Url(_) | Self::Host, Value::String(text)) => {
                let (hidden, rest) = text.rfind('@').map_or(("", text.as_str()), |end| ("***", &text[end..]));
                super::print::literal(&Value::String(format!("{hidden}{}", masked(rest))))
            }
            _ => super::print::literal(value),
        }
    }
}

/// `a, b or c`.
fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn is_text(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn is_host(text: &str) -> bool {
    let bare = text.parse::<std::net::IpAddr>().is_ok();
    bare || (text.parse::<std::net::SocketAddr>().is_err() && !text.contains(':') && url::Host::parse(text).is_ok())
}

fn is_url(text: &str, schemes: &[&str]) -> bool {
    Url::parse(text).is_ok_and(|url| {
        schemes.contains(&url.scheme())
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.username().is_empty()
            && url.password().is_none()
    })
}

fn is_origin(text: &str) -> bool {
    is_url(text, &["http", "https"])
        && Url::parse(text).is_ok_and(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none())
        && !text.ends_with('/')
}

/// Directives as `tracing` filters have them, of targets and levels alone.
fn is_level(text: &str) -> bool {
    let level = |word: &str| {
        ["off", "error", "warn", "info", "debug", "trace"].iter().any(|level| word.eq_ignore_ascii_case(level))
    };
    let target =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    text.split(',').all(|directive| match directive.split_once('=') {
        None => level(directive),
        Some((module, word)) => target(module) && level(word),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_takes_its_values_and_no_others() {
        let urls = Kind::Url(&["mqtt", "mqtts"]);
        let long = "x".repeat(LONGEST + 1);
        let cases: &[(Kind, &[&str], &[&str])] = &[
            (Kind::Listen, &["0.0.0.0:1", "[::1]:0", "off"], &["", "1883", "localhost:1", "0.0.0.0"]),
            (Kind::Flag, &["true", "false", "1", "0"], &["", "yes", "TRUE"]),
            (Kind::Whole(1, 9), &["1", "9", "0_5"], &["", "0", "10", "-1", "1.0", "x", "99999999999999999999"]),
            (Kind::Numbers(&[20, 40]), &["20", "40"], &["0", "30", ""]),
            (Kind::Words(&["echo"]), &["echo"], &["", "Echo", "echoes"]),
            (Kind::Text, &["a", "ä b"], &["", "a\nb", "a\0", &long]),
            (Kind::TextOrNone, &["", "a"], &["\n", &long]),
            (Kind::Host, &["a.example", "10.0.0.1", "::1"], &["", "a:1", "10.0.0.1:1", "http://a", "a b", "[::1]:5"]),
            (urls, &["mqtt://a", "mqtts://a:1"], &["", "a", "http://a", "mqtt://", "mqtt://u:p@a", "mqtt://u@a"]),
            (
                Kind::Origins,
                &["https://a", "https://a:8443, http://b"],
                &["", "a", "https://a/", "https://a/b", "https://a,", "*", "null"],
            ),
            (Kind::Path, &["a", "/a b"], &["", "a\0b"]),
            (Kind::Secret, &["a"], &["", "***", "a\n"]),
            (
                Kind::Level,
                &["info", "WARN", "info,sidetone_gateway=debug", "a::b=off"],
                &["", "loud", "info,", "=debug", "a=", "a=loud", "a[b]=info"],
            ),
        ];
        for (kind, good, bad) in cases {
            for text in *good {
                assert!(kind.parse(text).is_ok(), "{kind:?} {text:?}");
            }
            for text in *bad {
                assert_eq!(kind.parse(text), Err(kind.allowed()), "{kind:?} {text:?}");
            }
        }
    }

    #[test]
    fn types_are_not_mixed_up() {
        for (kind, value) in [
            (Kind::Whole(1, 9), Value::String("1".into())),
            (Kind::Flag, Value::Integer(1)),
            (Kind::Text, Value::Integer(1)),
            (Kind::Secret, Value::Integer(1)),
            (Kind::Origins, Value::String("https://a".into())),
            (Kind::Listen, Value::Integer(1883)),
        ] {
            assert_eq!(kind.check(&value), Err(kind.allowed()));
        }
    }

    #[test]
    fn passwords_that_should_not_be_there_are_not_shown() {
        let urls = Kind::Url(&["mqtt"]);
        assert_eq!(urls.shown(&Value::String("mqtt://u:s3cret@a".into())), "\"***@a\"");
        assert_eq!(Kind::Secret.shown(&Value::Integer(5)), "***");
    }
}
