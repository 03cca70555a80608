//! Packets in both versions of MQTT, as the rest of this crate sees them: read into one form, written from one form.

use bytes::Bytes;
use mqtt::packet::{Packet, SubEntry, SubOpts, v3_1_1, v5_0};
use mqtt::result_code::{
    DisconnectReasonCode, MqttError, PubcompReasonCode, SubackReasonCode, SubackReturnCode, UnsubackReasonCode,
};
use mqtt_protocol_core::mqtt;

/// A version of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// 3.1.1, protocol level 4: what devices speak.
    V311,
    /// 5.
    V5,
}

impl From<Version> for mqtt::Version {
    fn from(version: Version) -> Self {
        match version {
            Version::V311 => Self::V3_1_1,
            Version::V5 => Self::V5_0,
        }
    }
}

/// How often a message may arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qos {
    /// QoS 0: not acknowledged.
    AtMostOnce,
    /// QoS 1: acknowledged, perhaps delivered twice.
    AtLeastOnce,
    /// QoS 2: acknowledged twice, delivered once.
    ExactlyOnce,
}

impl From<mqtt::packet::Qos> for Qos {
    fn from(qos: mqtt::packet::Qos) -> Self {
        match qos {
            mqtt::packet::Qos::AtMostOnce => Self::AtMostOnce,
            mqtt::packet::Qos::AtLeastOnce => Self::AtLeastOnce,
            mqtt::packet::Qos::ExactlyOnce => Self::ExactlyOnce,
        }
    }
}

impl From<Qos> for mqtt::packet::Qos {
    fn from(qos: Qos) -> Self {
        match qos {
            Qos::AtMostOnce => Self::AtMostOnce,
            Qos::AtLeastOnce => Self::AtLeastOnce,
            Qos::ExactlyOnce => Self::ExactlyOnce,
        }
    }
}

/// A packet that has come, whatever its version.
#[derive(Debug)]
pub(crate) enum Incoming {
    Publish {
        topic: String,
        payload: Bytes,
        qos: Qos,
        retain: bool,
        id: u16,
    },
    Puback {
        id: u16,
    },
    Pubrel {
        id: u16,
    },
    Subscribe {
        id: u16,
        filters: Vec<String>,
    },
    Unsubscribe {
        id: u16,
        filters: Vec<String>,
    },
    /// One code for each filter; below 0x80 it is the QoS granted.
    Suback {
        id: u16,
        codes: Vec<u8>,
    },
    Unsuback {
        id: u16,
    },
    Connack {
        code: u8,
        why: String,
    },
    Disconnect {
        clean: bool,
        reason: String,
    },
    /// What only the protocol library needed to see.
    Nothing,
    /// What this crate has no use for and the peer no reason to send.
    Unexpected,
}

/// The two versions of a packet have the same accessors, but no common trait.
macro_rules! publish {
    ($packet:expr) => {
        Incoming::Publish {
            topic: $packet.topic_name().to_owned(),
            payload: Bytes::copy_from_slice($packet.payload().as_slice()),
            qos: $packet.qos().into(),
            retain: $packet.retain(),
            id: $packet.packet_id().unwrap_or(0),
        }
    };
}

macro_rules! subscribe {
    ($packet:expr) => {
        Incoming::Subscribe {
            id: $packet.packet_id(),
            filters: $packet.entries().iter().map(|entry| entry.topic_filter().to_owned()).collect(),
        }
    };
}

macro_rules! unsubscribe {
    ($packet:expr) => {
        Incoming::Unsubscribe {
            id: $packet.packet_id(),
            filters: $packet.entries().iter().map(|filter| filter.as_str().to_owned()).collect(),
        }
    };
}

