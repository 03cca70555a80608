//! Who the device says it is.

use serde_json::Map;
use sidetone_protocol::credential::{CredentialError, SignatureKey, encode_username};
use sidetone_protocol::topic::{ClientId, ClientIdError, Dialect, Mac};
use thiserror::Error;

/// An identity that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// No MAC address.
    #[error("{0:?} is no MAC address: give six pairs of hexadecimal digits, such as 02:00:00:00:00:01")]
    Mac(String),
    /// Group or UUID do not fit a client id.
    #[error(transparent)]
    ClientId(#[from] ClientIdError),
    /// The signature key cannot be used.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// Neither a dialect of topics nor empty.
    #[error("{0:?} is no dialect of topics: mac, client-id or per-device")]
    Dialect(String),
}

/// The client id of firmware: group, MAC address and UUID.
///
/// # Errors
/// [`IdentityError::Mac`], [`IdentityError::ClientId`].
pub fn client_id(group: &str, mac: &str, uuid: &str) -> Result<String, IdentityError> {
    let mac = Mac::parse(mac).ok_or_else(|| IdentityError::Mac(mac.into()))?;
    Ok(mac.client_id(group, uuid)?.as_str().to_owned())
}

/// User name and password for a gateway whose signature key is known: on one's own desk, in a test. A device is
/// configured with both.
///
/// # Errors
/// [`IdentityError::Credential`].
pub fn credentials(client_id: &str, signature_key: &str) -> Result<(String, String), IdentityError> {
    let username = encode_username(&Map::new());
    let password = SignatureKey::new(signature_key.as_bytes())?.password(client_id, &username);
    Ok((username, (*password).clone()))
}

/// Where the device publishes, and where it is answered.
///
/// # Errors
/// [`IdentityError::ClientId`], [`IdentityError::Dialect`].
pub fn topics(client_id: &str, dialect: &str) -> Result<(String, String), IdentityError> {
    let id: ClientId = client_id.parse()?;
    let dialect = match dialect {
        "" | "mac" => Dialect::Mac,
        "client-id" => Dialect::ClientId,
        "per-device" => Dialect::PerDevice,
        other => return Err(IdentityError::Dialect(other.into())),
    };
    Ok((dialect.uplink(&id), dialect.downlink(&id)))
}

/// The token that a device sends with a WebSocket, for a gateway whose signature key is known: a password of its two
/// ids, exactly as they are sent.
///
/// # Errors
/// [`IdentityError::Credential`].
pub fn token(device_id: &str, client_id: &str, signature_key: &str) -> Result<String, IdentityError> {
    Ok((*SignatureKey::new(signature_key.as_bytes())?.password(client_id, device_id)).clone())
}
