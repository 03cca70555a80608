//! A session's AES-128 key, kept from sight.

use crate::bindings::exports::sidetone::media::types as wit;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// An AES-128 key. Zeroised when dropped; shows as `Key(…)`. Parses from 32 hex digits, as a hello carries it.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 16]>);

/// Text that is no key. Does not say what the text was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Text of another length.
    #[error("a key is 32 hex digits (16 bytes), this has {0} characters")]
    Length(usize),
    /// A character that is no hex digit, at this place.
    #[error("a key is 32 hex digits (16 bytes), character {0} is none")]
    Digit(usize),
}

impl Key {
    /// A key of these bytes; the caller's copy stays the caller's to erase.
    #[must_use]
    pub fn new(mut bytes: [u8; 16]) -> Self {
        let key = Self(Zeroizing::new(bytes));
        bytes.zeroize();
        key
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(crate) fn to_wit(&self) -> wit::Key {
        let half =
            |range: std::ops::Range<usize>| self.0[range].iter().fold(0u64, |half, &byte| half << 8 | u64::from(byte));
        wit::Key { high: half(0..8), low: half(8..16) }
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let count = text.chars().count();
        if count != 32 {
            return Err(KeyError::Length(count));
        }
        let mut key = Self(Zeroizing::new([0; 16]));
        for (place, digit) in text.chars().enumerate() {
            let value = digit.to_digit(16).ok_or(KeyError::Digit(place + 1))? as u8;
            key.0[place / 2] |= value << if place % 2 == 0 { 4 } else { 0 };
        }
        Ok(key)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}
