//! Where devices come in.

pub(crate) mod mqtt;
mod udp;

pub(crate) use udp::Udp;
