//! Which pages may connect. Browsers say where a page comes from, and let any page try.

use crate::config::Config;
use url::{Host, Url};

/// The pages that may connect. What sends no origin is no browser, and shows who it is by other means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origins {
    /// Those that are listed.
    Listed(Vec<String>),
    /// Those that this machine serves: where anybody may connect who is on this machine, a page from elsewhere that its
    /// browser shows may not.
    ThisMachine,
    /// All.
    Any,
}

impl Origins {
    pub(super) fn of(config: &Config) -> Self {
        let mqtt = &config.mqtt;
        match config.web.origins.as_slice() {
            [] if mqtt.signature_key.is_some() || mqtt.allow_anonymous => Self::Any,
            [] => Self::ThisMachine,
            listed => Self::Listed(listed.iter().map(|origin| plain(origin)).collect()),
        }
    }

    pub(super) fn allow(&self, origin: &str) -> bool {
        match self {
            Self::Listed(listed) => listed.contains(&plain(origin)),
            Self::ThisMachine => is_this_machine(origin),
            Self::Any => true,
        }
    }
}

fn plain(origin: &str) -> String {
    origin.trim_end_matches('/').to_ascii_lowercase()
}

fn is_this_machine(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else { return false };
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    #[test]
    fn without_a_key_only_pages_of_this_machine_may_connect() {
        let mut config = Config::default();
        let origins = Origins::of(&config);
        for page in ["http://localhost:8080", "http://127.0.0.1:5173", "https://[::1]:1", "http://a.localhost"] {
            assert!(origins.allow(page), "{page}");
        }
        for page in
            ["https://evil.example", "null", "", "http://127.0.0.1.evil.example", "http://localhost.evil", "file://"]
        {
            assert!(!origins.allow(page), "{page}");
        }
        config.mqtt.signature_key = Some(Secret::new("k".into()));
        assert!(Origins::of(&config).allow("https://evil.example"), "a page needs the device's token");
    }

    #[test]
    fn listed_pages_alone_may_connect() {
        let mut config = Config::default();
        config.web.origins = vec!["https://Fleet.example".into()];
        let origins = Origins::of(&config);
        assert!(origins.allow("https://fleet.example"));
        for page in
            ["http://fleet.example", "https://fleet.example:444", "https://fleet.example.evil", "http://localhost"]
        {
            assert!(!origins.allow(page), "{page}");
        }
    }
}
