//! MQTT user name and password of a device, as the server that configures devices makes them.
//!
//! User name: base64 of a JSON object. Password: base64 of HMAC-SHA256 (RFC 2104) over `client_id|username`, keyed
//! with the signature key. They do not expire: whoever reads one holds it for good, so they belong into TLS.

use core::fmt;

use base64ct::{Base64, Base64Unpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::message::lenient::parse_object;

/// The most bytes of a user name.
pub const MAX_USERNAME: usize = 4096;

/// Characters of a password: 32 bytes in base64.
const PASSWORD_LEN: usize = 44;

/// A device's credentials are not accepted. No variant repeats them. Tell the device nothing but "not authorised".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The signature key is empty: it would accept what anybody can compute.
    #[error("signature key is empty")]
    EmptyKey,
    /// User name longer than [`MAX_USERNAME`].
    #[error("user name of {len} bytes, {MAX_USERNAME} are allowed")]
    UsernameTooLong {
        /// Bytes that came.
        len: usize,
    },
    /// The user name is not the base64 of a JSON object.
    #[error("user name is not a JSON object in base64")]
    Username,
    /// The password is not 32 bytes in base64.
    #[error("password is not 32 bytes in base64")]
    PasswordForm,
    /// The password is that of another client id, user name or signature key.
    #[error("password does not fit client id and user name")]
    WrongPassword,
}

/// The key that passwords are made with. Zeroised when dropped, shown nowhere.
///
/// ```
/// use sidetone_protocol::credential::{SignatureKey, encode_username};
///
/// let key = SignatureKey::new(b"a long random key")?;
/// let username = encode_username(&Default::default());
/// let password = key.password("GID_x@@@aa_bb_cc_dd_ee_ff@@@uuid", &username);
/// assert!(key.check("GID_x@@@aa_bb_cc_dd_ee_ff@@@uuid", &username, &password).is_ok());
/// assert!(key.check("GID_x@@@00_00_00_00_00_00@@@uuid", &username, &password).is_err());
/// # Ok::<(), sidetone_protocol::credential::CredentialError>(())
/// ```
#[derive(Clone)]
pub struct SignatureKey(Zeroizing<Vec<u8>>);

impl SignatureKey {
    /// A key of any length but 0.
    ///
    /// # Errors
    /// [`CredentialError::EmptyKey`].
    pub fn new(key: &[u8]) -> Result<Self, CredentialError> {
        match key {
            [] => Err(CredentialError::EmptyKey),
            _ => Ok(Self(Zeroizing::new(key.to_vec()))),
        }
    }

    /// The password of a device; `username` in base64, as it is sent.
    #[must_use]
    pub fn password(&self, client_id: &str, username: &str) -> Zeroizing<String> {
        let tag = self.mac(client_id, username).finalize().into_bytes();
        Zeroizing::new(Base64::encode_string(&tag))
    }

    /// Checks the credentials of a CONNECT, the password in constant time, and returns what the user name holds.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub fn check(
        &self,
        client_id: &str,
        username: &str,
        password: &str,
    ) -> Result<Map<String, Value>, CredentialError> {
        if username.len() > MAX_USERNAME {
            return Err(CredentialError::UsernameTooLong { len: username.len() });
        }
        let mut tag = Zeroizing::new([0; PASSWORD_LEN]);
        let tag = match password.len() {
            PASSWORD_LEN => Base64::decode(password, &mut *tag).map_err(|_| CredentialError::PasswordForm)?,
            _ => return Err(CredentialError::PasswordForm),
        };
        self.mac(client_id, username).verify_slice(tag).map_err(|_| CredentialError::WrongPassword)?;
        decode_username(username)
    }

    fn mac(&self, client_id: &str, username: &str) -> Hmac<Sha256> {
        // HMAC takes keys of any length, so that the fallback is never taken.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| Hmac::new(&Default::default()));
        for part in [client_id, "|", username] {
            mac.update(part.as_bytes());
        }
        mac
    }
}

impl fmt::Debug for SignatureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignatureKey { .. }")
    }
}

/// The user name for a JSON object, such as `{"ip":"192.0.2.1"}`.
#[must_use]
pub fn encode_username(fields: &Map<String, Value>) -> String {
    Base64::encode_string(serde_json::to_string(fields).unwrap_or_default().as_bytes())
}

/// What a user name holds, with or without base64's padding.
///
/// # Errors
/// [`CredentialError::UsernameTooLong`], [`CredentialError::Username`].
pub fn decode_username(username: &str) -> Result<Map<String, Value>, CredentialError> {
    if username.len() > MAX_USERNAME {
        return Err(CredentialError::UsernameTooLong { len: username.len() });
    }
    let json = Base64Unpadded::decode_vec(username.trim_end_matches('=')).map_err(|_| CredentialError::Username)?;
    parse_object(&json).map_err(|_| CredentialError::Username)
}
