//! Where devices come in.

mod listening;
mod udp;

pub(crate) use listening::Edges;
pub(crate) use udp::Udp;
