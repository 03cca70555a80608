//! Where devices come in.

mod listening;
pub(crate) mod mqtt;
mod udp;

pub(crate) use listening::Edges;
pub(crate) use udp::Udp;
