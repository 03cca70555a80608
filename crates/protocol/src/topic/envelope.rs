//! The envelope in which a broker's rule republishes what devices say, so that the receiver learns who said it.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use thiserror::Error;

use super::{ClientId, ClientIdError};
use crate::message::lenient::parse_object;
use crate::message::{DeviceMessage, MessageError};

/// A device's message with its sender: `{"sender_client_id":"…","orginal_payload":{…}}`, spelt so in the rule that is
/// in use. The right spelling is read too, and a payload that was republished as a string.
///
/// The sender is only as true as the broker's access rules: no device may publish to the topic of the envelopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Who said it.
    pub sender: ClientId,
    /// What was said.
    pub message: DeviceMessage,
}

/// Bytes are no envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// No object within the bounds of a message; or what is inside is not a message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// No `sender_client_id`.
    #[error("envelope has no `sender_client_id`")]
    NoSender,
    /// A sender that cannot be one.
    #[error(transparent)]
    Sender(#[from] ClientIdError),
    /// No `orginal_payload`.
    #[error("envelope has no `orginal_payload`")]
    NoPayload,
}

impl Envelope {
    /// Opens an envelope.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let mut fields = parse_object(bytes)?;
        let Some(Value::String(sender)) = fields.remove("sender_client_id") else {
            return Err(EnvelopeError::NoSender);
        };
        let sender = sender.parse()?;
        let payload = fields.remove("orginal_payload").or_else(|| fields.remove("original_payload"));
        let message = match payload {
            Some(Value::Object(fields)) => DeviceMessage::from_fields(fields)?,
            Some(Value::String(text)) => DeviceMessage::parse(text.as_bytes())?,
            Some(_) => return Err(MessageError::NotAnObject.into()),
            None => return Err(EnvelopeError::NoPayload),
        };
        Ok(Self { sender, message })
    }

    /// The envelope as the rule writes it.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("sender_client_id", self.sender.as_str())?;
        map.serialize_entry("orginal_payload", &self.message)?;
        map.end()
    }
}
