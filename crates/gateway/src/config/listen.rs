//! Where something listens, or that it does not.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// An address with port, or `off`. Port 0 is the system's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Listen(Option<SocketAddr>);

impl Listen {
    /// Nowhere.
    pub const OFF: Self = Self(None);

    /// A port of this machine alone.
    #[must_use]
    pub const fn loopback(port: u16) -> Self {
        Self(Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)))
    }

    /// Where, if at all.
    #[must_use]
    pub const fn address(self) -> Option<SocketAddr> {
        self.0
    }

    /// Whether other machines can reach it.
    #[must_use]
    pub fn is_public(self) -> bool {
        self.0.is_some_and(|address| !address.ip().is_loopback())
    }
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Self(Some(address))
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("off") {
            return Ok(Self::OFF);
        }
        let address = text.parse();
        address.map(|address| Self(Some(address))).map_err(|_| {
            format!("{text:?} is no address to listen on: give IP:PORT, such as 0.0.0.0:1883 or [::]:1883, or \"off\"")
        })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("off"),
        }
    }
}

impl Serialize for Listen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
