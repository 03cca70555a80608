//! Who a device over WebSocket says it is, and whether that is so.
//!
//! Firmware sends headers; a page in a browser cannot, and sends the same names as parameters of the address:
//!
//! | header | parameter | |
//! |---|---|---|
//! | `Device-Id` | `device-id` | MAC address, or a whole client id |
//! | `Client-Id` | `client-id` | UUID |
//! | `Authorization` | `authorization` | `Bearer TOKEN` |
//! | `Protocol-Version` | `protocol-version` | of binary frames: 1, 2 or 3; left out, the hello says it |
//!
//! Where there is a signature key, the token is made like a password of MQTT, of the two ids exactly as they are sent:
//! base64(HMAC-SHA256(signature key, Client-Id + "|" + Device-Id)). So whoever configures devices gives each its own.
//! A user name of MQTT is base64, which a MAC address with colons is not: one is never the other's password.

use sidetone_protocol::credential::SignatureKey;
use sidetone_protocol::topic::{ClientId, ClientIdError, Mac};
use sidetone_protocol::websocket::Version;
use std::borrow::Cow;
use subtle::ConstantTimeEq;
use thiserror::Error;
use tokio_tungstenite::tungstenite::http::{HeaderMap, StatusCode, Uri};
use url::form_urlencoded;

/// The group of devices that name none: `[tenants.websocket]` is theirs.
pub(super) const GROUP: &str = "websocket";

/// Why a device is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum ClaimError {
    #[error("Device-Id is missing: send the MAC address of the device")]
    NoDevice,
    #[error("Device-Id and Client-Id make no client id: {0}")]
    Id(#[from] ClientIdError),
    #[error("Protocol-Version is unknown: 1, 2 or 3")]
    Version,
    #[error("the token does not fit Device-Id and Client-Id")]
    Token,
}

impl ClaimError {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Token => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// What was claimed and found to be so.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) device: ClientId,
    /// `None`: the hello says it.
    pub(super) version: Option<Version>,
}

impl Claim {
    pub(super) fn check(headers: &HeaderMap, uri: &Uri, key: Option<&SignatureKey>) -> Result<Self, ClaimError> {
        let find = |name: &str| -> Option<Cow<'_, str>> {
            if let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) {
                return Some(value.into());
            }
            let mut parameters = form_urlencoded::parse(uri.query()?.as_bytes());
            parameters.find(|(parameter, _)| parameter == name).map(|(_, value)| value)
        };
        let device = find("device-id").filter(|id| !id.is_empty()).ok_or(ClaimError::NoDevice)?;
        let client = find("client-id").unwrap_or_default();
        if let Some(key) = key {
            let given = find("authorization").unwrap_or_default();
            let due = key.password(&client, &device);
            if !bool::from(token(&given).as_bytes().ct_eq(due.as_bytes())) {
                return Err(ClaimError::Token);
            }
        }
        let version = match find("protocol-version") {
            None => None,
            Some(text) => {
                let version = text.trim().parse().ok().and_then(Version::from_number);
                Some(version.ok_or(ClaimError::Version)?)
            }
        };
        let device = match Mac::parse(&device) {
            Some(mac) => mac.client_id(GROUP, &client)?,
            None => device.parse()?,
        };
        Ok(Self { device, version })
    }
}

/// What follows `Bearer`. Firmware puts that before every token that has no space.
fn token(authorization: &str) -> &str {
    match authorization.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => authorization,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: &str = "AA:bb:cc:dd:ee:ff";
    const UUID: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

    fn check(headers: &[(&'static str, &str)], uri: &str, key: Option<&SignatureKey>) -> Result<Claim, ClaimError> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Claim::check(&map, &uri.parse().unwrap(), key)
    }

    #[test]
    fn firmware_says_who_it_is_in_headers_and_a_page_in_the_address() {
        let id = "websocket@@@aa_bb_cc_dd_ee_ff@@@6ba7b810-9dad-11d1-80b4-00c04fd430c8";
        let device: ClientId = id.parse().unwrap();
        let headers = [("device-id", MAC), ("client-id", UUID), ("protocol-version", "3")];
        let claim = check(&headers, "/", None).unwrap();
        assert_eq!(claim, Claim { device: device.clone(), version: Some(Version::V3) });
        let uri = format!("/?device-id=AA%3Abb%3Acc%3Add%3Aee%3Aff&client-id={UUID}");
        assert_eq!(check(&[], &uri, None).unwrap(), Claim { device, version: None });
        let whole = check(&[("device-id", "GID_a@@@aa_bb_cc_dd_ee_ff@@@u")], "/", None).unwrap();
        assert_eq!(whole.device.group(), Some("GID_a"));
    }

    #[test]
    fn what_cannot_be_an_id_or_a_version_is_refused() {
        assert_eq!(check(&[], "/", None), Err(ClaimError::NoDevice));
        assert_eq!(check(&[("device-id", "")], "/", None), Err(ClaimError::NoDevice));
        assert!(matches!(check(&[("device-id", "a/b")], "/", None), Err(ClaimError::Id(_))));
        assert!(matches!(check(&[("device-id", MAC), ("client-id", "#")], "/", None), Err(ClaimError::Id(_))));
        for version in ["0", "4", "-1", "", "one"] {
            assert_eq!(
                check(&[("device-id", MAC), ("protocol-version", version)], "/", None),
                Err(ClaimError::Version)
            );
        }
    }

    #[test]
    fn a_token_is_good_for_one_device() {
        let key = SignatureKey::new(b"key").unwrap();
        let token = key.password(UUID, MAC);
        let bearer = format!("Bearer {}", *token);
        let with = |mac, authorization: &str| {
            check(&[("device-id", mac), ("client-id", UUID), ("authorization", authorization)], "/", Some(&key))
        };
        assert!(with(MAC, &bearer).is_ok() && with(MAC, &token).is_ok());
        let cut = &bearer[..bearer.len() - 1];
        for (mac, authorization) in [("00:00:00:00:00:00", bearer.as_str()), (MAC, ""), (MAC, "Bearer "), (MAC, cut)] {
            assert_eq!(with(mac, authorization), Err(ClaimError::Token), "{mac} {authorization}");
        }
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("device-id", MAC)
            .append_pair("client-id", UUID)
            .append_pair("authorization", &token)
            .finish();
        assert!(check(&[], &format!("/?{query}"), Some(&key)).is_ok());
        assert_eq!(check(&[("device-id", MAC)], "/", Some(&key)), Err(ClaimError::Token));
    }
}
