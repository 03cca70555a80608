//! The attacks, by name.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// What an attacker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A device whose packets are sealed with another key.
    WrongKey,
    /// A device that sends every packet again, at once and much later.
    Replay,
    /// A device whose sequence numbers jump far ahead, one packet at a time.
    FarFuture,
    /// Packets with the connection ids of the fleet's devices, overheard, from another address: copies, and forgeries.
    Spoof,
    /// Packets with connection ids that nobody has.
    UnknownIds,
    /// A device whose datagrams are longer than a packet may be.
    Oversized,
    /// A device that sends text where audio belongs.
    Text,
    /// A device whose messages are not JSON, or not what they should be.
    MalformedJson,
    /// Connections on which something else than MQTT is spoken.
    MalformedMqtt,
    /// Connections on which nothing is said.
    ConnectionFlood,
}

impl Mode {
    /// Every attack: its name, and how many packets, messages or connections a second it makes unless told otherwise.
    pub const ALL: [(Self, &'static str, u32); 10] = [
        (Self::WrongKey, "wrong-key", 17),
        (Self::Replay, "replay", 100),
        (Self::FarFuture, "far-future", 17),
        (Self::Spoof, "spoof", 1_000),
        (Self::UnknownIds, "unknown-ids", 50_000),
        (Self::Oversized, "oversized", 50),
        (Self::Text, "text", 17),
        (Self::MalformedJson, "malformed-json", 100),
        (Self::MalformedMqtt, "malformed-mqtt", 50),
        (Self::ConnectionFlood, "connection-flood", 200),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(mode, ..)| *mode == self).map_or("", |(_, name, _)| name)
    }
}

/// An attack, and how fast it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hostile {
    /// What is done.
    pub mode: Mode,
    /// How often a second.
    pub rate: u32,
}

/// The fastest attack, a second.
const MOST: u32 = 1_000_000;

/// Text is no attack.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseHostileError {
    /// No attack of this name.
    #[error("no attack is called {0:?}; there are {known}", known = known())]
    Mode(String),
    /// No number after the colon, or one out of range.
    #[error("{0:?} is no rate: give 1 to {MOST} a second, as in unknown-ids:50000")]
    Rate(String),
}

fn known() -> String {
    Mode::ALL.map(|(_, name, _)| name).join(", ")
}

impl FromStr for Hostile {
    type Err = ParseHostileError;

    fn from_str(text: &str) -> Result<Self, ParseHostileError> {
        let (name, rate) = text.split_once(':').map_or((text, None), |(name, rate)| (name, Some(rate)));
        let found = Mode::ALL.iter().find(|(_, known, _)| *known == name);
        let &(mode, _, usual) = found.ok_or_else(|| ParseHostileError::Mode(name.into()))?;
        let rate = match rate {
            None => usual,
            Some(text) => {
                let rate = text.parse().ok().filter(|rate| (1..=MOST).contains(rate));
                rate.ok_or_else(|| ParseHostileError::Rate(text.into()))?
            }
        };
        Ok(Self { mode, rate })
    }
}

impl fmt::Display for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.mode.name(), self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attacks_are_read_and_shown() {
        for (mode, name, rate) in Mode::ALL {
            assert_eq!(name.parse(), Ok(Hostile { mode, rate }));
            assert_eq!(Hostile { mode, rate: 3 }.to_string().parse(), Ok(Hostile { mode, rate: 3 }));
        }
        assert_eq!("text:0".parse::<Hostile>(), Err(ParseHostileError::Rate("0".into())));
        let error = "flood".parse::<Hostile>().unwrap_err().to_string();
        assert!(error.contains("\"flood\"") && error.contains("wrong-key, replay"), "{error}");
    }
}
