//! `[web]`: what comes over WebSocket and WebTransport, from browsers and from devices that use them.
//!
//! | path           | over                    | what                                                            |
//! |----------------|-------------------------|-----------------------------------------------------------------|
//! | `/xiaozhi/v1/` | WebSocket               | a device: messages, and bare Opus ([`device_link`])             |
//! | `/mqtt`        | WebSocket               | MQTT, to the same endpoint as over TCP                          |
//! | `/media`       | WebSocket, WebTransport | sealed datagrams, under the rules of UDP ([`datagrams`], [`transport`]) |
//!
//! A connection has a place ([`Door`]) from the first byte on, and so long to say what it is for.

mod certificate;
mod claim;
mod datagrams;
mod device_link;
mod door;
mod listener;
mod origin;
mod socket;
mod traffic;
mod transport;

pub(crate) use door::Door;
pub(crate) use listener::Web;
pub(crate) use transport::WebTransport;
pub use transport::WebTransportInfo;
