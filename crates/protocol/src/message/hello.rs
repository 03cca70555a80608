//! Both hellos.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use super::lenient::{Fields, is_on, number, object, text};
use super::{AudioParams, MessageError};
use crate::{HelloNonce, SecretError, SessionKey};

/// Version of the protocol over MQTT and UDP.
pub const VERSION: u32 = 3;

/// The only cipher there is.
pub const ENCRYPTION: &str = "aes-128-ctr";

/// What carries the audio.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Transport {
    /// Sealed UDP packets.
    #[default]
    Udp,
    /// Binary frames of the WebSocket that carries the messages.
    WebSocket,
    /// What some clients say that mean [`Udp`](Self::Udp).
    Mqtt,
    /// A word that is not known here. Gateways treat it as UDP.
    Other(String),
}

impl Transport {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Udp => "udp",
            Self::WebSocket => "websocket",
            Self::Mqtt => "mqtt",
            Self::Other(word) => word,
        }
    }

    fn from_fields(fields: &Fields) -> Self {
        match text(fields, "transport") {
            None | Some("udp") => Self::Udp,
            Some("websocket") => Self::WebSocket,
            Some("mqtt") => Self::Mqtt,
            Some(word) => Self::Other(word.into()),
        }
    }
}

/// What a device can do besides talking.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Features {
    /// Answers MCP (JSON-RPC) messages.
    pub mcp: bool,
    /// Leaves echo cancellation to the server: its uplink timestamps echo those of the downlink it played.
    pub aec: bool,
    /// Others that are on, by name.
    pub others: Vec<String>,
}

impl Features {
    /// From an object of booleans as firmware sends it, or an array of names.
    fn from_value(value: Option<&Value>) -> Self {
        let mut features = Self::default();
        let names: Vec<&str> = match value {
            Some(Value::Object(flags)) => {
                flags.iter().filter(|(_, on)| is_on(on)).map(|(name, _)| name.as_str()).collect()
            }
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for name in names {
            match name {
                "mcp" => features.mcp = true,
                "aec" => features.aec = true,
                _ => features.others.push(name.into()),
            }
        }
        features.others.sort_unstable();
        features.others.dedup();
        features
    }
}

impl Serialize for Features {
    /// An object with `true` for each that is on.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let known = [("mcp", self.mcp), ("aec", self.aec)];
        for (name, _) in known.iter().filter(|(_, on)| *on) {
            map.serialize_entry(name, &true)?;
        }
        for name in &self.others {
            map.serialize_entry(name, &true)?;
        }
        map.end()
    }
}

/// `hello` of a device: asks for a session. It carries no session id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeviceHello {
    /// 3 over MQTT; over WebSocket the version of the binary frames, 1 to 3.
    pub version: u32,
    /// What is to carry the audio.
    pub transport: Transport,
    /// What the device can do.
    pub features: Features,
    /// What the device sends.
    pub audio_params: AudioParams,
}

impl Default for DeviceHello {
    /// As firmware says it.
    fn default() -> Self {
        Self {
            version: VERSION,
            transport: Transport::Udp,
            features: Features { mcp: true, ..Features::default() },
            audio_params: AudioParams::DEVICE,
        }
    }
}

impl DeviceHello {
    pub(crate) fn from_fields(fields: &Fields) -> Self {
        Self {
            version: number(fields, "version").unwrap_or(VERSION),
            transport: Transport::from_fields(fields),
            features: Features::from_value(fields.get("features")),
            audio_params: AudioParams::from_fields(object(fields, "audio_params"), AudioParams::DEVICE),
        }
    }

    pub(crate) fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("version", &self.version)?;
        map.serialize_entry("transport", self.transport.as_str())?;
        map.serialize_entry("features", &self.features)?;
        map.serialize_entry("audio_params", &self.audio_params)
    }
}

/// `udp` of a hello reply: where the packets go, and how they are sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UdpEndpoint {
    /// Host name or address, without port.
    pub server: String,
    /// UDP port.
    pub port: u16,
    /// The session's key.
    pub key: SessionKey,
    /// The session's nonce: [`HelloNonce::connection_id`] is its connection id.
    pub nonce: HelloNonce,
}

impl UdpEndpoint {
    fn take(mut fields: Fields) -> Result<Self, MessageError> {
        let key = secret(&mut fields, "key", SessionKey::from_hex)?;
        let nonce = secret(&mut fields, "nonce", HelloNonce::from_hex)?;
        let server = text(&fields, "server").filter(|server| is_host(server));
        let port = number(&fields, "port").and_then(|port| u16::try_from(port).ok()).filter(|&port| port != 0);
        Ok(Self {
            server: server.ok_or(MessageError::Udp { field: "server" })?.into(),
            port: port.ok_or(MessageError::Udp { field: "port" })?,
            key,
            nonce,
        })
    }
}

/// Takes a secret out of the parsed tree, so that its text can be zeroised.
fn secret<T>(
    fields: &mut Fields,
    field: &'static str,
    parse: fn(&str) -> Result<T, SecretError>,
) -> Result<T, MessageError> {
    match fields.remove(field) {
        Some(Value::String(text)) => {
            let text = Zeroizing::new(text);
            parse(&text).map_err(|error| MessageError::Secret { field, error })
        }
        _ => Err(MessageError::Udp { field }),
    }
}

fn is_host(server: &str) -> bool {
    (1..=255).contains(&server.len()) && server.chars().all(|c| c.is_ascii_graphic())
}

impl Serialize for UdpEndpoint {
    /// In the order of the reference gateway, key and nonce in hexadecimal.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("server", &self.server)?;
        map.serialize_entry("port", &self.port)?;
        map.serialize_entry("encryption", ENCRYPTION)?;
        map.serialize_entry("key", &self.key)?;
        map.serialize_entry("nonce", &self.nonce)?;
        map.end()
    }
}

/// `hello` of a gateway: grants a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayHello {
    /// That of the device's hello.
    pub version: u32,
    /// [`Transport::Udp`] or [`Transport::WebSocket`]: firmware refuses any other word.
    pub transport: Transport,
    /// Where the packets go; `None` over WebSocket.
    pub udp: Option<UdpEndpoint>,
    /// What the gateway sends.
    pub audio_params: AudioParams,
}

impl GatewayHello {
    pub(crate) fn take(fields: &mut Fields) -> Result<Self, MessageError> {
        let udp = match fields.remove("udp") {
            Some(Value::Object(udp)) => Some(UdpEndpoint::take(udp)?),
            _ => None,
        };
        Ok(Self {
            version: number(fields, "version").unwrap_or(VERSION),
            transport: Transport::from_fields(fields),
            udp,
            audio_params: AudioParams::from_fields(object(fields, "audio_params"), AudioParams::GATEWAY),
        })
    }

    pub(crate) fn write<M: SerializeMap>(&self, session_id: Option<&str>, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("version", &self.version)?;
        if let Some(id) = session_id {
            map.serialize_entry("session_id", id)?;
        }
        map.serialize_entry("transport", self.transport.as_str())?;
        if let Some(udp) = &self.udp {
            map.serialize_entry("udp", udp)?;
        }
        map.serialize_entry("audio_params", &self.audio_params)
    }
}