pub(crate) fn read(packet: &Packet) -> Incoming {
    match packet {
        Packet::V3_1_1Publish(packet) => publish!(packet),
        Packet::V5_0Publish(packet) => publish!(packet),
        Packet::V3_1_1Puback(packet) => Incoming::Puback { id: packet.packet_id() },
        Packet::V5_0Puback(packet) => Incoming::Puback { id: packet.packet_id() },
        Packet::V3_1_1Pubrel(packet) => Incoming::Pubrel { id: packet.packet_id() },
        Packet::V5_0Pubrel(packet) => Incoming::Pubrel { id: packet.packet_id() },
        Packet::V3_1_1Subscribe(packet) => subscribe!(packet),
        Packet::V5_0Subscribe(packet) => subscribe!(packet),
        Packet::V3_1_1Unsubscribe(packet) => unsubscribe!(packet),
        Packet::V5_0Unsubscribe(packet) => unsubscribe!(packet),
        Packet::V3_1_1Suback(packet) => Incoming::Suback {
            id: packet.packet_id(),
            codes: packet.return_codes().into_iter().map(|code| code as u8).collect(),
        },
        Packet::V5_0Suback(packet) => Incoming::Suback {
            id: packet.packet_id(),
            codes: packet.reason_codes().into_iter().map(|code| code as u8).collect(),
        },
        Packet::V3_1_1Unsuback(packet) => Incoming::Unsuback { id: packet.packet_id() },
        Packet::V5_0Unsuback(packet) => Incoming::Unsuback { id: packet.packet_id() },
        Packet::V3_1_1Connack(packet) => {
            Incoming::Connack { code: packet.return_code() as u8, why: packet.return_code().to_string() }
        }
        Packet::V5_0Connack(packet) => {
            Incoming::Connack { code: packet.reason_code() as u8, why: packet.reason_code().to_string() }
        }
        Packet::V3_1_1Disconnect(_) => Incoming::Disconnect { clean: true, reason: "it disconnected".to_owned() },
        Packet::V5_0Disconnect(packet) => {
            let reason = packet.reason_code().unwrap_or(DisconnectReasonCode::NormalDisconnection);
            Incoming::Disconnect {
                clean: reason == DisconnectReasonCode::NormalDisconnection,
                reason: format!("it disconnected: {reason}"),
            }
        }
        Packet::V3_1_1Pingreq(_) | Packet::V3_1_1Pingresp(_) | Packet::V5_0Pingreq(_) | Packet::V5_0Pingresp(_) => {
            Incoming::Nothing
        }
        _ => Incoming::Unexpected,
    }
}

/// The largest packet that MQTT can write, less what a PUBLISH needs besides topic and message.
const MAX_PUBLISH: usize = 268_435_455 - 16;

pub(crate) fn publish(
    version: Version,
    topic: &str,
    payload: &[u8],
    qos: Qos,
    id: Option<u16>,
) -> Result<Packet, MqttError> {
    // The library would panic.
    if topic.len() + payload.len() > MAX_PUBLISH {
        return Err(MqttError::PacketTooLarge);
    }
    match version {
        Version::V311 => {
            let mut packet = v3_1_1::Publish::builder().topic_name(topic)?.qos(qos.into()).payload(payload);
            if let Some(id) = id {
                packet = packet.packet_id(id);
            }
            Ok(packet.build()?.into())
        }
        Version::V5 => {
            let mut packet = v5_0::Publish::builder().topic_name(topic)?.qos(qos.into()).payload(payload);
            if let Some(id) = id {
                packet = packet.packet_id(id);
            }
            Ok(packet.build()?.into())
        }
    }
}

pub(crate) fn puback(version: Version, id: u16) -> Result<Packet, MqttError> {
    Ok(match version {
        Version::V311 => v3_1_1::Puback::builder().packet_id(id).build()?.into(),
        Version::V5 => v5_0::Puback::builder().packet_id(id).build()?.into(),
    })
}

pub(crate) fn pubrec(version: Version, id: u16) -> Result<Packet, MqttError> {
    Ok(match version {
        Version::V311 => v3_1_1::Pubrec::builder().packet_id(id).build()?.into(),
        Version::V5 => v5_0::Pubrec::builder().packet_id(id).build()?.into(),
    })
}

