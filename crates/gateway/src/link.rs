//! A device's control connection, as the gateway sees it, whatever carries it.

use sidetone_protocol::message::{DeviceMessage, GatewayMessage, MessageError};
use sidetone_protocol::topic::ClientId;
use std::future::Future;
use std::net::IpAddr;
use thiserror::Error;

/// Who is at the other end of a [`Link`].
#[derive(Clone, Debug)]
pub struct Identity {
    /// The device. Over MQTT its client id, checked against its credentials where there is a signature key.
    pub device: ClientId,
    /// Whose device it is: a name in `[tenants]`, or `default`.
    pub tenant: String,
    /// Where its control connection comes from; `None` behind an external broker.
    pub peer: Option<IpAddr>,
    /// The address of ours that the connection reached: what the device is told to send its audio to, where no public
    /// address is configured.
    pub local: Option<IpAddr>,
}

/// What carries the audio of the sessions on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Sealed datagrams, through UDP, WebTransport, or a WebSocket of their own.
    Datagrams,
    /// The link itself, as bare Opus.
    Link,
}

/// What came from a device.
#[derive(Debug)]
pub enum Said {
    /// A message.
    Message(DeviceMessage),
    /// Bytes that are none.
    Malformed(MessageError),
    /// Audio, over a link of [`Carrier::Link`].
    Audio {
        /// One Opus packet.
        payload: Vec<u8>,
    },
}

/// The link is gone, or its peer reads so slowly that it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the device's connection is gone")]
pub struct Gone;

/// A connection that messages of one device go through, in order.
pub trait Link: Send {
    /// What carries the audio.
    fn carrier(&self) -> Carrier {
        Carrier::Datagrams
    }

    /// The next thing from the device; `None` when the connection is gone. Cancel-safe: nothing is lost where the
    /// future is dropped.
    fn receive(&mut self) -> impl Future<Output = Option<Said>> + Send;

    /// Says something to the device. Bounded in time: a peer that does not read is [`Gone`].
    fn send(&mut self, message: &GatewayMessage) -> impl Future<Output = Result<(), Gone>> + Send;

    /// Sends one Opus packet, over a link of [`Carrier::Link`]; `timestamp` in ms.
    fn send_audio(&mut self, timestamp: u32, payload: &[u8]) -> impl Future<Output = Result<(), Gone>> + Send {
        let _ = (timestamp, payload);
        async { Err(Gone) }
    }

    /// Ends the connection.
    fn close(self) -> impl Future<Output = ()> + Send;
}
