//! What devices say.

use core::fmt;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::lenient::{Fields, parse_object, take_text, text};
use super::{DeviceHello, MessageError, Unknown};

/// How a device decides when its user has finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ListenMode {
    /// The server hears when the user has finished; the device falls silent while it speaks.
    #[default]
    Auto,
    /// The user holds a button.
    Manual,
    /// The microphone stays open while the device speaks (it needs echo cancellation).
    Realtime,
}

impl ListenMode {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Manual => "manual",
            Self::Realtime => "realtime",
        }
    }

    /// Firmware always says a mode; auto is what it starts with.
    fn from_word(word: Option<&str>) -> Self {
        match word {
            Some("manual") => Self::Manual,
            Some("realtime") => Self::Realtime,
            _ => Self::Auto,
        }
    }
}

/// `listen`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Listen {
    /// The microphone opens. In auto mode one comes for every turn, without a stop between.
    Start {
        /// What ends it.
        mode: ListenMode,
    },
    /// The microphone closes.
    Stop,
    /// A wake word was heard, or text was typed.
    Detect {
        /// The word.
        text: String,
    },
}

/// What a device's message says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DeviceBody {
    /// Asks for a session; ends the one there is.
    Hello(DeviceHello),
    /// The microphone, or a wake word.
    Listen(Listen),
    /// Stops what the device is playing.
    Abort {
        /// `wake_word_detected`, where that is the reason.
        reason: Option<String>,
    },
    /// A JSON-RPC message, untouched.
    Mcp {
        /// The message.
        payload: Value,
    },
    /// Ends the session.
    Goodbye,
    /// Something else.
    Unknown(Unknown),
}

/// A message of a device.
///
/// ```
/// use sidetone_protocol::message::{DeviceBody, DeviceMessage, Listen, ListenMode};
///
/// let message = DeviceMessage::parse(br#"{"session_id":"s1","type":"listen","state":"start","mode":"auto"}"#)?;
/// assert_eq!(message.session_id.as_deref(), Some("s1"));
/// assert_eq!(message.body, DeviceBody::Listen(Listen::Start { mode: ListenMode::Auto }));
/// # Ok::<(), sidetone_protocol::message::MessageError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeviceMessage {
    /// The session it belongs to. `None` where it names none, or an empty one; always `None` for a hello.
    pub session_id: Option<String>,
    /// What it says.
    pub body: DeviceBody,
}

impl DeviceMessage {
    /// A message of a session.
    #[must_use]
    pub fn new(session_id: &str, body: DeviceBody) -> Self {
        Self { session_id: Some(session_id.into()), body }
    }

    /// A hello.
    #[must_use]
    pub const fn hello(hello: DeviceHello) -> Self {
        Self { session_id: None, body: DeviceBody::Hello(hello) }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`MessageError`]; none for a type that is not known.
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        Self::from_fields(parse_object(bytes)?)
    }

    pub(crate) fn from_fields(mut fields: Fields) -> Result<Self, MessageError> {
        let Some(Value::String(kind)) = fields.remove("type") else { return Err(MessageError::NoType) };
        if kind == "hello" {
            return Ok(Self::hello(DeviceHello::from_fields(&fields)));
        }
        let session_id = take_text(&mut fields, "session_id");
        fields.remove("session_id");
        let known = match kind.as_str() {
            "listen" => listen(&fields).map(DeviceBody::Listen),
            "abort" => Some(DeviceBody::Abort { reason: text(&fields, "reason").map(Into::into) }),
            "mcp" => fields.remove("payload").map(|payload| DeviceBody::Mcp { payload }),
            "goodbye" => Some(DeviceBody::Goodbye),
            _ => None,
        };
        let body = known.unwrap_or(DeviceBody::Unknown(Unknown { kind, fields }));
        Ok(Self { session_id, body })
    }

    /// The message as firmware would write it: without spaces, `session_id` first.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn listen(fields: &Fields) -> Option<Listen> {
    match text(fields, "state")? {
        "start" => Some(Listen::Start { mode: ListenMode::from_word(text(fields, "mode")) }),
        "stop" => Some(Listen::Stop),
        "detect" => Some(Listen::Detect { text: text(fields, "text").unwrap_or_default().into() }),
        _ => None,
    }
}

impl fmt::Display for DeviceMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl Serialize for DeviceMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match (&self.session_id, &self.body) {
            (_, DeviceBody::Hello(_)) | (None, _) => {}
            (Some(id), _) => map.serialize_entry("session_id", id)?,
        }
        match &self.body {
            DeviceBody::Hello(hello) => {
                map.serialize_entry("type", "hello")?;
                hello.write(&mut map)?;
            }
            DeviceBody::Listen(listen) => {
                map.serialize_entry("type", "listen")?;
                match listen {
                    Listen::Start { mode } => {
                        map.serialize_entry("state", "start")?;
                        map.serialize_entry("mode", mode.as_str())?;
                    }
                    Listen::Stop => map.serialize_entry("state", "stop")?,
                    Listen::Detect { text } => {
                        map.serialize_entry("state", "detect")?;
                        map.serialize_entry("text", text)?;
                    }
                }
            }
            DeviceBody::Abort { reason } => {
                map.serialize_entry("type", "abort")?;
                if let Some(reason) = reason {
                    map.serialize_entry("reason", reason)?;
                }
            }
            DeviceBody::Mcp { payload } => {
                map.serialize_entry("type", "mcp")?;
                map.serialize_entry("payload", payload)?;
            }
            DeviceBody::Goodbye => map.serialize_entry("type", "goodbye")?,
            DeviceBody::Unknown(unknown) => {
                map.serialize_entry("type", &unknown.kind)?;
                for (name, value) in &unknown.fields {
                    map.serialize_entry(name, value)?;
                }
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for DeviceMessage {
    /// As [`DeviceMessage::parse`], but without its bounds, which are the deserializer's then.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_fields(Fields::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
