//! The address of a server, whose query may hold a secret.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::Zeroizing;

/// A URL. It shows, and is written, with what its query says masked, but for `from`, which is no secret. Zeroised when
/// dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl(Zeroizing<String>);

impl ServerUrl {
    /// The whole text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// What of a URL may be shown.
pub(super) fn masked(url: &str) -> String {
    let Some((place, query)) = url.split_once('?') else { return url.to_owned() };
    let (query, fragment) = query.split_once('#').map_or((query, None), |(query, fragment)| (query, Some(fragment)));
    let part = |pair: &str| match pair.split_once('=') {
        Some(("from", from)) => format!("from={from}"),
        Some((name, _)) => format!("{name}=***"),
        None if pair.is_empty() => String::new(),
        None => "***".to_owned(),
    };
    let query: Vec<_> = query.split('&').map(part).collect();
    let fragment = fragment.map_or("", |_| "#***");
    format!("{place}?{}{fragment}", query.join("&"))
}

impl From<&str> for ServerUrl {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for ServerUrl {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&masked(&self.0), f)
    }
}

impl Serialize for ServerUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&masked(&self.0))
    }
}

impl<'de> Deserialize<'de> for ServerUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_shown_without_its_values() {
        for (url, shown) in [
            ("ws://server:8000/xiaozhi/v1/", "ws://server:8000/xiaozhi/v1/"),
            ("ws://server/?from=mqtt_gateway", "ws://server/?from=mqtt_gateway"),
            ("wss://s/?token=hunter2&from=x&k=hunter3&hunter4", "wss://s/?token=***&from=x&k=***&***"),
            ("wss://s/?a=b=hunter2#hunter3", "wss://s/?a=***#***"),
        ] {
            assert_eq!(masked(url), shown);
            assert_eq!(format!("{:?}", ServerUrl::from(url)), format!("{shown:?}"));
        }
    }
}
