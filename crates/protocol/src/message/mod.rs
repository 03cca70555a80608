//! Every message of the protocol, both ways.
//!
//! **Tolerant in**: whatever is an object with a `type` is a message. A type that is not known, or a known one that
//! lacks what it cannot do without, is kept whole as `Unknown`. Missing fields are as firmware would have them,
//! further fields are passed over, numbers may come as strings.
//!
//! **Exact out**: the fields and the order of firmware (uplink: `session_id` first) and of the reference gateway
//! (downlink: `session_id` last, but in a hello).

use serde_json::Value;

mod audio;
mod device;
mod error;
mod gateway;
mod hello;
pub(crate) mod lenient;

pub use audio::{AudioFormat, AudioParams, UnsupportedAudio};
pub use device::{DeviceBody, DeviceMessage, Listen, ListenMode};
pub use error::MessageError;
pub use gateway::{Alert, GatewayBody, GatewayMessage, Tts};
pub use hello::{DeviceHello, ENCRYPTION, Features, GatewayHello, Transport, UdpEndpoint, VERSION};

/// The most bytes of a message. Firmware's largest (an MCP tool list) has 8,000.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// How deep arrays and objects may be nested in a message.
pub const MAX_DEPTH: usize = 32;

/// A message whose type, or whose use of it, is not known here. For relaying: a back end may know it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unknown {
    /// Its `type`.
    pub kind: String,
    /// Its other fields but `session_id`.
    pub fields: serde_json::Map<String, Value>,
}
