//! Where devices come in.

mod udp;

pub(crate) use udp::Udp;
