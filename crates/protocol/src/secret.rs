//! The key and the nonce that a hello reply carries: zeroised when dropped, shown nowhere but on the wire.

use core::fmt;

use serde::{Serialize, Serializer};
use sidetone_packet::{HEADER_LEN, Header, KEY_LEN};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{ZeroizeOnDrop, Zeroizing};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A key or a nonce cannot be used. The text at fault is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Not as many characters as 16 bytes take.
    #[error("{len} characters, 16 bytes in hexadecimal are 32")]
    Length {
        /// Characters that came.
        len: usize,
    },
    /// A character that is no hexadecimal digit.
    #[error("character {at} is no hexadecimal digit")]
    Digit {
        /// Its place, from 0.
        at: usize,
    },
    /// The nonce is not the header of an audio packet.
    #[error("nonce of packet type {found}, only {} is defined", sidetone_packet::PACKET_TYPE)]
    NonceType {
        /// The type byte.
        found: u8,
    },
}

/// The AES-128 key of one session, both directions. Compared in constant time.
///
/// ```
/// use sidetone_protocol::SessionKey;
///
/// let key = SessionKey::new([7; 16]);
/// assert_eq!(format!("{key:?}"), "SessionKey { .. }");
/// assert_eq!(SessionKey::from_hex("07070707070707070707070707070707"), Ok(key));
/// ```
#[derive(Clone)]
pub struct SessionKey(Zeroizing<[u8; KEY_LEN]>);

impl SessionKey {
    /// A key of 16 bytes from a cryptographic random source.
    #[must_use]
    pub fn new(bytes: [u8; KEY_LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key, for the packet layer.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// Reads 32 hexadecimal digits of either case. (Firmware takes any other character for a 0.)
    ///
    /// # Errors
    /// [`SecretError::Length`], [`SecretError::Digit`].
    pub fn from_hex(text: &str) -> Result<Self, SecretError> {
        Ok(Self(hex_bytes(text)?))
    }
}

impl PartialEq for SessionKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }
}

impl Eq for SessionKey {}

impl ZeroizeOnDrop for SessionKey {}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey { .. }")
    }
}

impl Serialize for SessionKey {
    /// 32 lower-case hexadecimal digits: for the hello reply, and for nothing else.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_hex(&self.0, serializer)
    }
}

/// The nonce of a hello reply: a packet header whose connection id is the session's, and whose length, timestamp and
/// sequence are zero. Devices use it as the template of every header they send.
#[derive(Clone, PartialEq, Eq)]
pub struct HelloNonce(Zeroizing<[u8; HEADER_LEN]>);

impl HelloNonce {
    /// The nonce of a connection id: [`Header::hello_nonce`].
    #[must_use]
    pub fn new(connection_id: u32) -> Self {
        Self(Zeroizing::new(Header::hello_nonce(connection_id)))
    }

    /// Reads 32 hexadecimal digits of either case.
    ///
    /// # Errors
    /// Every variant of [`SecretError`].
    pub fn from_hex(text: &str) -> Result<Self, SecretError> {
        let bytes = hex_bytes(text)?;
        match Header::parse(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(_) => Err(SecretError::NonceType { found: bytes[0] }),
        }
    }

    /// The connection id (ssrc) that it names.
    #[must_use]
    pub fn connection_id(&self) -> u32 {
        u32::from_be_bytes([self.0[4], self.0[5], self.0[6], self.0[7]])
    }

    /// The 16 bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; HEADER_LEN] {
        &self.0
    }
}

impl ZeroizeOnDrop for HelloNonce {}

impl fmt::Debug for HelloNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HelloNonce { .. }")
    }
}

impl Serialize for HelloNonce {
    /// 32 lower-case hexadecimal digits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_hex(&self.0, serializer)
    }
}

fn serialize_hex<S: Serializer>(bytes: &[u8; 16], serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = Zeroizing::new(String::with_capacity(32));
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    serializer.serialize_str(&text)
}

fn hex_bytes(text: &str) -> Result<Zeroizing<[u8; 16]>, SecretError> {
    if text.len() != 32 {
        return Err(SecretError::Length { len: text.chars().count() });
    }
    let mut bytes = Zeroizing::new([0; 16]);
    for (at, digit) in text.bytes().enumerate() {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            b'A'..=b'F' => digit - b'A' + 10,
            _ => return Err(SecretError::Digit { at }),
        };
        bytes[at / 2] = bytes[at / 2] << 4 | value;
    }
    Ok(bytes)
}
