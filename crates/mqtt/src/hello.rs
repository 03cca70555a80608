//! What a CONNECT says. The protocol library parses it; what it lets pass and should not is caught here.

use crate::error::{AcceptError, Fault};
use crate::packet::Version;
use mqtt::connection::RawPacket;
use mqtt::packet::{Packet, Property, v3_1_1, v5_0};
use mqtt::result_code::MqttError;
use mqtt_protocol_core::mqtt;
use std::time::Duration;
use zeroize::Zeroizing;

/// What a CONNECT says.
pub(crate) struct Connect {
    pub(crate) version: Version,
    pub(crate) client_id: String,
    /// Whether the client named none.
    pub(crate) assigned: bool,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Zeroizing<Vec<u8>>>,
    pub(crate) keep_alive: Duration,
    /// Of 5: those that the protocol library heeds.
    props: Vec<Property>,
}

impl Connect {
    pub(crate) fn parse(raw: &RawPacket) -> Result<Self, AcceptError> {
        let malformed = || AcceptError::Fault(Fault::Malformed);
        let body = raw.data_as_slice();
        let (version, flags) = match body {
            [0, 4, b'M', b'Q', b'T', b'T', 4, flags, ..] => (Version::V311, flags),
            [0, 4, b'M', b'Q', b'T', b'T', 5, flags, ..] => (Version::V5, flags),
            [0, 4, b'M', b'Q', b'T', b'T', level, ..] => return Err(AcceptError::Version(*level)),
            [0, 6, b'M', b'Q', b'I', b's', b'd', b'p', level, ..] => return Err(AcceptError::Version(*level)),
            _ => return Err(malformed()),
        };
        // What the library lets pass: a reserved bit, QoS 3 of a will, a will's flags without a will.
        let (will, will_qos) = (flags & 0b100 != 0, flags >> 3 & 0b11);
        if flags & 1 != 0 || will_qos == 3 || (!will && flags & 0b0011_1000 != 0) {
            return Err(malformed());
        }
        let mut connect = match version {
            Version::V311 => {
                let packet = raw.parse_exact(v3_1_1::Connect::parse).map_err(Fault::from)?;
                if packet.client_id().is_empty() && !packet.clean_session() {
                    return Err(AcceptError::NoClientId);
                }
                Self::of(version, packet.client_id(), packet.user_name(), packet.password(), packet.keep_alive())
            }
            Version::V5 => {
                let packet = raw.parse_exact(v5_0::Connect::parse).map_err(Fault::from)?;
                let props = packet.props().iter().cloned();
                let props =
                    props.filter(|prop| matches!(prop, Property::ReceiveMaximum(_) | Property::MaximumPacketSize(_)));
                let props = props.collect();
                let (id, user, password) = (packet.client_id(), packet.user_name(), packet.password());
                Self { props, ..Self::of(version, id, user, password, packet.keep_alive()) }
            }
        };
        if connect.client_id.is_empty() {
            connect.client_id = random_id()?;
            connect.assigned = true;
        }
        Ok(connect)
    }

    fn of(version: Version, id: &str, username: Option<&str>, password: Option<&[u8]>, keep_alive: u16) -> Self {
        Self {
            version,
            client_id: id.to_owned(),
            assigned: false,
            username: username.map(str::to_owned),
            password: password.map(|password| Zeroizing::new(password.to_vec())),
            keep_alive: Duration::from_secs(keep_alive.into()),
            props: Vec::new(),
        }
    }

    /// A CONNECT that says what the protocol library needs to know.
    pub(crate) fn essence(&self) -> Result<Packet, MqttError> {
        let keep_alive = u16::try_from(self.keep_alive.as_secs()).unwrap_or(u16::MAX);
        Ok(match self.version {
            Version::V311 => {
                let packet = v3_1_1::Connect::builder().client_id("-")?.clean_session(true);
                packet.keep_alive(keep_alive).build()?.into()
            }
            Version::V5 => {
                let packet = v5_0::Connect::builder().client_id("-")?.clean_start(true);
                packet.keep_alive(keep_alive).props(self.props.clone()).build()?.into()
            }
        })
    }
}

/// An id for a client that names none.
fn random_id() -> Result<String, AcceptError> {
    let mut bytes = [0; 8];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| std::io::Error::other("the system has no random numbers"))?;
    Ok(format!("auto-{:016x}", u64::from_be_bytes(bytes)))
}
