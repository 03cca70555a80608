//! Who a device is, and under which topics it is spoken to: three dialects of one protocol.
//!
//! | dialect                  | device publishes to      | device is answered on         |
//! |--------------------------|--------------------------|-------------------------------|
//! | [`Mac`](Dialect::Mac)           | `device-server`          | `devices/p2p/aa_bb_cc_dd_ee_ff` |
//! | [`ClientId`](Dialect::ClientId) | `device-server`          | `devices/p2p/<client id>`       |
//! | [`PerDevice`](Dialect::PerDevice) | `devices/<client>/data`  | `devices/p2p/<client id>`       |
//!
//! Every topic is built from a [`ClientId`], and none of those holds what means something to a broker.

mod client_id;
mod envelope;

use core::fmt;

pub use client_id::{ClientId, ClientIdError, MAX_CLIENT_ID, Mac, SEPARATOR};
pub use envelope::{Envelope, EnvelopeError};
use thiserror::Error;

/// The topic that firmware is usually configured to publish to.
pub const DEVICE_SERVER: &str = "device-server";

/// What a gateway subscribes to on an external broker for the dialect [`PerDevice`](Dialect::PerDevice).
pub const PER_DEVICE_FILTER: &str = "devices/+/data";

const P2P: &str = "devices/p2p/";

/// How devices and gateways name topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// Answers go to the device's MAC address. Two of the three gateways that firmware speaks to.
    #[default]
    Mac,
    /// Answers go to the whole client id.
    ClientId,
    /// Devices publish to a topic of their own.
    PerDevice,
}

impl Dialect {
    /// Where a device is answered. A device without a MAC address in its client id is answered at its client id.
    ///
    /// ```
    /// use sidetone_protocol::topic::{ClientId, Dialect};
    ///
    /// let id: ClientId = "GID_x@@@aa_bb_cc_dd_ee_ff@@@uuid".parse()?;
    /// assert_eq!(Dialect::Mac.downlink(&id), "devices/p2p/aa_bb_cc_dd_ee_ff");
    /// assert_eq!(Dialect::ClientId.downlink(&id), "devices/p2p/GID_x@@@aa_bb_cc_dd_ee_ff@@@uuid");
    /// # Ok::<(), sidetone_protocol::topic::ClientIdError>(())
    /// ```
    #[must_use]
    pub fn downlink(self, id: &ClientId) -> String {
        match (self, id.mac()) {
            (Self::Mac, Some(mac)) => format!("{P2P}{mac}"),
            _ => format!("{P2P}{id}"),
        }
    }

    /// Where a device publishes.
    #[must_use]
    pub fn uplink(self, id: &ClientId) -> String {
        match self {
            Self::Mac | Self::ClientId => DEVICE_SERVER.into(),
            Self::PerDevice => format!("devices/{id}/data"),
        }
    }

    /// The dialect to answer in, by the topic a device published to. The client ids of devices that publish to
    /// [`DEVICE_SERVER`] do not tell whether they are answered by MAC address: that is configuration, `otherwise`.
    #[must_use]
    pub const fn of(published: &Uplink<'_>, otherwise: Self) -> Self {
        match published {
            Uplink::Shared => otherwise,
            Uplink::PerDevice { .. } => Self::PerDevice,
        }
    }
}

/// A topic that a device published to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Uplink<'t> {
    /// [`DEVICE_SERVER`], or another name that all devices share: the MQTT connection tells who it was.
    Shared,
    /// `devices/<client>/data`: the topic tells who it was.
    PerDevice {
        /// The client, a client id or a part of one; as valid as a [`ClientId`].
        client: &'t str,
    },
}

impl<'t> Uplink<'t> {
    /// Reads the topic of a message that came in. `shared` is the configured shared name.
    ///
    /// # Errors
    /// [`TopicError`].
    pub fn parse(topic: &'t str, shared: &str) -> Result<Self, TopicError> {
        if topic == shared {
            return Ok(Self::Shared);
        }
        let client = topic.strip_prefix("devices/").and_then(|rest| rest.strip_suffix("/data"));
        let client = client.filter(|client| *client != "p2p").ok_or(TopicError::NotUplink)?;
        ClientId::check(client)?;
        Ok(Self::PerDevice { client })
    }

    /// Whether a device of this id may publish here: nobody speaks for another device.
    #[must_use]
    pub fn belongs_to(&self, id: &ClientId) -> bool {
        match *self {
            Self::Shared => true,
            Self::PerDevice { client } => {
                client == id.as_str() || id.mac().is_some_and(|mac| Mac::parse(client) == Some(mac))
            }
        }
    }
}

/// Who a downlink topic speaks to: what follows `devices/p2p/`, where that is a valid name.
///
/// # Errors
/// [`TopicError`].
pub fn parse_downlink(topic: &str) -> Result<&str, TopicError> {
    let client = topic.strip_prefix(P2P).ok_or(TopicError::NotDownlink)?;
    ClientId::check(client)?;
    Ok(client)
}

/// A topic is none of the protocol's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TopicError {
    /// Neither the shared topic nor `devices/<client>/data`.
    #[error("devices publish to the shared topic or to devices/<client>/data")]
    NotUplink,
    /// Not `devices/p2p/<…>`.
    #[error("devices are answered on devices/p2p/<client>")]
    NotDownlink,
    /// The name in it is not valid.
    #[error(transparent)]
    Client(#[from] ClientIdError),
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mac => "mac",
            Self::ClientId => "client-id",
            Self::PerDevice => "per-device",
        })
    }
}
