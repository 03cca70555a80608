//! Where devices come in.

mod listening;
pub(crate) mod mqtt;
mod tls;
mod udp;
mod web;

pub(crate) use listening::Edges;
pub(crate) use tls::{ServerTls, Shown};
pub(crate) use udp::Udp;
pub use web::WebTransportInfo;
pub(crate) use web::{Door, Web, WebTransport};
