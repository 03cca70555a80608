//! MQTT client ids of devices: `GID_x@@@aa_bb_cc_dd_ee_ff@@@uuid`, or anything else that is harmless in a topic.

use core::fmt;
use core::str::FromStr;

use thiserror::Error;

/// The most bytes of a client id. Firmware's have 68 with a UUID; brokers allow 128 and more.
pub const MAX_CLIENT_ID: usize = 128;

/// What stands between the parts of a client id.
pub const SEPARATOR: &str = "@@@";

/// A client id that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClientIdError {
    /// Empty.
    #[error("client id is empty")]
    Empty,
    /// Longer than [`MAX_CLIENT_ID`].
    #[error("client id of {len} bytes, {MAX_CLIENT_ID} are allowed")]
    TooLong {
        /// Bytes that came.
        len: usize,
    },
    /// A character that would change the meaning of a topic (`+ # / $`), or one that cannot be seen.
    #[error("client id with {found:?} at byte {at}: letters, digits, punctuation other than + # / $ and no spaces")]
    Character {
        /// The character.
        found: char,
        /// Its place in bytes, from 0.
        at: usize,
    },
}

/// A device's client id: 1 to [`MAX_CLIENT_ID`] visible ASCII characters other than `+`, `#`, `/` and `$`, so that no
/// topic made from it reaches another device or a broker's own topics.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(String);

impl ClientId {
    /// The whole client id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The group, before the first separator; `None` where there is no separator.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        self.0.split_once(SEPARATOR).map(|(group, _)| group)
    }

    /// The MAC address between the separators. Where there is no separator, the id itself may be one.
    #[must_use]
    pub fn mac(&self) -> Option<Mac> {
        let mut parts = self.0.split(SEPARATOR);
        let first = parts.next()?;
        Mac::parse(parts.next().unwrap_or(first))
    }

    /// The UUID behind the second separator. Old firmware has none.
    #[must_use]
    pub fn uuid(&self) -> Option<&str> {
        self.0.splitn(3, SEPARATOR).nth(2)
    }

    pub(crate) fn check(text: &str) -> Result<(), ClientIdError> {
        if text.is_empty() {
            return Err(ClientIdError::Empty);
        }
        if text.len() > MAX_CLIENT_ID {
            return Err(ClientIdError::TooLong { len: text.len() });
        }
        let harmless = |c: char| c.is_ascii_graphic() && !matches!(c, '+' | '#' | '/' | '$');
        match text.char_indices().find(|&(_, c)| !harmless(c)) {
            Some((at, found)) => Err(ClientIdError::Character { found, at }),
            None => Ok(()),
        }
    }
}

impl FromStr for ClientId {
    type Err = ClientIdError;

    fn from_str(text: &str) -> Result<Self, ClientIdError> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A MAC address. Displayed as topics have it: lower case, with underscores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Reads six pairs of hexadecimal digits, all separated by `_`, `:` or `-`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: &[u8; 17] = text.as_bytes().try_into().ok()?;
        let separator = bytes[2];
        let mut mac = [0; 6];
        for (at, &byte) in bytes.iter().enumerate() {
            if at % 3 == 2 {
                if byte != separator || !matches!(byte, b'_' | b':' | b'-') {
                    return None;
                }
            } else {
                let digit = char::from(byte).to_digit(16)? as u8;
                mac[at / 3] = mac[at / 3] << 4 | digit;
            }
        }
        Some(Self(mac))
    }

    /// A device's client id as firmware of 2025 and later has it.
    ///
    /// # Errors
    /// [`ClientIdError`], where group or UUID are not fit for one.
    pub fn client_id(self, group: &str, uuid: &str) -> Result<ClientId, ClientIdError> {
        format!("{group}{SEPARATOR}{self}{SEPARATOR}{uuid}").parse()
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}_{b:02x}_{c:02x}_{d:02x}_{e:02x}_{g:02x}")
    }
}
