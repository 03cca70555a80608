//! Where devices come in.

pub(crate) mod mqtt;
mod udp;
mod web;

pub(crate) use udp::Udp;
pub use web::WebTransportInfo;
pub(crate) use web::{Door, Web, WebTransport};
