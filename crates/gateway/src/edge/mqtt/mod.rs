//! Devices that speak MQTT: to the gateway itself, or to a broker that it is a client of.
//!
//! Firmware never subscribes, so that only an endpoint can answer it: [`endpoint`] does, on whatever connection a device
//! came by. On an external broker ([`broker`]) devices subscribe, or the broker does it for them.

pub(crate) mod broker;
mod call_link;
pub(crate) mod endpoint;
mod endpoint_link;
mod keep_alive;

use crate::link::Said;
use sidetone_protocol::message::DeviceMessage;

/// What a payload says.
fn read(payload: &[u8]) -> Said {
    match DeviceMessage::parse(payload) {
        Ok(message) => Said::Message(message),
        Err(error) => Said::Malformed(error),
    }
}
