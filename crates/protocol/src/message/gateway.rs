//! What gateways say.

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use zeroize::Zeroizing;

use super::lenient::{Fields, parse_object, take_text, text};
use super::{GatewayHello, MessageError, Unknown};

/// `tts`: what the device is to play. Firmware plays audio only between start and stop.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Tts {
    /// Audio follows.
    Start,
    /// The sentence whose audio follows, to be shown.
    SentenceStart {
        /// The sentence.
        text: String,
    },
    /// No more audio. Firmware drops what it has not played yet, so this must not overtake the last packets.
    Stop,
}

/// `alert`: shown to the user, with a sound. Firmware takes it without a session too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Alert {
    /// A word or two for the status line.
    pub status: String,
    /// What happened.
    pub message: String,
    /// One of firmware's faces: `neutral`, `happy`, `sad`, …
    pub emotion: String,
}

impl Alert {
    /// An alert with a sad face.
    #[must_use]
    pub fn sad(status: &str, message: &str) -> Self {
        Self { status: status.into(), message: message.into(), emotion: "sad".into() }
    }
}

/// What a gateway's message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayBody {
    /// Grants a session.
    Hello(GatewayHello),
    /// Playing.
    Tts(Tts),
    /// What the user was understood to say.
    Stt {
        /// The words.
        text: String,
    },
    /// The face to make.
    Llm {
        /// An emoji, usually.
        text: String,
        /// Its name.
        emotion: String,
    },
    /// A JSON-RPC message, untouched.
    Mcp {
        /// The message.
        payload: Value,
    },
    /// Something the user must know.
    Alert(Alert),
    /// A message was not understood. Firmware passes over it; clients log it.
    Error {
        /// What was wrong.
        message: String,
    },
    /// Ends the session; with no session id, whatever session there is.
    Goodbye,
    /// Something else.
    Unknown(Unknown),
}

/// A message of a gateway.
///
/// ```
/// use sidetone_protocol::message::{GatewayBody, GatewayMessage, Tts};
///
/// let message = GatewayMessage::new("s1", GatewayBody::Tts(Tts::Stop));
/// assert_eq!(*message.to_json(), r#"{"type":"tts","state":"stop","session_id":"s1"}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayMessage {
    /// The session it belongs to; `None` where it names none, or an empty one.
    pub session_id: Option<String>,
    /// What it says.
    pub body: GatewayBody,
}

impl GatewayMessage {
    /// A message of a session.
    #[must_use]
    pub fn new(session_id: &str, body: GatewayBody) -> Self {
        Self { session_id: Some(session_id.into()), body }
    }

    /// A message of no session.
    #[must_use]
    pub const fn without_session(body: GatewayBody) -> Self {
        Self { session_id: None, body }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`MessageError`]; none for a type that is not known. A hello reply is refused where its `udp` is unusable.
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        Self::from_fields(parse_object(bytes)?)
    }

    pub(crate) fn from_fields(mut fields: Fields) -> Result<Self, MessageError> {
        let Some(Value::String(kind)) = fields.remove("type") else { return Err(MessageError::NoType) };
        let session_id = take_text(&mut fields, "session_id");
        fields.remove("session_id");
        let string = |name| text(&fields, name).map(String::from);
        let known = match kind.as_str() {
            "hello" => Some(GatewayBody::Hello(GatewayHello::take(&mut fields)?)),
            "tts" => tts(&fields).map(GatewayBody::Tts),
            "stt" => string("text").map(|text| GatewayBody::Stt { text }),
            "llm" => Some(GatewayBody::Llm {
                text: string("text").unwrap_or_default(),
                emotion: string("emotion").unwrap_or_default(),
            }),
            "mcp" => fields.remove("payload").map(|payload| GatewayBody::Mcp { payload }),
            "alert" => Some(GatewayBody::Alert(Alert {
                status: string("status").unwrap_or_default(),
                message: string("message").unwrap_or_default(),
                emotion: string("emotion").unwrap_or_default(),
            })),
            "error" => string("message").map(|message| GatewayBody::Error { message }),
            "goodbye" => Some(GatewayBody::Goodbye),
            _ => None,
        };
        let body = known.unwrap_or(GatewayBody::Unknown(Unknown { kind, fields }));
        Ok(Self { session_id, body })
    }

    /// The message as the reference gateway would write it, without spaces. A hello holds the session's key, so the
    /// text is zeroised when dropped; whoever copies it answers for the copy.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<String> {
        // Room for any hello, so that growing leaves no copy of a key behind.
        let mut json = Zeroizing::new(Vec::with_capacity(1024));
        match serde_json::to_writer(&mut *json, self) {
            Ok(()) => Zeroizing::new(String::from_utf8(core::mem::take(&mut *json)).unwrap_or_default()),
            Err(_) => Zeroizing::default(),
        }
    }
}

fn tts(fields: &Fields) -> Option<Tts> {
    match text(fields, "state")? {
        "start" => Some(Tts::Start),
        "sentence_start" => Some(Tts::SentenceStart { text: text(fields, "text").unwrap_or_default().into() }),
        "stop" => Some(Tts::Stop),
        _ => None,
    }
}

impl Serialize for GatewayMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let GatewayBody::Hello(hello) = &self.body {
            map.serialize_entry("type", "hello")?;
            hello.write(self.session_id.as_deref(), &mut map)?;
            return map.end();
        }
        write_body(&self.body, &mut map)?;
        if let Some(id) = &self.session_id {
            map.serialize_entry("session_id", id)?;
        }
        map.end()
    }
}

fn write_body<M: SerializeMap>(body: &GatewayBody, map: &mut M) -> Result<(), M::Error> {
    match body {
        GatewayBody::Hello(_) => map.serialize_entry("type", "hello"),
        GatewayBody::Tts(tts) => {
            map.serialize_entry("type", "tts")?;
            match tts {
                Tts::Start => map.serialize_entry("state", "start"),
                Tts::SentenceStart { text } => {
                    map.serialize_entry("state", "sentence_start")?;
                    map.serialize_entry("text", text)
                }
                Tts::Stop => map.serialize_entry("state", "stop"),
            }
        }
        GatewayBody::Stt { text } => {
            map.serialize_entry("type", "stt")?;
            map.serialize_entry("text", text)
        }
        GatewayBody::Llm { text, emotion } => {
            map.serialize_entry("type", "llm")?;
            map.serialize_entry("text", text)?;
            map.serialize_entry("emotion", emotion)
        }
        GatewayBody::Mcp { payload } => {
            map.serialize_entry("type", "mcp")?;
            map.serialize_entry("payload", payload)
        }
        GatewayBody::Alert(Alert { status, message, emotion }) => {
            map.serialize_entry("type", "alert")?;
            map.serialize_entry("status", status)?;
            map.serialize_entry("message", message)?;
            map.serialize_entry("emotion", emotion)
        }
        GatewayBody::Error { message } => {
            map.serialize_entry("type", "error")?;
            map.serialize_entry("message", message)
        }
        GatewayBody::Goodbye => map.serialize_entry("type", "goodbye"),
        GatewayBody::Unknown(unknown) => {
            map.serialize_entry("type", &unknown.kind)?;
            unknown.fields.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))
        }
    }
}

impl<'de> Deserialize<'de> for GatewayMessage {
    /// As [`GatewayMessage::parse`], but without its bounds, which are the deserializer's then.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_fields(Fields::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