/// `known` is whether a message of this id was under way; 3.1.1 cannot say so.
pub(crate) fn pubcomp(version: Version, id: u16, known: bool) -> Result<Packet, MqttError> {
    Ok(match version {
        Version::V311 => v3_1_1::Pubcomp::builder().packet_id(id).build()?.into(),
        Version::V5 if known => v5_0::Pubcomp::builder().packet_id(id).build()?.into(),
        Version::V5 => {
            let reason = PubcompReasonCode::PacketIdentifierNotFound;
            v5_0::Pubcomp::builder().packet_id(id).reason_code(reason).build()?.into()
        }
    })
}

/// What the endpoint says to one filter of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Granted,
    Invalid,
    Shared,
    TooMany,
}

pub(crate) fn suback(version: Version, id: u16, verdicts: &[Verdict]) -> Result<Packet, MqttError> {
    Ok(match version {
        Version::V311 => {
            let codes = verdicts.iter().map(|verdict| match verdict {
                Verdict::Granted => SubackReturnCode::SuccessMaximumQos0,
                _ => SubackReturnCode::Failure,
            });
            v3_1_1::Suback::builder().packet_id(id).return_codes(codes.collect()).build()?.into()
        }
        Version::V5 => {
            let codes = verdicts.iter().map(|verdict| match verdict {
                Verdict::Granted => SubackReasonCode::GrantedQos0,
                Verdict::Invalid => SubackReasonCode::TopicFilterInvalid,
                Verdict::Shared => SubackReasonCode::SharedSubscriptionsNotSupported,
                Verdict::TooMany => SubackReasonCode::QuotaExceeded,
            });
            v5_0::Suback::builder().packet_id(id).reason_codes(codes.collect()).build()?.into()
        }
    })
}

/// `existed` tells for each filter whether it was subscribed to.
pub(crate) fn unsuback(version: Version, id: u16, existed: &[bool]) -> Result<Packet, MqttError> {
    Ok(match version {
        Version::V311 => v3_1_1::Unsuback::builder().packet_id(id).build()?.into(),
        Version::V5 => {
            let codes = existed.iter().map(|existed| match existed {
                true => UnsubackReasonCode::Success,
                false => UnsubackReasonCode::NoSubscriptionExisted,
            });
            v5_0::Unsuback::builder().packet_id(id).reason_codes(codes.collect()).build()?.into()
        }
    })
}

pub(crate) fn subscribe(version: Version, id: u16, filters: &[&str], qos: Qos) -> Result<Packet, MqttError> {
    let options = SubOpts::new().set_qos(qos.into());
    let entries = filters.iter().map(|filter| SubEntry::new(*filter, options)).collect::<Result<Vec<_>, _>>()?;
    Ok(match version {
        Version::V311 => v3_1_1::Subscribe::builder().packet_id(id).entries(entries).build()?.into(),
        Version::V5 => v5_0::Subscribe::builder().packet_id(id).entries(entries).build()?.into(),
    })
}

pub(crate) fn unsubscribe(version: Version, id: u16, filters: &[&str]) -> Result<Packet, MqttError> {
    Ok(match version {
        Version::V311 => v3_1_1::Unsubscribe::builder().packet_id(id).entries(filters.iter().copied())?.build()?.into(),
        Version::V5 => v5_0::Unsubscribe::builder().packet_id(id).entries(filters.iter().copied())?.build()?.into(),
    })
}

pub(crate) fn disconnect(version: Version) -> Result<Packet, MqttError> {
    Ok(match version {
        Version::V311 => v3_1_1::Disconnect::builder().build()?.into(),
        Version::V5 => {
            v5_0::Disconnect::builder().reason_code(DisconnectReasonCode::NormalDisconnection).build()?.into()
        }
    })
}
